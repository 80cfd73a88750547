"""A record ends: after the clinic's period or on request nothing tells who it was, nowhere."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from patients import links
from patients.acts import answer as answer_check_in
from patients.acts import report_signs
from patients.models import (
    AuditRow,
    Clinic,
    Consent,
    Correction,
    Erasure,
    ImportFile,
    ImportRow,
    LegalHold,
    OptOut,
    Patient,
    Reading,
    StaffUser,
    Treatment,
)
from patients.models.clinic import Role
from patients.models.patient import hidden, stopped_addresses
from patients.protocol import TierAction
from reminders.finding import find_patients
from reminders.inbox import receive_text
from reminders.models import Attempt, Concern, InboundText, Note, Reminder, State, Task
from reminders.optouts import stop
from reminders.page_acts import take_up
from reminders.redaction import NotErased, redact
from reminders.retention import months_before, redact_due
from reminders.tasks import forget
from tests.builders import (
    log,
    make_attempt,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
)
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of

NUMBER, OLD_NUMBER, EMAIL = "+12025550188", "+12025550189", "wren.q@quill.example"
TRACES = ("wren", "quillfeather", "2025550188", "2025550189", "555-0188", EMAIL)


@pytest.fixture
def nurse(clinic: Clinic) -> StaffUser:
    return make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks")


@pytest.fixture
def lead(noon: time_machine.Traveller, clinic: Clinic, client: Client) -> Client:
    client.force_login(make_staff(clinic=clinic, role=Role.LEAD, name="Helen Park"))
    return client


@pytest.fixture
def told(noon: time_machine.Traveller, clinic: Clinic, nurse: StaffUser) -> Treatment:
    """A patient of whom everything is told that can be, her name and numbers in all of it."""
    patient = make_patient(
        clinic=clinic, first_name="Wren", last_name="Quillfeather", phone=OLD_NUMBER, email=EMAIL
    )
    treatment = log(patient=patient, treated_at=NOON - timedelta(hours=2), by=nurse)
    _messages(treatment)
    patient.phone = NUMBER
    patient.save()
    _from_the_patient(treatment, clinic)
    _from_the_staff(treatment, nurse)
    _from_lists(clinic, nurse)
    return treatment


def _messages(treatment: Treatment) -> None:
    handover = set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    make_attempt(handover, body="Dear Wren Quillfeather, your page.", provider_id="SM1")
    Reminder.objects.filter(pk=handover.pk).update(words="Wren, call us.")
    doubted = set_state(reminder_of(treatment, "cleanse"), State.UNKNOWN)
    make_attempt(doubted, body="Wren: wash now.", outcome=Attempt.Outcome.UNKNOWN)
    Attempt.objects.update(look_at=NOON)


def _from_the_patient(treatment: Treatment, clinic: Clinic) -> None:
    for number, sender in enumerate((NUMBER, OLD_NUMBER)):
        receive_text(
            provider_id=f"SM2{number}", sender=sender, recipient=clinic.sms_sender.as_e164,
            body=f"Wren Quillfeather here, {EMAIL}, it itches",
        )  # fmt: skip
    report_signs(treatment=treatment, tier=TierAction.CALL_CLINIC, signs=["weak"], now=NOON)
    answer_check_in(
        treatment=treatment, rule="day-3", feels_normal=False, trend="worse", wants_call=True,
        now=NOON,
    )  # fmt: skip
    Reading.objects.create(treatment=treatment, read_at=NOON)
    take_up(now=NOON)
    stop(clinic, NUMBER)
    stop(clinic, EMAIL, channel="email")


def _from_the_staff(treatment: Treatment, nurse: StaffUser) -> None:
    patient, clinic = treatment.patient, treatment.patient.clinic
    Note.objects.create(patient=patient, text="Wren sounded well", by=nurse, written_at=NOON)
    Task.objects.create(
        clinic=clinic, patient=patient, text=f"Call Wren at {NUMBER}", owner=nurse,
        due_at=NOON, made_by=nurse, made_at=NOON,
    )  # fmt: skip
    Concern.objects.create(
        clinic=clinic, patient=patient, kind=Concern.Kind.TEXT, detail="Wren wrote",
        opened_at=NOON, closed_at=NOON, closed_by=nurse, closed_reason="Other: Wren came by",
    )  # fmt: skip
    Correction.objects.create(
        treatment=treatment, old_treated_at=NOON, new_treated_at=NOON, corrected_by=nurse,
        reason="Wren said so", corrected_at=NOON,
    )  # fmt: skip
    Consent.objects.filter(patient=patient).update(source="Sheet of Wren Quillfeather")
    Treatment.objects.update(void_reason="Wren was somebody else")


def _from_lists(clinic: Clinic, nurse: StaffUser) -> None:
    file = ImportFile.objects.create(
        clinic=clinic, name="Wren Quillfeather.csv", digest="1", uploaded_at=NOON,
        uploaded_by=nurse, header=["First", "Last", "Mobile", "Email"], state="done", done_at=NOON,
    )  # fmt: skip
    for number, cells in enumerate((
        ["Wren", "Quillfeather", "1", ""],
        ["W.", "Q.", "(202) 555-0188", ""],
        ["", "", "", EMAIL.upper()],
        ["Ada", "Bell", "2025550177", ""],
    )):  # fmt: skip
        ImportRow.objects.create(file=file, number=number, cells=cells, problem="Too short")


def traces() -> list[str]:
    """Every cell of every table that still tells who it was."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            heads = [one[0] for one in cursor.description or ()]
            for row in cursor.fetchall():
                for head, value in zip(heads, row, strict=True):
                    said = value.tobytes() if isinstance(value, memoryview) else value
                    said = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
                    plain = said.lower()
                    if any(one in plain for one in TRACES):
                        found.append(f"{table}.{head}: {said[:60]}")
    return found


