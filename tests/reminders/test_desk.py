"""The desk: log a treatment of somebody new or known; what looks odd is asked first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from patients.models import Clinic, Consent, Patient, Treatment
from patients.models.clinic import Role
from patients.models.protocol_version import publish
from reminders import circuits
from reminders.channels.codes import Means
from reminders.consent_words import READ_OUT, WORDS
from reminders.models import Reminder, State
from reminders.treatments import questions
from tests.builders import log, make_clinic, make_patient, make_staff, shipped, void
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import filled, save, text_of

# --- Saving ------------------------------------------------------------------------------------


def test_a_new_patient_is_logged_and_the_desk_is_led_to_the_treatment(desk: Client) -> None:
    response = save(desk, filled(ended="15"))
    treatment = Treatment.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("story", args=[treatment.pk])
    assert treatment.patient.phone.as_e164 == "+12025550146"
    assert treatment.treated_at == NOON - timedelta(minutes=15)
    assert treatment.reminders.count() == 9


def test_a_double_submit_makes_one_treatment(desk: Client) -> None:
    typed = filled()
    first, second = save(desk, typed), save(desk, typed)
    assert first["Location"] == second["Location"]
    assert (Treatment.objects.count(), Patient.objects.count()) == (1, 1)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_make_one_treatment(clinic: Clinic) -> None:
    staff, typed, begin = make_staff(clinic=clinic), filled(), Barrier(2)

    def press() -> str:
        desk = Client()
        desk.force_login(staff)
        begin.wait(10)
        try:
            return str(save(desk, typed)["Location"])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as hands:
        presses = [hands.submit(press) for _ in range(2)]
    assert {one.result() for one in presses} == {f"/treatments/{Treatment.objects.get().pk}/"}
    assert Patient.objects.count() == 1


def test_without_consent_it_is_saved_and_its_rows_say_why_they_are_skipped(desk: Client) -> None:
    typed = filled()
    del typed["recovery"]
    save(desk, typed)
    assert set(Reminder.objects.values_list("state", "skip_reason")) == {
        (State.SKIPPED.value, "no consent")
    }


def test_both_consents_are_unticked_for_somebody_new_and_quote_the_words_agreed_to(
    desk: Client, clinic: Clinic
) -> None:
    page = text_of(desk.get(reverse("desk")))
    assert 'name="recovery"' in page
    assert "checked" not in page.split('name="recovery"')[1].split(">")[0]
    assert "checked" not in page.split('name="rebooking"')[1].split(">")[0]
    for language, wording in READ_OUT.items():
        for words in WORDS[wording].values():
            assert f'<q lang="{language}">{words.format(clinic=clinic.name)}</q>' in page


def test_what_a_returning_patient_agreed_to_is_shown_and_not_taken_back(
    desk: Client, clinic: Clinic
) -> None:
    patient = make_patient(clinic=clinic)
    log(patient=patient, recovery=True, rebooking=False)
    page = text_of(desk.get(reverse("desk-returning", args=[patient.pk])))
    assert "checked" in page.split('name="recovery"')[1].split(">")[0]
    assert "checked" not in page.split('name="rebooking"')[1].split(">")[0]


def test_a_returning_patient_keeps_their_record_and_gets_the_next_session(
    desk: Client, clinic: Clinic
) -> None:
    patient = make_patient(clinic=clinic)
    log(patient=patient, treated_at=datetime.now(UTC) - timedelta(days=28))
    page = desk.get(reverse("desk-returning", args=[patient.pk]))
    assert page.context["form"].initial["session"] == "2"
    save(desk, filled(session="2", email="maria@example.org"), patient)
    assert Patient.objects.get().email == "maria@example.org"
    assert list(Treatment.objects.order_by("pk").values_list("session", flat=True)) == ["1", "2"]


@pytest.mark.parametrize(("language", "wording"), [("en", "2026-11"), ("es", "2026-11-es")])
def test_each_yes_is_kept_with_the_version_of_the_words_read_out(
    desk: Client, language: str, wording: str
) -> None:
    save(desk, filled(language=language))
    assert set(Consent.objects.values_list("scope", "given", "wording")) == {
        ("recovery", True, wording),
        ("rebooking", False, wording),
    }


def test_with_several_protocols_one_is_chosen_and_its_newest_version_used(
    desk: Client, clinic: Clinic
) -> None:
    assert 'type="hidden" name="protocol"' in text_of(desk.get(reverse("desk")))
    source = shipped(clinic).source
    peel = source.replace('key = "microneedling"', 'key = "peel"', 1)
    published = [publish(clinic=clinic, source=one) for one in (source, peel)]
    assert [one.protocol.key for one in published] == ["microneedling", "peel"]
    assert 'type="radio" name="protocol" value="peel"' in text_of(desk.get(reverse("desk")))
    save(desk, filled())
    save(desk, filled(protocol="peel", phone="202 555 0147"))
    versions = Treatment.objects.order_by("pk").values_list("version__key", "version__number")
    assert list(versions) == [("microneedling", 2), ("peel", 1)]


# --- What is asked first -----------------------------------------------------------------------


def test_a_treatment_of_more_than_12_hours_ago_is_asked_about_once(desk: Client) -> None:
    typed = filled(ended="other", ended_at="2026-11-22T20:00")
    page = text_of(save(desk, typed))
    assert "That is more than 12 hours ago. Is the time right?" in page
    assert Treatment.objects.count() == 0
    confirmed = {"confirmed": "That is more than 12 hours ago. Is the time right?"}
    assert save(desk, typed | confirmed).status_code == 302


@pytest.mark.parametrize(
    ("ago", "other_ago", "asked"),
    [
        (timedelta(hours=12), None, 0),
        (timedelta(hours=12, seconds=1), None, 1),
        (timedelta(0), timedelta(hours=4) - timedelta(seconds=1), 1),
        (timedelta(0), timedelta(hours=4), 0),
        (timedelta(hours=4), timedelta(0), 0),
        (timedelta(hours=12, seconds=1), timedelta(hours=13), 2),
    ],
)
def test_what_is_asked_begins_to_the_second(
    clinic: Clinic, ago: timedelta, other_ago: timedelta | None, asked: int
) -> None:
    patient = make_patient(clinic=clinic)
    if other_ago is not None:
        log(patient=patient, treated_at=NOON - other_ago)
    version = shipped(clinic)
    assert asked == len(
        questions(patient=patient, version=version, treated_at=NOON - ago, now=NOON)
    )


def test_the_same_treatment_within_4_hours_is_asked_about(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    log(patient=patient, treated_at=NOON - timedelta(hours=3))
    page = text_of(save(desk, filled(session="2"), patient))
    assert "has the same treatment within 4 hours of that. Is this a second one?" in page
    assert Treatment.objects.count() == 1


@pytest.mark.parametrize(
    "contact", [{"phone": "202-555-0146"}, {"phone": "", "email": "MARIA@example.org"}]
)
def test_a_new_entry_that_is_an_existing_patient_is_asked_about(
    desk: Client, clinic: Clinic, contact: dict[str, str]
) -> None:
    known = make_patient(clinic=clinic, email="maria@example.org")
    channel = "sms" if contact["phone"] else "email"
    typed = filled(first_name="maria ", last_name="GOMEZ", channel=channel, **contact)
    page = text_of(save(desk, typed))
    asked = "Maria Gomez is already a patient, with this phone or email. Is this somebody else?"
    assert asked in page
    assert reverse("desk-returning", args=[known.pk]) in page
    assert save(desk, typed | {"confirmed": asked}).status_code == 302
    assert Patient.objects.count() == 2


def test_no_it_is_her_saves_what_was_typed_on_her_record(desk: Client, clinic: Clinic) -> None:
    known = make_patient(clinic=clinic)
    assert save(desk, filled(), known).status_code == 302
    assert Treatment.objects.get().patient == known


def test_a_yes_to_one_question_is_no_yes_to_another(desk: Client, clinic: Clinic) -> None:
    make_patient(clinic=clinic)
    typed = filled(confirmed="That is more than 12 hours ago. Is the time right?")
    assert "Is this somebody else?" in text_of(save(desk, typed))


@pytest.mark.parametrize(("visits", "queries"), [(1, 7), (2, 8), (6, 8)])
def test_the_desk_costs_the_same_number_of_queries_however_many_came(
    desk: Client,
    clinic: Clinic,
    django_assert_num_queries: DjangoAssertNumQueries,
    visits: int,
    queries: int,
) -> None:
    for number in range(visits):
        log(patient=make_patient(clinic=clinic, phone=f"+1202555010{number}"))
    desk.get(reverse("desk"))
    # session, user, clinic, versions, latest, circuits; the audit row, and of several patients
    # whether they are a known group
    with django_assert_num_queries(queries):
        desk.get(reverse("desk"))


def test_a_voided_treatment_is_no_duplicate(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    void(log(patient=patient), by=make_staff(clinic=clinic, role=Role.NURSE))
    assert save(desk, filled(), patient).status_code == 302


# --- First, and when something is wrong ----------------------------------------------------------


def test_a_clinic_without_patients_is_told_how_to_begin(desk: Client, clinic: Clinic) -> None:
    page = text_of(desk.get(reverse("desk")))
    assert "The first patient" in page
    assert "Four fields are enough" in page
    assert 'role="search"' not in page
    make_patient(clinic=clinic)
    assert 'role="search"' in text_of(desk.get(reverse("desk")))


def test_a_clinic_without_a_plan_is_told_who_can_help(db: None, client: Client) -> None:
    clinic = make_clinic()
    clinic.protocol_versions.all()._raw_delete("default")
    client.force_login(make_staff(clinic=clinic))
    assert "This clinic has no plan yet" in text_of(client.get(reverse("desk")))
    assert "This clinic has no plan yet" in text_of(save(client, filled()))


@pytest.mark.parametrize(
    ("channel", "words"), [("sms", "Texts do not leave"), ("email", "Email does not leave")]
)
def test_a_provider_that_refuses_us_is_said_before_anything_is_logged(
    desk: Client, clinic: Clinic, channel: str, words: str
) -> None:
    assert "right now" not in text_of(desk.get(reverse("desk")))
    scope = circuits.scope_of(Means.ACCOUNT, channel, clinic.sms_sender.as_e164, "+12025550146")
    circuits.trip(scope, code="20003", clinics=[], now=NOON)
    assert f"{words} right now" in text_of(desk.get(reverse("desk")))
