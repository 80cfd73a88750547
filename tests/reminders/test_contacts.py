"""A wrong number or email is put right: read back, saved once, and everything follows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients import links
from patients.models import (
    AuditAct,
    AuditRow,
    Clinic,
    Consent,
    Erasure,
    Patient,
    StaffUser,
    Treatment,
)
from patients.models.clinic import Role
from patients.models.patient import Channel
from reminders.dispatch import drain
from reminders.finding import find_patients
from reminders.models import Attempt, Concern, Note, Reminder, State
from reminders.moments import Skip
from reminders.optouts import stop
from reminders.redaction import redact
from tests.builders import (
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)
from tests.phone.client import Phone
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of
from tests.reminders.test_two_desks import at_once, desks_of

OLD, NEW = "+12025550146", "+12025550199"


@pytest.fixture
def treatment(desk: Client, clinic: Clinic) -> Treatment:
    """Logged ten minutes ago; its handover failed at the old number."""
    at = NOON - timedelta(minutes=10)
    treatment = log(patient=make_patient(clinic=clinic), treated_at=at)
    failed = set_state(reminder_of(treatment, "handover"), State.FAILED, at=at)
    make_attempt(failed, provider_id="SM1", error_code="30005", called_at=at)
    return treatment


def typed(**changes: str) -> dict[str, str]:
    ordinary = {
        "first_name": "Maria", "last_name": "Gomez", "phone": "(202) 555-0199",
        "channel": "sms", "email": "",
    }  # fmt: skip
    return {**ordinary, **changes}


def address_of(treatment: Treatment) -> str:
    return reverse("contact", args=[treatment.pk])


def read_back(desk: Client, treatment: Treatment, **changes: str) -> tuple[dict[str, str], Any]:
    """What the browser would send from the read-back as it comes: its ticks as they stand."""
    said = typed(**changes)
    page = desk.post(address_of(treatment), said)
    follows, form = page.context["follows"], page.context["form"]
    ticks = {
        name: "on"
        for name in follows.fields
        if follows[name].value() and (follows.asks or name in ("close_link", "send_page"))
    }
    told = {"record": page.context["record"], "previewed": form.shown}
    return said | ticks | told | {"save": ""}, page


def save(desk: Client, treatment: Treatment, sent: Mapping[str, str]) -> str:
    answer = desk.post(address_of(treatment), sent, follow=True)
    assert answer.redirect_chain == [(reverse("story", args=[treatment.pk]), 302)]
    return text_of(answer)


def correct(desk: Client, treatment: Treatment, *, agrees: bool = True, **changes: str) -> str:
    sent, _ = read_back(desk, treatment, **changes)
    return save(desk, treatment, sent | ({"recovery": "on"} if agrees else {}))


def without(sent: Mapping[str, str], *names: str) -> dict[str, str]:
    return {key: value for key, value in sent.items() if key not in names}


# --- What is typed, and read back --------------------------------------------------------------


def test_a_failed_text_leads_to_the_page_with_what_is_on_record(
    desk: Client, treatment: Treatment
) -> None:
    story = text_of(desk.get(reverse("story", args=[treatment.pk])))
    assert story.count(address_of(treatment)) == 4  # its head, handover, failure and facts
    form = desk.get(address_of(treatment)).context["form"]
    assert form["phone"].value() == "(202) 555-0146"


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"phone": "202 555"}, "phone", "too short for a US number"),
        ({"phone": ""}, "phone", "Texts need a mobile number."),
        ({"phone": "(800) 555-0199"}, "phone", "no text reaches it"),
        ({"email": "ana"}, "email", "This is not an email address."),
        ({"channel": "email"}, "email", "Email needs an address."),
        ({"first_name": " "}, "first_name", "Write the first name."),
        ({"phone": "(202) 555-0146"}, "phone", "This is what the record says already."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    desk: Client, treatment: Treatment, changes: dict[str, str], field: str, said: str
) -> None:
    page = desk.post(address_of(treatment), typed(**changes))
    assert said in " ".join(page.context["form"].errors[field])
    assert "Not saved yet. Nothing you typed is lost." in text_of(page)
    assert Patient.objects.get().phone == OLD


def test_the_number_is_read_back_in_groups_before_anything_is_saved(
    desk: Client, clinic: Clinic, treatment: Treatment
) -> None:
    make_patient(clinic=clinic, first_name="Devon", last_name="King", phone=NEW)
    _, page = read_back(desk, treatment)
    said = text_of(page)
    assert "<del>(202) 555-0146</del>" in said
    assert "<ins>(202) 555-0199</ins>" in said
    assert "Reached there already: <b>Devon King</b>" in said
    assert "Send the page to (202) 555-0199 now" in said
    assert Patient.objects.filter(phone=OLD).exists()
    assert not Note.objects.exists()


def test_what_was_typed_after_the_read_back_is_read_back_before_it_is_saved(
    desk: Client, treatment: Treatment
) -> None:
    sent, _ = read_back(desk, treatment)
    page = desk.post(address_of(treatment), sent | {"phone": "(202) 555-0177"})
    assert "<ins>(202) 555-0177</ins>" in text_of(page)
    assert Patient.objects.get().phone == OLD


# --- What follows ------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_what_was_planned_goes_to_the_new_number_with_a_link_that_opens(
    desk: Client, treatment: Treatment, provider: Phone, noon: time_machine.Traveller
) -> None:
    old = links.token_of(treatment)
    story = correct(desk, treatment)
    assert "Corrected, and the page goes once more" in story
    drain()
    noon.shift(timedelta(hours=1))
    drain()
    treatment.refresh_from_db()
    texts = provider.messages(NEW)
    assert len(texts) == 2
    assert all(links.address_of(treatment) in text["body"] for text in texts)
    assert provider.messages(OLD) == []
    assert Client().get(reverse("recovery-page", args=[old])).status_code == 404
    assert (
        Client().get(reverse("recovery-page", args=[links.token_of(treatment)])).status_code == 200
    )


def test_every_link_of_the_patient_is_closed_since_an_earlier_one_opens_the_newest_page(
    desk: Client, clinic: Clinic, treatment: Treatment
) -> None:
    earlier = log(patient=treatment.patient, treated_at=NOON - timedelta(days=40))
    tokens = [links.token_of(one) for one in (treatment, earlier)]
    assert all(links.find(token) for token in tokens[:1])
    correct(desk, treatment)
    assert [links.find(token) for token in tokens] == [None, None]


def test_the_link_stays_where_nothing_has_gone_to_the_old_number_or_the_desk_wants_it(
    desk: Client, treatment: Treatment
) -> None:
    token = links.token_of(treatment)
    sent, page = read_back(desk, treatment)
    assert "may belong to somebody else" in text_of(page)
    save(desk, treatment, without(sent, "close_link"))
    assert links.find(token) == treatment
    _, page = read_back(desk, treatment, phone="(202) 555-0177")  # nothing has gone to ...0199
    assert "may belong to somebody else" not in text_of(page)


def test_a_text_in_flight_has_the_link_with_it(desk: Client, clinic: Clinic) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    _, page = read_back(desk, treatment)
    assert "close_link" not in page.context["follows"].fields
    set_state(reminder_of(treatment, "handover"), State.SENDING)
    _, page = read_back(desk, treatment)
    assert page.context["follows"]["close_link"].value() is True


@pytest.mark.both_databases
def test_a_yes_to_texts_is_asked_anew_and_never_taken_over(
    desk: Client, treatment: Treatment
) -> None:
    sent, page = read_back(desk, treatment)
    assert "recovery" not in sent
    assert "without a yes nothing is sent there" in text_of(page)
    story = save(desk, treatment, sent)
    said = "Corrected, but the page was not sent: The patient has not agreed to this kind"
    assert said in story
    rows = treatment.reminders.filter(due_at__gt=NOON)
    assert {row.state for row in rows} == {State.SKIPPED}
    assert Skip.NO_CONSENT.value in {row.skip_reason for row in rows}
    latest = Consent.objects.filter(channel="sms", scope="recovery").latest("pk")
    assert (latest.given, latest.how) == (False, Consent.How.DESK)


def test_a_yes_by_email_stands_when_only_the_number_is_put_right(
    desk: Client, clinic: Clinic
) -> None:
    patient = make_patient(clinic=clinic, email="maria@example.org", channel=Channel.EMAIL)
    treatment = log(patient=patient, treated_at=NOON - timedelta(minutes=5))
    correct(desk, treatment, agrees=False, email="maria@example.org", channel="email")
    assert reminder_of(treatment, "day-2").state == State.PLANNED


def test_by_another_way_known_before_what_was_agreed_to_there_is_shown_and_stands(
    desk: Client, clinic: Clinic
) -> None:
    patient = make_patient(clinic=clinic, email="maria@example.org")
    treatment = log(patient=patient, treated_at=NOON - timedelta(minutes=5))
    same = {"phone": "(202) 555-0146", "email": "maria@example.org", "channel": "email"}
    sent, _ = read_back(desk, treatment, **same)
    assert (sent["recovery"], sent["rebooking"]) == ("on", "on")
    save(desk, treatment, sent)
    day_2 = treatment.reminders.filter(rule="day-2")
    assert day_2.get(channel="email").state == State.PLANNED
    assert day_2.get(channel="sms").skip_reason == Skip.OTHER_CHANNEL


@pytest.mark.both_databases
def test_a_stop_of_the_new_number_is_shown_and_holds_whatever_is_ticked(
    desk: Client, clinic: Clinic, treatment: Treatment
) -> None:
    stop(clinic, NEW)
    sent, page = read_back(desk, treatment)
    assert "This number has stopped our messages." in text_of(page)
    assert "Only Maria can start them" not in text_of(page)
    assert "Only Maria can start messages again" in text_of(page)
    story = save(desk, treatment, sent | {"recovery": "on"})
    assert "the page was not sent: The patient has stopped messages." in story
    assert reminder_of(treatment, "day-2").skip_reason == Skip.OPTED_OUT


def test_what_a_stop_of_the_old_number_held_back_is_planned_again(
    desk: Client, clinic: Clinic, treatment: Treatment
) -> None:
    stop(clinic, OLD)
    assert reminder_of(treatment, "day-2").state == State.SKIPPED
    correct(desk, treatment)
    assert reminder_of(treatment, "day-2").state == State.PLANNED


def test_the_failed_handover_goes_once_and_only_if_wanted(
    desk: Client, treatment: Treatment
) -> None:
    sent, _ = read_back(desk, treatment)
    sent |= {"recovery": "on"}
    save(desk, treatment, without(sent, "send_page"))
    assert treatment.reminders.filter(rule="handover").count() == 1
    sent, _ = read_back(desk, treatment, phone="(202) 555-0177")
    save(desk, treatment, sent | {"recovery": "on"})
    again = treatment.reminders.get(rule="handover", occurrence=2)
    assert (again.state, again.leaves_at) == (State.PLANNED, NOON)
    # A third number: what is planned goes there by itself.
    sent, page = read_back(desk, treatment, phone="(202) 555-0178")
    assert "send_page" not in page.context["follows"].fields
    save(desk, treatment, sent | {"recovery": "on", "send_page": "on"})
    assert treatment.reminders.filter(rule="handover").count() == 2


def test_at_night_the_page_waits_for_the_morning(
    desk: Client, treatment: Treatment, noon: time_machine.Traveller
) -> None:
    noon.move_to(NOON + timedelta(hours=11))
    desk.force_login(StaffUser.objects.get())
    correct(desk, treatment)
    again = treatment.reminders.get(rule="handover", occurrence=2)
    assert timezone.localtime(again.leaves_at, treatment.patient.tz).hour == 8


def test_what_the_old_number_had_is_not_shown_as_the_patient_having_it(
    desk: Client, treatment: Treatment
) -> None:
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    Attempt.objects.update(error_code="")
    sent, _ = read_back(desk, treatment)
    story = save(desk, treatment, without(sent, "send_page") | {"recovery": "on"})
    assert "Maria has the page" not in story
    assert "Not sent to the right one yet" in story
    assert "It went to •••• 0146, which has been corrected since." in story
    assert "Send again by text" in story


# --- Who did it, and what is kept --------------------------------------------------------------


def test_colleagues_read_what_was_corrected_and_the_trail_holds_no_value(
    desk: Client, treatment: Treatment
) -> None:
    story = correct(desk, treatment, first_name="Mariana")
    note = "Number corrected: •••• 0146 is now •••• 0199. Name corrected. The old link is closed."
    assert note in story
    assert "Note · Dana Ruiz, 12:00 pm today" in story
    assert "It has been corrected since." in story  # beside the failure
    acts = AuditRow.objects.filter(patient_id=treatment.patient_id, at__gte=NOON)
    rows = {row.act: row.about for row in acts}
    assert {AuditAct.DETAILS, AuditAct.CONSENT, AuditAct.LINK_REVOKED, AuditAct.SENT} <= set(rows)
    assert rows[AuditAct.DETAILS] == f"treatment {treatment.pk}: number, name"
    assert not any("0199" in about for about in rows.values())


def test_the_patient_is_found_by_the_new_number_and_not_by_the_old(
    desk: Client, clinic: Clinic, treatment: Treatment
) -> None:
    correct(desk, treatment)
    assert find_patients(clinic, "0199").patients == [treatment.patient]
    assert find_patients(clinic, "0146").patients == []


def test_an_erased_record_forgets_the_old_number_and_is_corrected_no_more(
    desk: Client, treatment: Treatment
) -> None:
    correct(desk, treatment)
    redact(treatment.patient_id, why=Erasure.Why.ASKED, now=NOON)
    assert set(Note.objects.values_list("text", flat=True)) == {""}
    assert set(Attempt.objects.values_list("to_address", flat=True)) == {""}
    assert desk.get(address_of(treatment)).status_code == 404


def test_a_wrong_email_is_put_right_in_the_same_way(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic, email="mario@example.org", channel=Channel.EMAIL)
    treatment = log(patient=patient)
    handover = set_state(reminder_of(treatment, "handover"), State.FAILED)
    make_attempt(handover, error_code="bounced")
    story = correct(
        desk, treatment, phone="(202) 555-0146", email="maria@example.net", channel="email"
    )
    assert "Email corrected: m•••@example.org is now m•••@example.net." in story
    assert treatment.reminders.get(rule="handover", occurrence=2).channel == "email"
    consents = Consent.objects.filter(patient=patient, how=Consent.How.DESK).order_by("-pk")[:2]
    assert {row.channel for row in consents} == {"email"}


def test_where_the_page_reached_somebody_else_the_concern_offers_it(
    desk: Client, clinic: Clinic, treatment: Treatment
) -> None:
    Concern.objects.create(
        clinic=clinic, patient=treatment.patient, kind=Concern.Kind.NOT_ME, opened_at=NOON
    )
    assert address_of(treatment) in text_of(desk.get(reverse("concerns")))


# --- Two at once, and twice --------------------------------------------------------------------


def test_pressed_twice_is_one_change(desk: Client, treatment: Treatment) -> None:
    sent, _ = read_back(desk, treatment)
    sent |= {"recovery": "on"}
    save(desk, treatment, sent)
    told = save(desk, treatment, sent)
    assert "The record says so already: nothing was changed twice." in told
    assert Note.objects.count() == 1
    assert treatment.reminders.filter(rule="handover").count() == 2
    treatment.refresh_from_db()
    assert treatment.link_generation == 2


def test_whoever_comes_second_is_told_what_the_record_says_now(
    desk: Client, treatment: Treatment, clinic: Clinic
) -> None:
    sent, _ = read_back(desk, treatment)
    other = Client()
    other.force_login(make_staff(clinic=clinic, role=Role.NURSE))
    correct(other, treatment, phone="(202) 555-0177")
    page = desk.post(address_of(treatment), sent | {"recovery": "on"})
    told = "A colleague has just changed this record: Maria Gomez, (202) 555-0177, no email."
    assert told in text_of(page)
    assert "<del>(202) 555-0177</del>" in text_of(page)
    assert Patient.objects.get().phone == "+12025550177"
    seen = {"record": page.context["record"]}
    save(desk, treatment, sent | seen | {"recovery": "on"})
    assert Patient.objects.get().phone == NEW


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("numbers", [("0199", "0199"), ("0199", "0177")])
def test_of_two_who_save_at_one_moment_one_changes_it_and_the_other_is_told(
    numbers: tuple[str, str],
) -> None:
    treatment = log(patient=make_patient(clinic=make_clinic()))
    desks = desks_of(treatment.patient.clinic)
    forms = [
        read_back(desk, treatment, phone=f"(202) 555-{number}")[0] | {"recovery": "on"}
        for desk, number in zip(desks, numbers, strict=True)
    ]
    first, second = (
        (lambda desk=desk, form=form: desk.post(address_of(treatment), form))
        for desk, form in zip(desks, forms, strict=True)
    )
    answers = at_once(first, second)
    assert Note.objects.count() == 1
    if numbers[0] == numbers[1]:
        assert [answer.status_code for answer in answers] == [302, 302]
    else:
        assert sorted(answer.status_code for answer in answers) == [200, 302]
        told = next(answer for answer in answers if answer.status_code == 200)
        assert "A colleague has just changed this record" in text_of(told)


def test_another_clinics_patient_cannot_be_corrected(treatment: Treatment, desk: Client) -> None:
    sent, _ = read_back(desk, treatment)
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    stranger = Client()
    stranger.force_login(make_staff(clinic=other, role=Role.ADMIN))
    assert stranger.get(address_of(treatment)).status_code == 404
    assert stranger.post(address_of(treatment), sent).status_code == 404
    assert Patient.objects.get().phone == OLD


def test_what_waits_goes_by_the_record_at_the_claim_and_what_is_in_flight_does_not(
    desk: Client, clinic: Clinic
) -> None:
    treatment = log(patient=make_patient(clinic=clinic))
    handover = set_state(reminder_of(treatment, "handover"), State.SENDING)
    flying = make_attempt(handover, outcome=Attempt.Outcome.OPEN)
    correct(desk, treatment)
    flying.refresh_from_db()
    handover.refresh_from_db()
    assert (flying.to_address, handover.state) == (OLD, State.SENDING)
    assert Reminder.objects.filter(again_of=handover).count() == 0