def after(treatment: Treatment, **more: int) -> datetime:
    """A day after the clinic's 24 months since the last step."""
    last = treatment.link_expires_at - links.EXPIRES_AFTER_LAST_STEP
    return last.replace(year=last.year + 2) + timedelta(days=1, **more)


@pytest.mark.both_databases
def test_before_the_period_is_over_nothing_is_touched(told: Treatment) -> None:
    kinds = {one.partition(":")[0] for one in traces()}
    assert redact_due(now=after(told) - timedelta(days=2)) == 0
    assert kinds - {one.partition(":")[0] for one in traces()} == {"patients_importrow.cells"}
    assert {
        "patients_patient.first_name", "patients_patient.search_text", "patients_patient.phone",
        "patients_optout.address", "patients_consent.source", "patients_correction.reason",
        "patients_treatment.void_reason", "patients_importrow.cells", "patients_importfile.name",
        "reminders_attempt.to_address", "reminders_attempt.body", "reminders_reminder.words",
        "reminders_inboundtext.body", "reminders_inboundtext.from_address",
        "reminders_note.text", "reminders_task.text", "reminders_concern.detail",
        "reminders_concern.closed_reason",
    } <= kinds  # fmt: skip


@pytest.mark.both_databases
def test_after_the_period_nothing_in_any_table_tells_who_it_was(
    told: Treatment, noon: time_machine.Traveller
) -> None:
    token = links.token_of(told)
    noon.move_to(after(told))
    forget()
    assert traces() == []
    assert links.find(token) is None
    erasure = Erasure.objects.get()
    assert (erasure.patient_id, erasure.why, erasure.erased_by) == (told.patient_id, "period", None)
    row = AuditRow.objects.get(act="redacted")
    assert (row.patient_id, row.role, row.user) == (told.patient_id, "system", None)
    assert AuditRow.objects.filter(act="link revoked", patient=told.patient_id).count() == 1


