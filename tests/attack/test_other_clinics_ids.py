"""Another clinic's numbers, sent where the address cannot show them: in forms and queries."""

from __future__ import annotations

import uuid

import pytest
from django.forms.models import model_to_dict
from django.test import Client

from patients.models import Patient, StaffUser, Treatment
from patients.models.clinic import Role
from reminders.models import Reminder, Task
from tests.attack.scene import ADDRESSES, Scene, address, signed_in
from tests.reminders.desk_form import filled

pytestmark = pytest.mark.thorough


@pytest.fixture
def admin(ours: Scene) -> Client:
    return signed_in(ours.staff[Role.ADMIN])


def everything(theirs: Scene) -> dict[str, object]:
    """Every name under which a form or a query could take a row, with theirs in it."""
    treatment = theirs.treatment
    return {
        "pk": treatment.pk,
        "id": treatment.pk,
        "treatment": treatment.pk,
        "treatment_id": treatment.pk,
        "patient": treatment.patient_id,
        "patient_id": treatment.patient_id,
        "clinic": theirs.clinic.pk,
        "clinic_id": theirs.clinic.pk,
        "owner": theirs.staff[Role.NURSE].pk,
        "by": theirs.staff[Role.ADMIN].pk,
        "concern": theirs.concern.pk,
        "reminder": theirs.reminder.pk,
        "task": theirs.task.pk,
        "file": theirs.file.pk,
        "form_key": treatment.form_key,
        "find": "Ofhillside",
        "first_name": treatment.patient.first_name,
        "last_name": treatment.patient.last_name,
        "phone": str(treatment.patient.phone),
        "email": treatment.patient.email,
    }


def rows_of(scene: Scene) -> list[object]:
    """All that could be changed or added by whoever is not of this clinic."""
    patient = scene.treatment.patient_id
    return [
        *map(model_to_dict, Patient.objects.filter(clinic=scene.clinic)),
        *Treatment.objects.filter(patient=patient).order_by("pk").values(),
        *Reminder.objects.filter(treatment__patient=patient).order_by("pk").values(),
        *Task.objects.filter(clinic=scene.clinic).values(),
        *StaffUser.objects.filter(clinic=scene.clinic).order_by("pk").values(),
        *type(scene.clinic).objects.filter(pk=scene.clinic.pk).values(),
        *scene.clinic.import_files.values(),
        *scene.clinic.concerns.values(),
    ]


@pytest.mark.parametrize("method", ["get", "post"])
def test_their_numbers_in_any_form_or_query_show_and_change_nothing_of_theirs(
    ours: Scene, theirs: Scene, method: str
) -> None:
    before, shown = rows_of(theirs), []
    words = ["hillside clinic", "hillside nurse"]
    words += [f'"{address(name, theirs)}' for name in ("story", "desk-returning", "concern-close")]
    admin = signed_in(ours.staff[Role.ADMIN])
    for name in sorted(ADDRESSES):
        if name.startswith(("account_", "mfa_", "recovery", "twilio", "lock", "ready")):
            continue
        response = getattr(admin, method)(address(name, ours), everything(theirs))
        assert response.status_code < 500, name
        page = response.getvalue().decode()
        shown += [(name, word) for word in words if word in page]
    assert shown == []
    assert rows_of(theirs) == before


def test_a_task_is_not_given_to_somebody_of_another_clinic(
    admin: Client, ours: Scene, theirs: Scene
) -> None:
    typed = {"text": "Call", "due": "1h", "owner": theirs.staff[Role.NURSE].pk}
    page = admin.post(address("task", ours), typed)
    assert page.status_code == 200
    assert Task.objects.filter(clinic=ours.clinic).count() == 1


def test_nobody_is_moved_to_another_clinic_or_made_a_superuser(
    admin: Client, ours: Scene, theirs: Scene
) -> None:
    more = {"clinic": theirs.clinic.pk, "is_staff": "on", "is_superuser": "on", "password": "x"}
    before = StaffUser.objects.get(pk=ours.staff[Role.DESK].pk)
    admin.post(
        address("clinic-person", ours),
        {"role": "nurse", "is_active": "on", "email": "x@y.z"} | more,
    )
    new = {"name": "New", "email": "new@lakeside.example", "role": "desk"} | more
    admin.post(address("clinic-add", ours), {f"new-{key}": value for key, value in new.items()})
    added = StaffUser.objects.get(email="new@lakeside.example")
    changed = StaffUser.objects.get(pk=before.pk)
    for person in (added, changed):
        assert person.clinic_id == ours.clinic.pk
        assert not person.is_staff
        assert not person.is_superuser
    assert (changed.role, changed.email, changed.password) == (
        "nurse",
        before.email,
        before.password,
    )


def test_the_clinics_form_changes_no_other_clinic(
    admin: Client, ours: Scene, theirs: Scene
) -> None:
    before = rows_of(theirs)
    admin.post(address("clinic", ours), {"pk": theirs.clinic.pk, "slug": "hillside", "name": "X"})
    assert rows_of(theirs) == before


def test_sending_again_reaches_only_the_own_clinics_patients(
    admin: Client, ours: Scene, theirs: Scene
) -> None:
    before = rows_of(theirs)
    named = [str(theirs.reminder.pk), str(ours.reminder.pk)]
    admin.post(address("missed-again", ours), {"reminder": named, "channel": "sms"})
    assert rows_of(theirs) == before
    admin.post(address("again", ours), {"channel": "email", "reminder": theirs.reminder.pk})
    assert rows_of(theirs) == before


def test_the_key_of_another_clinics_form_opens_nothing_of_theirs(
    admin: Client, ours: Scene, theirs: Scene
) -> None:
    """It is unique on the whole site; sent from elsewhere, the treatment is logged all the same."""
    key = str(theirs.treatment.form_key)
    response = admin.post(address("desk", ours), filled(form_key=key, first_name="Iris"))
    logged = Treatment.objects.latest("pk")
    assert response["Location"] == f"/treatments/{logged.pk}/"
    assert (logged.patient.first_name, logged.patient.clinic) == ("Iris", ours.clinic)


def test_a_search_finds_only_the_own_clinics_patients(
    admin: Client, ours: Scene, theirs: Scene
) -> None:
    for typed in ("Ofhillside", str(theirs.treatment.patient.phone), "maria@hillside.example"):
        page = admin.post(address("desk-search", ours), {"find": typed}).content.decode()
        assert f"/desk/patients/{theirs.treatment.patient_id}/" not in page
    checked = {"phone": str(theirs.treatment.patient.phone), "email": "maria@hillside.example"}
    assert "Ofhillside" not in admin.post(address("desk-check", ours), checked).content.decode()


def test_a_role_that_is_none_or_made_up_is_not_given(admin: Client, ours: Scene) -> None:
    for role in ("", "root", "ADMIN", "admin\x00", str(uuid.uuid4())):
        admin.post(address("clinic-person", ours), {"role": role, "is_active": "on"})
        assert StaffUser.objects.get(pk=ours.staff[Role.DESK].pk).role == "desk"
