"""A clinic puts its own words into the plan today, by one command; nobody's past changes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from patients.models import Clinic, ProtocolVersion, StaffUser
from patients.models.clinic import Role
from patients.models.protocol_version import SHIPPED
from tests.builders import PASSWORD, log, make_clinic, make_patient, shipped

pytestmark = pytest.mark.django_db

SOURCE = (SHIPPED / "microneedling.toml").read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The shipped plan with another product's name in it."""
    file = tmp_path / "ours.toml"
    file.write_text(SOURCE.replace("“Rescue”", "“Calm”"), encoding="utf-8")
    return file


def publish(file: Path, **options: str) -> str:
    said = StringIO()
    call_command("publish_protocol", file, stdout=said, **options)
    return said.getvalue()


def cream_of(version: ProtocolVersion) -> str:
    return version.protocol.words("en").steps["B3"].text


def test_another_products_name_is_in_the_next_version_and_in_nobodys_past(
    clinic: Clinic, file: Path
) -> None:
    before = log(patient=make_patient(clinic=clinic))
    assert publish(file) == "Published microneedling version 2 for Lakeside Skin Clinic.\n"
    after = log(patient=make_patient(clinic=clinic, phone="+12025550147"))
    before.refresh_from_db()
    assert (before.version.number, after.version.number) == (1, 2)
    assert "“Rescue”" in cream_of(before.version)
    assert "“Calm”" in cream_of(after.version)
    assert after.version.source == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[phase]", "[phase", "This is not valid TOML"),
        ('starts = "6h"', 'starts = "six"', "“six” is not a span like 30m, 6h or 7d"),
        ("See how on your page: {link}", "See how on your page: {lnk}", "“{lnk}” is not a"),
        ("your next step may start now.", "your next step may start now. " * 5, "cleanse"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason_and_nothing_is_published(
    clinic: Clinic, file: Path, old: str, new: str, reason: str
) -> None:
    file.write_text(SOURCE.replace(old, new), encoding="utf-8")
    numbers = set(ProtocolVersion.objects.values_list("number", flat=True))
    with pytest.raises(CommandError, match="is not published") as refused:
        publish(file)
    assert reason in str(refused.value)
    assert set(ProtocolVersion.objects.values_list("number", flat=True)) == numbers


def test_a_file_that_is_not_there_is_named(clinic: Clinic, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.toml cannot be read"):
        publish(tmp_path / "none.toml")


def test_of_several_clinics_one_must_be_named_and_only_its_plan_changes(
    clinic: Clinic, file: Path
) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    with pytest.raises(CommandError, match=r"Say which clinic with --clinic\. Known: .*hillside"):
        publish(file)
    publish(file, clinic="hillside")
    assert "“Calm”" in cream_of(shipped(other))
    assert "“Rescue”" in cream_of(shipped(clinic))


def test_a_published_version_can_be_neither_changed_nor_deleted(clinic: Clinic) -> None:
    version = shipped(clinic)
    version.source = version.source.replace("“Rescue”", "“Calm”")
    with pytest.raises(TypeError, match="never changed"):
        version.save()
    with pytest.raises(TypeError, match="never deleted"):
        version.delete()


# --- A clinic's first day ----------------------------------------------------------------------

NEW = {
    "name": "Harbor Skin",
    "slug": "harbor",
    "sms_name": "Harbor Skin",
    "zone": "Europe/London",
    "office_phone": "+442079460958",
    "after_hours_phone": "+442079460959",
    "sms_sender": "+447400123456",
    "admin_email": "Omar@harbor.example",
    "admin_name": "Omar Haddad",
    "emergency_number": "999",
}


def add_clinic(monkeypatch: pytest.MonkeyPatch, password: str = PASSWORD, **changes: str) -> str:
    said = StringIO()
    monkeypatch.setattr("getpass.getpass", lambda prompt: password)
    call_command("add_clinic", stdout=said, **NEW | changes)
    return said.getvalue()


def test_a_new_clinic_has_an_admin_and_the_shipped_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "microneedling version 1" in add_clinic(monkeypatch)
    clinic, admin = Clinic.objects.get(), StaffUser.objects.get()
    assert (clinic.zone, clinic.emergency_number) == ("Europe/London", "999")
    assert (admin.email, admin.role, admin.clinic) == ("omar@harbor.example", Role.ADMIN, clinic)
    assert admin.check_password(PASSWORD)
    assert log(patient=make_patient(clinic=clinic)).reminders.count() == 9


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"zone": "Moon/Base"}, "--zone: .*Moon/Base"),
        ({"office_phone": "12"}, "--office-phone: The phone number entered is not valid"),
        ({"sms_name": "A name that no text has room for"}, "--sms-name: .*at most 20"),
        ({"nurse_phone": "12"}, "--nurse-phone: The phone number entered is not valid"),
        ({"admin_email": "omar"}, "--admin-email: Enter a valid email address"),
        ({"password": "short"}, "too short"),
    ],
)
def test_a_clinic_with_impossible_facts_is_not_added(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        add_clinic(monkeypatch, **changes)
    assert not Clinic.objects.exists()