@pytest.mark.both_databases
def test_the_figures_of_the_ledger_stay(told: Treatment) -> None:
    def figures() -> list[Any]:
        return [
            list(Reminder.objects.order_by("pk").exclude(state="planned").values_list(
                "rule", "channel", "state", "state_at", "due_at")),
            list(Attempt.objects.order_by("pk").values_list("called_at", "outcome")),
            list(Consent.objects.order_by("pk").values_list("scope", "given", "recorded_at")),
            list(told.reports.values_list("tier", "signs")),
            list(told.check_ins.values_list("feels_normal", "trend")),
            InboundText.objects.count(), Note.objects.count(), Reading.objects.count(),
        ]  # fmt: skip

    before = figures()
    redact(told.patient_id, why=Erasure.Why.PERIOD, now=after(told))
    assert [have[: len(had)] if isinstance(had, list) else have
            for have, had in zip(figures(), before, strict=True)] == before  # fmt: skip
    assert not Reminder.objects.filter(state=State.PLANNED).exists()
    assert not Concern.objects.filter(closed_at=None).exists()
    assert not Task.objects.filter(done_at=None).exists()


@pytest.mark.both_databases
def test_a_stop_holds_when_the_number_comes_back(told: Treatment, clinic: Clinic) -> None:
    redact(told.patient_id, why=Erasure.Why.PERIOD, now=after(told))
    assert set(OptOut.objects.values_list("address", flat=True)) == {hidden(NUMBER), hidden(EMAIL)}
    again = make_patient(clinic=clinic, phone=NUMBER, email=EMAIL)
    assert stopped_addresses([clinic.pk], [NUMBER, EMAIL]) == {
        (clinic.pk, "sms", NUMBER), (clinic.pk, "email", EMAIL),
    }  # fmt: skip
    treatment = log(patient=again)
    assert reminder_of(treatment, "handover").skip_reason == "opted out"
    receive_text(
        provider_id="SM9", sender=NUMBER, recipient=clinic.sms_sender.as_e164, body="START"
    )
    assert stopped_addresses([clinic.pk], [NUMBER]) == set()


@pytest.mark.both_databases
def test_she_is_found_by_nothing_any_more(told: Treatment, clinic: Clinic) -> None:
    assert find_patients(clinic, "quillf").patients
    redact(told.patient_id, why=Erasure.Why.PERIOD, now=after(told))
    for typed in ("wren", "quillf", "0188", EMAIL, "quilfeather"):
        found = find_patients(clinic, typed)
        assert [*found.patients, *found.almost] == []


@pytest.mark.both_databases
def test_what_another_patient_shares_stays_with_that_patient(
    told: Treatment, clinic: Clinic
) -> None:
    sister = make_patient(clinic=clinic, first_name="Lark", last_name="Bell", phone=NUMBER)
    sender = clinic.sms_sender.as_e164
    receive_text(provider_id="SM8", sender=NUMBER, recipient=sender, body="It burns")
    redact(told.patient_id, why=Erasure.Why.PERIOD, now=after(told))
    sister.refresh_from_db()
    assert sister.phone.as_e164 == NUMBER
    assert OptOut.objects.filter(address=NUMBER).exists()
    assert InboundText.objects.get(from_address=NUMBER).body == "It burns"  # on both records
    assert not InboundText.objects.filter(from_address=OLD_NUMBER).exists()
    assert sister.treatments.count() == 0
    redact(sister.pk, why=Erasure.Why.ASKED, now=after(told))
    assert [one for one in traces() if "0188" in one] == []


@pytest.mark.both_databases
def test_rows_of_lists_that_are_somebody_elses_stay_until_their_own_time(
    told: Treatment, noon: time_machine.Traveller
) -> None:
    redact(told.patient_id, why=Erasure.Why.PERIOD, now=NOON)
    assert [row.cells[0] for row in ImportRow.objects.all()] == ["Ada"]
    redact_due(now=NOON + timedelta(days=29))
    assert ImportRow.objects.count() == 1
    redact_due(now=NOON + timedelta(days=31))
    assert ImportRow.objects.count() == 0


