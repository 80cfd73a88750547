"""The clinic's own page: only the admin opens it, every mistake is said, nobody is locked out."""

from __future__ import annotations

import pytest
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Clinic, StaffUser
from patients.models.clinic import Role
from reminders.clinic_forms import CONTACTS, LABELS, NO_HOURS, NO_TEXT, NOBODY
from reminders.models import Notice
from reminders.notices import note, send_waiting
from tests.builders import make_clinic, make_staff
from tests.phone.client import Phone
from tests.reminders.desk_form import text_of


@pytest.fixture
def admin(clinic: Clinic, client: Client) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.ADMIN, name="Omar Haddad"))
    return client


def filled(clinic: Clinic, **changes: str) -> dict[str, str]:
    record = model_to_dict(clinic, fields=[*LABELS, *CONTACTS])
    said = {name: "" if value is None else str(value) for name, value in record.items()}
    return said | changes


def test_the_page_says_what_is_set_and_saves_what_is_changed(admin: Client, clinic: Clinic) -> None:
    page = text_of(admin.get(reverse("clinic")))
    assert "+1 855-383-7546" in page
    typed = filled(
        clinic, office_phone="(202) 555-0177", quiet_starts="21:30", hours_mon="9:00-17:00"
    )
    assert "Saved." in text_of(admin.post(reverse("clinic"), typed, follow=True))
    clinic = Clinic.objects.get()
    assert clinic.office_phone.as_e164 == "+12025550177"
    assert f"{clinic.quiet_starts:%H:%M}" == "21:30"
    assert clinic.opening_hours == {"mon": ["09:00", "17:00"]}
    assert 'value="09:00-17:00"' in text_of(admin.get(reverse("clinic")))


def test_missing_opening_hours_are_said_until_they_are_set(admin: Client, clinic: Clinic) -> None:
    Clinic.objects.update(opening_hours={})
    assert NO_HOURS in text_of(admin.get(reverse("clinic")))
    admin.post(reverse("clinic"), filled(clinic, hours_mon="9:00-17:00"))
    assert NO_HOURS not in text_of(admin.get(reverse("clinic")))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("office_phone", "12", "12"),
        ("zone", "Chicago", "is not a time zone"),
        ("sms_name", "Señora", "Use plain letters only"),
        ("hours_tue", "all day", "Write it like 9:00-17:00, or leave it empty."),
        ("hours_tue", "17:00-9:00", "It closes before it opens."),
        ("quiet_starts", "late", "valid time"),
        ("sms_sender", "", "required"),
        ("sms_per_second", "0", "Write 1 or more, or leave it empty: then there is no limit."),
        ("sms_per_second", "many", "Enter a whole number."),
        ("sms_per_second", "5000", "No sender has more than 1,000."),
    ],
)
def test_a_mistake_is_said_beside_its_field_and_saves_nothing(
    admin: Client, clinic: Clinic, field: str, typed: str, sentence: str
) -> None:
    page = text_of(admin.post(reverse("clinic"), filled(clinic, name="New", **{field: typed})))
    assert "Not saved yet. Nothing you typed is lost." in page
    assert sentence in page
    assert Clinic.objects.get().name == "Lakeside Skin Clinic"


def test_a_line_end_in_the_clinics_name_is_none_and_brings_no_header_into_a_mail(
    admin: Client, clinic: Clinic, provider: Phone
) -> None:
    admin.post(reverse("clinic"), filled(clinic, name="Lake\r\nBcc: eve@evil.example"))
    assert Clinic.objects.get().name == "Lake Bcc: eve@evil.example"
    Clinic.objects.update(name="Lake\nBcc: eve@evil.example")  # as a command could have set it
    me = StaffUser.objects.get()
    note(me, Notice.Kind.PASSWORD, now=timezone.now())
    send_waiting(now=timezone.now())
    (mail,) = provider.messages()
    assert mail["to"] == me.email
    assert mail["subject"] == "Aftercare at Lake Bcc: eve@evil.example: your sign-in"