@pytest.mark.both_databases
def test_a_hold_keeps_the_record_whole(told: Treatment, nurse: StaffUser) -> None:
    hold = LegalHold.objects.create(
        patient=told.patient, why=LegalHold.Why.COMPLAINT, set_by=nurse, set_at=NOON
    )
    assert redact_due(now=after(told)) == 0
    with pytest.raises(NotErased, match="on hold"):
        redact(told.patient_id, why=Erasure.Why.ASKED, now=NOON, by=nurse)
    assert traces()
    hold.lifted_at = NOON
    hold.save()
    assert redact_due(now=after(told)) == 1


@pytest.mark.both_databases
def test_while_a_message_leaves_the_record_waits(told: Treatment) -> None:
    set_state(reminder_of(told, "day-2"), State.SENDING)
    with pytest.raises(NotErased, match="leaving"):
        redact(told.patient_id, why=Erasure.Why.PERIOD, now=NOON)
    assert Patient.objects.get().last_name == "Quillfeather"
    assert redact_due(now=after(told)) == 0


def test_a_later_treatment_counts_and_a_clinic_may_keep_everything(
    told: Treatment, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    clinic.keep_months = 0
    clinic.save()
    assert redact_due(now=after(told)) == 0
    clinic.keep_months = 24
    clinic.save()
    noon.move_to(NOON + timedelta(days=300))
    log(patient=told.patient)
    assert redact_due(now=after(told)) == 0
    assert redact_due(now=after(told) + timedelta(days=301)) == 1


def test_one_record_that_fails_holds_back_no_other(
    told: Treatment, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_patient(clinic=clinic, first_name="Ada", last_name="Bell", phone="+12025550177")
    log(patient=other, treated_at=NOON)
    from reminders import retention

    def fails_for_one(patient: int, **more: Any) -> Erasure:
        if patient == told.patient_id:
            raise ValueError("broken")
        return redact(patient, **more)

    monkeypatch.setattr(retention, "redact", fails_for_one)
    assert redact_due(now=after(told) + timedelta(days=1)) == 1
    assert Erasure.objects.get().patient_id == other.pk


def test_it_is_done_once(told: Treatment) -> None:
    assert redact_due(now=after(told)) == 1
    assert redact_due(now=after(told)) == 0
    assert Erasure.objects.count() == 1


@pytest.mark.parametrize(
    ("now", "months", "before"),
    [
        ((2028, 11, 26), 24, (2026, 11, 26)),
        ((2028, 2, 29), 12, (2027, 2, 28)),
        ((2027, 3, 31), 1, (2027, 2, 28)),
        ((2027, 1, 15), 1, (2026, 12, 15)),
        ((2027, 12, 1), 12, (2026, 12, 1)),
    ],
)
def test_months_are_counted_by_the_calendar(
    now: tuple[int, int, int], months: int, before: tuple[int, int, int]
) -> None:
    assert months_before(datetime(*now, tzinfo=UTC), months) == datetime(*before, tzinfo=UTC)


# --- Handing out and erasing, as a lead does it --------------------------------------------------


def test_all_that_is_kept_of_a_person_is_handed_out_as_a_file(
    told: Treatment, lead: Client
) -> None:
    response = lead.get(reverse("person-json", args=[told.patient_id]))
    name = f"record-{told.patient_id}.json"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    data = json.loads(response.content)
    assert data["person"][0] | {"since": ""} == {
        "record": told.patient_id, "first_name": "Wren", "last_name": "Quillfeather",
        "mobile": NUMBER, "email": EMAIL, "messages_by": "Text message", "language": "en",
        "time_zone": "America/Chicago", "detailed_wording": False, "since": "",
        "clinic": "Lakeside Skin Clinic",
    }  # fmt: skip
    assert data["calls"][0]["body"] == "Dear Wren Quillfeather, your page."
    assert {one["from_address"] for one in data["texts"]} == {NUMBER, OLD_NUMBER}
    assert data["notes"][0]["text"] == "Wren sounded well"
    assert {one["channel"] for one in data["stops"]} == {"sms", "email"}
    for part in ("consents", "treatments", "corrections", "read", "check_ins", "warning_signs",
                 "messages", "receipts", "concerns", "tasks"):  # fmt: skip
        assert data[part], part
    assert links.token_of(told) not in response.content.decode()


def test_the_same_can_be_read_on_a_page(told: Treatment, lead: Client) -> None:
    page = text_of(lead.get(reverse("person-data", args=[told.patient_id])))
    for said in ("All that is kept of Wren Quillfeather", NUMBER, EMAIL, "Wren sounded well",
                 "Dear Wren Quillfeather, your page.", "it itches"):  # fmt: skip
        assert said in page
    assert AuditRow.objects.filter(act="person", patient=told.patient_id).count() == 1


def test_a_lead_erases_a_record_by_its_last_name_and_with_a_reason(
    told: Treatment, lead: Client
) -> None:
    address = reverse("erase", args=[told.patient_id])
    assert "What stays, and why" in text_of(lead.get(address))
    wrong = text_of(lead.post(address, {"why": "asked", "last_name": "Gomez"}))
    assert "That is not this patient’s last name." in wrong
    assert "Say why" in text_of(lead.post(address, {"last_name": "quillfeather"}))
    assert Patient.objects.get().last_name == "Quillfeather"
    answer = lead.post(address, {"why": "asked", "last_name": "quillfeather"}, follow=True)
    assert "The record is erased." in text_of(answer)
    assert traces() == []
    erasure = Erasure.objects.select_related("erased_by").get()
    assert (erasure.why, str(erasure.erased_by)) == ("asked", "Helen Park")
    row = AuditRow.objects.get(act="erased")
    assert (row.role, row.about) == ("lead", "asked")
    story = text_of(lead.get(reverse("story", args=[told.pk])))
    assert f"Erased no. {told.patient_id}" in story
    assert "This record was erased" in story
    for act in ("Answer by text", "Send it by email", "Correct the time", "Copy the link", "Task<"):
        assert act not in story
    assert lead.get(reverse("desk-returning", args=[told.patient_id])).status_code == 404
    mailed = {"email": "wren@new.example", "agreed": "on"}
    told.reminders.filter(rule="handover").update(not_after=NOON + timedelta(hours=1))
    by_email = lead.post(reverse("story-email", args=[told.pk]), mailed, follow=True)
    assert "This record has been erased." in text_of(by_email)
    assert traces() == []
    assert "by Helen Park: the patient asked for it" in text_of(lead.get(address))


def test_a_lead_puts_a_record_on_hold_and_lifts_it(told: Treatment, lead: Client) -> None:
    address, hold = (reverse(name, args=[told.patient_id]) for name in ("erase", "hold"))
    assert "Say why it must stay whole." in text_of(lead.post(hold))
    lead.post(hold, {"hold": "complaint"})
    lead.post(hold, {"hold": "incident"})
    page = text_of(lead.get(address))
    assert "a complaint or claim is open" in page
    assert "Erase this record for good" not in page
    refused = lead.post(address, {"why": "asked", "last_name": "quillfeather"})
    assert Erasure.objects.count() == 0
    assert refused.status_code == 200
    lead.post(hold, {"lift": ""})
    assert LegalHold.objects.get().lifted_at is not None
    assert "Erase this record for good" in text_of(lead.get(address))
    acts = AuditRow.objects.filter(act__in=["held", "hold lifted"]).values_list("act", flat=True)
    assert list(acts) == ["held", "hold lifted"]


def test_another_clinics_record_is_nobodys_to_hand_out(told: Treatment, client: Client) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    client.force_login(make_staff(clinic=other, role=Role.ADMIN))
    for name in ("person-data", "person-json", "erase"):
        assert client.get(reverse(name, args=[told.patient_id])).status_code == 404


# --- Reading the trail ---------------------------------------------------------------------------


def test_the_trail_is_read_by_record_by_colleague_and_by_act(
    told: Treatment, lead: Client, nurse: StaffUser
) -> None:
    lead.get(reverse("story", args=[told.pk]))
    lead.get(reverse("board"))
    everything = text_of(lead.get(reverse("audit")))
    for said in ("Helen Park", "Opened the record", "Looked at the board", "Imani Brooks",
                 "Logged a treatment", "the patient", "Stopped messages"):  # fmt: skip
        assert said in everything
    of_record = text_of(lead.get(reverse("audit"), {"patient": told.patient_id}))
    assert "Opened the record" in of_record
    assert "Looked at the board" in of_record
    rows = of_record.split('class="audit-rows')[1]
    assert "Signed in" not in rows
    of_nurse = text_of(lead.get(reverse("audit"), {"user": nurse.pk})).split("audit-rows")[1]
    assert "Logged a treatment" in of_nurse
    assert "Helen Park" not in of_nurse
    by_act = text_of(lead.get(reverse("audit"), {"act": "board"})).split("audit-rows")[1]
    assert "Looked at the board" in by_act
    assert "Opened the record" not in by_act
    assert AuditRow.objects.filter(act="trail").count() == 4  # reading it leaves rows, too


def test_another_clinics_trail_is_not_in_it(told: Treatment, client: Client) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    client.force_login(make_staff(clinic=other, role=Role.ADMIN, name="Omar Haddad"))
    page = text_of(client.get(reverse("audit"), {"patient": told.patient_id}))
    assert "Nothing of this kind has happened." in page
    assert "Imani" not in page


@pytest.mark.parametrize("typed", ["abc", "-1", "9" * 40, "1 or 1=1", "²", ""])
def test_nonsense_in_the_address_of_the_trail_asks_for_everything(
    told: Treatment, lead: Client, typed: str
) -> None:
    wanted = {"patient": typed, "user": typed, "act": typed, "before": typed}
    assert "Logged a treatment" in text_of(lead.get(reverse("audit"), wanted))


def test_the_trail_is_paged_by_its_own_numbers(told: Treatment, lead: Client) -> None:
    for _ in range(60):
        lead.get(reverse("figures"))
        lead.get(reverse("story", args=[told.pk]))
    first = lead.get(reverse("audit"))
    assert len(first.context["trail"].lines) == 50
    earlier = re.search(r'href="\?(before=\d+)"', first.content.decode())
    assert earlier is not None
    second = lead.get(reverse("audit") + "?" + earlier[1])
    shown = [line.what for line in second.context["trail"].lines]
    assert "Logged a treatment" in shown
    assert "Latest" in text_of(second)


def test_the_trail_as_a_file_has_no_patients_name_and_no_live_formula(
    told: Treatment, lead: Client, nurse: StaffUser
) -> None:
    nurse.name = '=HYPERLINK("http://evil.example")'
    nurse.save()
    lead.get(reverse("board"))
    response = lead.get(reverse("audit-csv"), {"patient": told.patient_id})
    text = response.getvalue().decode("utf-8-sig")
    assert "Looked at the board" in text
    assert "Quillfeather" not in text
    assert "'=HYPERLINK" in text
    assert re.search(r'(^|,|")=', text, re.M) is None


@pytest.mark.parametrize("role", [Role.DESK, Role.NURSE])
def test_the_story_leads_only_those_who_answer_for_the_clinic_to_the_trail(
    told: Treatment, client: Client, role: Role
) -> None:
    user = make_staff(clinic=told.patient.clinic, role=role, email="one@lakeside.example")
    client.force_login(user)
    assert "Who opened this record" not in text_of(client.get(reverse("story", args=[told.pk])))
    StaffUser.objects.filter(pk=user.pk).update(role=Role.LEAD)
    assert "Who opened this record" in text_of(client.get(reverse("story", args=[told.pk])))


def test_the_clinics_admin_sets_how_long_records_are_kept(
    told: Treatment, client: Client, clinic: Clinic
) -> None:
    client.force_login(make_staff(clinic=clinic, role=Role.ADMIN))
    form = client.get(reverse("clinic")).context["form"]
    typed = {one.html_name: one.value() or "" for one in form if one.name != "meant"}
    assert typed["keep_months"] == 24
    answer = client.post(reverse("clinic"), typed | {"keep_months": "36", "meant": "on"})
    assert answer.status_code == 302
    clinic.refresh_from_db()
    assert clinic.keep_months == 36