def test_how_many_texts_a_second_a_sender_may_send_is_set_and_taken_away_again(
    admin: Client, clinic: Clinic
) -> None:
    assert "Texts a second, at most" in text_of(admin.get(reverse("clinic")))
    admin.post(reverse("clinic"), filled(clinic, sms_per_second="3"))
    assert Clinic.objects.get().sms_per_second == 3  # which `reminders.pace` keeps
    admin.post(reverse("clinic"), filled(clinic, sms_per_second=""))
    assert Clinic.objects.get().sms_per_second is None


def test_a_new_person_signs_in_with_the_password_that_is_shown_once(
    admin: Client, clinic: Clinic
) -> None:
    typed = {"new-name": "Ana Ruiz", "new-email": "Ana@Lakeside.example", "new-role": "nurse"}
    response = admin.post(reverse("clinic-add"), typed)
    password = response.context["added"]["password"]
    assert password in text_of(response)
    assert password not in text_of(admin.get(reverse("clinic")))
    ana = StaffUser.objects.get(email="ana@lakeside.example")
    assert ana.check_password(password)
    assert (ana.clinic, ana.role) == (clinic, "nurse")
    again = text_of(admin.post(reverse("clinic-add"), typed))
    assert "Somebody signs in with this address already." in again


def test_what_is_missing_of_a_new_person_is_said_beside_it(admin: Client) -> None:
    page = text_of(admin.post(reverse("clinic-add"), {}))
    for said in ("Write the name.", "Write the email address", "Choose what they may do."):
        assert said in page
    assert "This is not an email address." in text_of(
        admin.post(reverse("clinic-add"), {"new-email": "ana@"})
    )


def test_a_role_is_changed_and_nobody_locks_themselves_out(admin: Client, clinic: Clinic) -> None:
    nurse = make_staff(clinic=clinic, role=Role.NURSE)
    admin.post(reverse("clinic-person", args=[nurse.pk]), {"role": "lead", "wants_summary": "on"})
    nurse.refresh_from_db()
    assert (nurse.role, nurse.is_active, nurse.wants_summary) == ("lead", False, True)
    me = StaffUser.objects.get(role="admin")
    admin.post(reverse("clinic-person", args=[me.pk]), {"role": "desk"})
    me.refresh_from_db()
    assert (me.role, me.is_active) == ("admin", True)


def test_another_clinics_people_are_not_found(admin: Client) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    person = make_staff(clinic=other)
    assert admin.post(reverse("clinic-person", args=[person.pk]), {}).status_code == 404


def test_a_test_text_reaches_ones_own_phone(admin: Client, clinic: Clinic, provider: Phone) -> None:
    page = admin.post(reverse("clinic-test"), {"to": "202 555 0155"}, follow=True)
    assert "look at your phone" in text_of(page)
    (text,) = provider.messages("+12025550155")
    assert text["body"] == "Lakeside Skin: this is a test text. It works."
    page = admin.post(reverse("clinic-test"), {"to": "12"}, follow=True)
    assert "12" in text_of(page)
    assert "look at your phone" not in text_of(page)


def test_whom_a_report_reaches_is_set_and_the_last_one_goes_only_if_it_is_meant(
    admin: Client, clinic: Clinic
) -> None:
    page = text_of(admin.get(reverse("clinic")))
    assert "If nobody has taken it on after 15 minutes" in page
    assert NOBODY in page
    told = {"nurse_phone": "(202) 555-0171", "second_nurse_email": "second@lakeside.example",
            "alert_email": "it@lakeside.example"}  # fmt: skip
    admin.post(reverse("clinic"), filled(clinic, **told))
    clinic = Clinic.objects.get()
    assert clinic.nurse_phone.as_e164 == "+12025550171"
    assert clinic.second_nurse_email == "second@lakeside.example"
    assert NOBODY not in text_of(admin.get(reverse("clinic")))
    for gone, sentence in [({"nurse_phone": ""}, NO_TEXT), (dict.fromkeys(told, ""), NOBODY)]:
        page = text_of(admin.post(reverse("clinic"), filled(clinic, **gone)))
        assert sentence in page
        assert "Save it all the same" in page
        assert Clinic.objects.get().nurse_phone
    admin.post(reverse("clinic"), filled(clinic, nurse_phone="", meant="on"))
    assert not Clinic.objects.get().nurse_phone
    assert NO_TEXT in text_of(admin.get(reverse("clinic")))
