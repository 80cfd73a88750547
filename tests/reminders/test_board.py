"""The board: who got which reminders, of one clinic, at the same price for 3 patients and 300."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from patients.acts import report_signs
from patients.models import Clinic, Patient, Reading, StaffUser, Treatment
from patients.models.clinic import Role
from patients.models.patient import Channel
from patients.protocol import TierAction
from reminders import changes, grid, heartbeat
from reminders.amending import correct_time
from reminders.asking import SOON
from reminders.changes import EVERY
from reminders.grid import PAGE, Board
from reminders.models import Circuit, Concern, Reminder, State, Task
from reminders.optouts import stop
from reminders.page_acts import take_up
from reminders.state_words import CONCERN, EMERGENCY, URGENT
from tests.builders import (
    PASSWORD,
    log,
    make_clinic,
    make_patient,
    make_staff,
    reminder_of,
    set_state,
    void,
)
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import text_of

# session, user, clinic; concerns, other trouble; the span, a page of it, its reminders; the audit
# row; what is refused; the mark of changes. Of several patients also whether they are a known group
QUERIES = 11


@pytest.fixture
def nurse(noon: time_machine.Traveller, clinic: Clinic, client: Client) -> Client:
    cache.clear()
    client.force_login(make_staff(clinic=clinic, role=Role.NURSE, name="Imani Brooks"))
    return client


def board_of(nurse: Client, query: str = "") -> Board:
    board = nurse.get(reverse("board") + query).context["board"]
    assert isinstance(board, Board)
    return board


def treated(clinic: Clinic, name: str, hours_ago: float, **more: Any) -> Treatment:
    at = NOON - timedelta(hours=hours_ago)
    return log(patient=make_patient(clinic=clinic, first_name=name, **more), treated_at=at)


def cell(board: Board, column: str, row: int = 0) -> tuple[str, str, str]:
    shown = board.rows[row].cells[[one.name for one in board.columns].index(column)]
    assert shown is not None
    return shown.look.word, shown.when, shown.channel


@pytest.mark.parametrize(
    ("patients", "queries"), [(1, QUERIES), (3, QUERIES + 1), (300, QUERIES + 1)]
)
def test_the_board_costs_the_same_number_of_queries_for_any_number_of_patients(
    nurse: Client,
    clinic: Clinic,
    patients: int,
    queries: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first = treated(clinic, "Maria", 1)
    _copy(first, patients - 1)
    board_of(nurse)  # the plan's text is read once a process
    cache.clear()
    with django_assert_num_queries(queries):
        board = board_of(nurse)
    assert len(board.rows) == min(patients, PAGE)
    assert board.page.paginator.count == patients


def _copy(treatment: Treatment, times: int) -> None:
    """As many more patients with the same plan, in three inserts."""
    patients = Patient.objects.bulk_create(
        Patient(clinic_id=treatment.patient.clinic_id, first_name="Ana", last_name=str(number))
        for number in range(times)
    )
    rows = Treatment.objects.bulk_create(
        Treatment(
            patient=patient,
            version=treatment.version,
            treated_at=treatment.treated_at,
            session=treatment.session,
            logged_at=treatment.logged_at,
            link_hash=patient.pk.to_bytes(32),
            link_expires_at=treatment.link_expires_at,
        )
        for patient in patients
    )
    plan = list(treatment.reminders.all())
    copies = []
    for row in rows:
        for reminder in plan:
            values = {f.attname: getattr(reminder, f.attname) for f in reminder._meta.fields}
            copies.append(type(reminder)(**values | {"id": None, "treatment_id": row.pk}))
    type(plan[0]).objects.bulk_create(copies)


def test_a_row_shows_every_reminder_of_the_plan_with_state_time_and_channel(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 2)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    board = board_of(nurse)
    names = [column.name for column in board.columns]
    assert names[:4] == ["Handover", "1 hour", "Gentle wash", "Day 2"]
    assert cell(board, "Handover") == ("Delivered", "10:00 am", "sms")
    assert cell(board, "Gentle wash") == ("Planned", "4:00 pm", "sms")
    assert cell(board, "Day 2") == ("Planned", "Tue 9:00 am", "sms")
    assert cell(board, "Maintenance") == ("Skipped", "other session", "")


def test_what_went_by_email_says_so(nurse: Client, clinic: Clinic) -> None:
    treatment = treated(clinic, "Grace", 2, channel=Channel.EMAIL, email="grace@example.org")
    set_state(reminder_of(treatment, "handover"), State.SENT)
    assert cell(board_of(nurse), "Handover") == ("Sent", "10:00 am", "email")
    assert "by email" in text_of(nurse.get(reverse("board")))


def test_concerns_come_first_then_failures_then_the_unseen_then_the_latest(
    nurse: Client, clinic: Clinic
) -> None:
    failed, unseen, asked = (
        treated(clinic, "Devon", 30),
        treated(clinic, "Uma", 40),
        treated(clinic, "Tom", 50),
    )
    treated(clinic, "Maria", 1)
    treated(clinic, "Ana", 5)
    set_state(reminder_of(failed, "handover"), State.FAILED)
    set_state(reminder_of(unseen, "handover"), State.DELIVERED)
    worry(asked)
    board = board_of(nurse)
    assert [row.name.split()[0] for row in board.rows] == ["Tom", "Devon", "Uma", "Maria", "Ana"]
    asks = [row.asks.word if row.asks else "" for row in board.rows]
    assert asks == ["Concern", "", "Not seen", "", ""]


def test_an_emergency_is_told_from_a_plain_text_in_its_row_among_the_counters_and_in_the_order(
    nurse: Client, clinic: Clinic
) -> None:
    asked, paged, burning = (treated(clinic, name, 3) for name in ("Tom", "Pia", "Eve"))
    worry(asked)
    assert "emergencies" not in counts(nurse)  # said only while there is one
    for treatment, tier in ((paged, TierAction.PAGE_NURSE), (burning, TierAction.EMERGENCY)):
        report_signs(treatment=treatment, tier=tier, signs=["pus"], now=NOON)
    take_up(now=NOON)
    board = board_of(nurse)
    shown = [(row.name.split()[0], row.asks) for row in board.rows]
    assert shown == [("Eve", EMERGENCY), ("Pia", URGENT), ("Tom", CONCERN)]
    looks = {(look.word, look.icon, look.tone) for _, look in shown if look}
    assert len(looks) == len({word for word, *_ in looks}) == 3
    assert [(one.words, one.number) for one in board.counters[:2]] == [
        ("emergency", 1),
        ("concerns open", 3),
    ]
    assert [row.name for row in board_of(nurse, "?show=emergencies").rows] == ["Eve Gomez"]
    Concern.objects.update(closed_at=NOON)
    assert "Nobody has an emergency open." in text_of(
        nurse.get(reverse("board") + "?show=emergencies")
    )


def test_whoever_has_an_emergency_and_another_concern_has_an_emergency(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Eve", 3)
    for tier in (TierAction.EMERGENCY, TierAction.PAGE_NURSE):
        report_signs(treatment=treatment, tier=tier, signs=["pus"], now=NOON)
    take_up(now=NOON)
    worry(treatment)
    assert board_of(nurse).rows[0].asks == EMERGENCY
    assert counts(nurse)["emergencies"] == counts(nurse)["concerns"] == 1


def worry(treatment: Treatment, **more: Any) -> Concern:
    return Concern.objects.create(
        clinic=treatment.patient.clinic,
        patient=treatment.patient,
        kind=Concern.Kind.TEXT,
        opened_at=NOON,
        **more,
    )


def test_i_have_read_this_is_the_best_a_handover_can_reach(nurse: Client, clinic: Clinic) -> None:
    treatment = treated(clinic, "Maria", 30)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    assert counts(nurse)["unseen"] == 1
    Reading.objects.create(treatment=treatment, read_at=NOON - timedelta(hours=1))
    assert counts(nurse)["unseen"] == 0
    assert cell(board_of(nurse), "Handover") == ("Seen", "11:00 am", "sms")


def counts(nurse: Client) -> dict[str, int]:
    return {counter.key: counter.number for counter in board_of(nurse).counters}


def test_a_handover_of_less_than_12_hours_ago_is_not_yet_unseen(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 13)
    handover = reminder_of(treatment, "handover")
    set_state(handover, State.DELIVERED, at=NOON - timedelta(hours=11, minutes=59))
    assert counts(nurse)["unseen"] == 0
    set_state(handover, State.DELIVERED, at=NOON - timedelta(hours=12))
    assert counts(nurse)["unseen"] == 1


def test_what_failed_and_then_went_another_way_asks_for_nothing(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Devon", 3, email="devon@example.org")
    failed = set_state(reminder_of(treatment, "handover"), State.FAILED)
    assert counts(nurse)["failed"] == 1
    values = {f.attname: getattr(failed, f.attname) for f in failed._meta.fields}
    again = Reminder(**values | {"id": None, "channel": "email", "state": State.SENT})
    again.save()
    assert counts(nurse)["failed"] == 0
    assert cell(board_of(nurse), "Handover") == ("Sent", "9:00 am", "email")


def test_a_concern_of_a_number_nobody_has_is_named_above_the_rows(
    nurse: Client, clinic: Clinic
) -> None:
    Concern.objects.create(clinic=clinic, kind=Concern.Kind.TEXT, opened_at=NOON)
    treated(clinic, "Maria", 1)
    assert board_of(nurse).strangers == 1
    assert counts(nurse)["concerns"] == 0
    assert "1 from a number we do not know" in text_of(nurse.get(reverse("board")))


def test_a_concern_of_a_patient_without_a_treatment_is_named_above_the_rows(
    nurse: Client, clinic: Clinic
) -> None:
    """Taken from a list, or the only treatment was logged for somebody else and voided."""
    voided = treated(clinic, "Ruth", 2)
    Treatment.objects.filter(pk=voided.pk).update(voided_at=NOON)
    Concern.objects.create(
        clinic=clinic, patient=voided.patient, kind=Concern.Kind.TEXT, opened_at=NOON
    )
    treated(clinic, "Maria", 1)
    assert counts(nurse)["concerns"] == 0
    assert "1 with a concern and no treatment here" in text_of(nurse.get(reverse("board")))


def test_what_changes_while_the_board_is_read_is_offered(
    nurse: Client, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the rows and the answer somebody else's change is committed."""
    treatment = treated(clinic, "Maria", 1)
    rows = grid.board

    def and_then(*args: Any, **options: Any) -> Board:
        read = rows(*args, **options)
        Reading.objects.create(treatment=treatment, read_at=timezone.now())
        return read

    cache.clear()
    before = changes.mark(clinic.pk)
    cache.clear()
    monkeypatch.setattr(grid, "board", and_then)
    assert nurse.get(reverse("board")).context["mark"] == before


def test_a_provider_that_refuses_us_is_named_above_the_rows(nurse: Client, clinic: Clinic) -> None:
    Circuit.objects.create(
        channel="sms", scope="account", code="20003", opened_at=NOON,
        closes_at=NOON + timedelta(minutes=5),
    )  # fmt: skip
    page = text_of(nurse.get(reverse("board")))
    assert "Messages wait." in page
    assert "Twilio did not accept our account's key. Tell your admin" in page


def test_treatments_of_long_ago_are_reached_span_by_span(nurse: Client, clinic: Clinic) -> None:
    treated(clinic, "Maria", 1)
    with time_machine.travel(NOON - timedelta(days=40), tick=False):
        treated(clinic, "Old", 24 * 40)
    board = board_of(nurse)
    assert [row.name for row in board.rows] == ["Maria Gomez"]
    assert str(board.earlier) == "2026-10-24"
    page = text_of(nurse.get(reverse("board")))
    assert "Treated since Sat, Oct 24" in page
    assert "?until=2026-10-24" in page
    earlier = board_of(nurse, "?until=2026-10-24")
    assert [row.name for row in earlier.rows] == ["Old Gomez"]
    assert earlier.span == "Treated since Thu, Sep 24, before Sat, Oct 24"
    assert "Nobody was treated in these weeks." in text_of(
        nurse.get(reverse("board") + "?until=2025-01-01")
    )


@pytest.mark.parametrize("until", ["2026-13-40", "yesterday", ""])
def test_a_day_that_is_none_shows_the_latest(nurse: Client, clinic: Clinic, until: str) -> None:
    treated(clinic, "Maria", 1)
    assert len(board_of(nurse, f"?until={until}").rows) == 1


def test_trouble_of_long_ago_asks_for_nothing_any_more(nurse: Client, clinic: Clinic) -> None:
    old = treated(clinic, "Devon", 24 * 20)
    set_state(reminder_of(old, "handover"), State.FAILED)
    treated(clinic, "Maria", 1)
    board = board_of(nurse)
    assert [row.name for row in board.rows] == ["Maria Gomez", "Devon Gomez"]
    assert {counter.key: counter.number for counter in board.counters}["failed"] == 0


def test_each_counter_is_the_number_of_rows_its_filter_leaves(
    nurse: Client, clinic: Clinic
) -> None:
    failed = treated(clinic, "Devon", 5, phone="+12025550101")
    unknown = treated(clinic, "Uma", 6, phone="+12025550102")
    treated(clinic, "Maria", 0.5, phone="+12025550103")
    stopped = treated(clinic, "Tom", 50, phone="+12025550104")
    unseen = treated(clinic, "Una", 20, phone="+12025550105")
    worry(treated(clinic, "Cora", 4, phone="+12025550106"))
    planned = Reminder.objects.filter(treatment__patient__first_name="Cora", state=State.PLANNED)
    planned.update(state=State.DELIVERED)
    set_state(reminder_of(failed, "handover"), State.FAILED)
    set_state(reminder_of(failed, "first-hour"), State.FAILED)
    set_state(reminder_of(unknown, "handover"), State.UNKNOWN)
    Reading.objects.create(treatment=stopped, read_at=NOON)
    for treatment in (failed, unknown, stopped, unseen):
        soon = treatment.reminders.filter(state=State.PLANNED, due_at__lt=NOON + SOON)
        soon.update(state="delivered", state_at=NOON - timedelta(hours=14))
    stop(clinic, "+12025550104")
    for counter in board_of(nurse).counters:
        board = board_of(nurse, f"?show={counter.key}")
        assert (counter.key, counter.number) == (counter.key, len(board.rows)), counter.key
        assert (counter.key, counter.number) == (counter.key, 1)


def test_tasks_past_their_time_are_counted_above_the_rows_and_lead_to_their_page(
    nurse: Client, clinic: Clinic
) -> None:
    treatment, by = treated(clinic, "Maria", 1), StaffUser.objects.get()
    foreign = treated(make_clinic(name="Hillside", slug="hillside", sms_sender=""), "Zoe", 1)
    for patient, minutes, more in (
        (treatment.patient, -5, {}),
        (treatment.patient, 5, {}),
        (treatment.patient, -9, {"done_at": NOON}),
        (foreign.patient, -5, {}),
    ):
        Task.objects.create(
            clinic=patient.clinic, patient=patient, text="Call", owner=by, made_by=by,
            made_at=NOON, due_at=NOON + timedelta(minutes=minutes), **more,
        )  # fmt: skip
    assert board_of(nurse).late_tasks == 1
    page = text_of(nurse.get(reverse("board")))
    assert 'href="/tasks/?show=late"' in page
    assert "task late" in page
    Task.objects.update(done_at=NOON)
    assert "/tasks/?show=late" not in text_of(nurse.get(reverse("board")))


def test_a_filter_nobody_knows_shows_everybody(nurse: Client, clinic: Clinic) -> None:
    treated(clinic, "Maria", 1)
    assert len(board_of(nurse, "?show=everything&page=minus-one").rows) == 1


def test_what_was_sent_for_an_earlier_treatment_time_is_marked(
    nurse: Client, clinic: Clinic
) -> None:
    treatment = treated(clinic, "Maria", 0.5)
    set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    by = StaffUser.objects.get()
    correct_time(treatment=treatment, treated_at=NOON - timedelta(hours=1), reason="x", by=by)
    assert "sent for an earlier treatment time" in text_of(nurse.get(reverse("board")))


def test_a_patient_in_another_zone_is_shown_in_it_and_it_is_named(
    nurse: Client, clinic: Clinic
) -> None:
    treated(clinic, "Maria", 2, zone="America/New_York")
    board = board_of(nurse)
    assert cell(board, "Gentle wash") == ("Planned", "5:00 pm", "sms")
    assert board.rows[0].zone == "EST"


def test_voided_treatments_and_other_clinics_are_not_on_the_board(
    nurse: Client, clinic: Clinic
) -> None:
    void(treated(clinic, "Wrong", 1), by=StaffUser.objects.get())
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    foreign = treated(other, "Foreign", 1)
    set_state(reminder_of(foreign, "handover"), State.FAILED)
    board = board_of(nurse)
    assert board.rows == ()
    assert {counter.number for counter in board.counters} == {0}


def test_an_empty_board_teaches_what_it_will_show(nurse: Client) -> None:
    page = text_of(nurse.get(reverse("board")))
    assert "Nobody has been logged yet" in page
    assert "the phone has confirmed it" in page
    assert "Before the first patient" not in page


def test_an_admins_empty_board_says_where_to_begin(client: Client, clinic: Clinic) -> None:
    client.force_login(make_staff(clinic=clinic, role=Role.ADMIN))
    page = client.get(reverse("board")).content.decode()
    assert "Before the first patient" in page
    assert f'<a href="{reverse("clinic")}">Clinic</a> that the numbers' in page


def poll(nurse: Client, page: Any) -> Any:
    """What the open board asks for every few seconds."""
    address = re.search(r'hx-get="([^"]+)"', page.content.decode())
    assert address is not None
    return nurse.get(html.unescape(address.group(1)))


def test_changes_wait_to_be_asked_for(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    maria, ana = treated(clinic, "Maria", 1), treated(clinic, "Ana", 2)
    page = nurse.get(reverse("board"))
    assert poll(nurse, page).status_code == 204
    noon.shift(5)
    for reminder in (reminder_of(maria, "handover"), reminder_of(maria, "first-hour"),
                     reminder_of(ana, "handover")):  # fmt: skip
        set_state(reminder, State.SENT, at=timezone.now())
    told = poll(nurse, page)
    assert "2 changes: show" in text_of(told)
    noon.shift(5)
    assert poll(nurse, told).status_code == 204  # it is said once, and counted once
    worry(treated(clinic, "Tom", 3), closed_at=timezone.now())
    noon.shift(5)
    assert "3 changes: show" in text_of(poll(nurse, told))


def test_a_concern_and_a_reading_are_changes_too(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    maria, ana = treated(clinic, "Maria", 1), treated(clinic, "Ana", 2)
    page = nurse.get(reverse("board"))
    noon.shift(5)
    Reading.objects.create(treatment=maria, read_at=timezone.now())
    assert "1 change: show" in text_of(poll(nurse, page))
    noon.shift(5)
    concern = worry(ana)
    Concern.objects.update(opened_at=timezone.now())
    told = poll(nurse, page)
    assert "2 changes: show" in text_of(told)
    noon.shift(5)
    Concern.objects.filter(pk=concern.pk).update(closed_at=timezone.now())
    assert poll(nurse, told).status_code == 200


@pytest.mark.parametrize("seconds", [0.5, 29])
def test_what_was_on_its_way_while_the_board_was_read_is_offered(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller, seconds: float
) -> None:
    """It bears the moment at which it began, and is committed after the page was drawn."""
    maria, _ = treated(clinic, "Maria", 1), treated(clinic, "Ana", 2)
    page = nurse.get(reverse("board"))
    noon.shift(5)
    began = page.context["since"] - timedelta(seconds=seconds)
    set_state(reminder_of(maria, "handover"), State.SENT, at=began)
    told = poll(nurse, page)
    assert "1 change: show" in text_of(told)
    noon.shift(5)
    assert poll(nurse, told).status_code == 204


@pytest.mark.both_databases
def test_what_began_before_the_newest_change_and_is_committed_after_it_is_offered_too(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    """Two workers: the slower one began first. No moment on the board is newer than before."""
    slow, quick = treated(clinic, "Maria", 1), treated(clinic, "Ana", 2)
    noon.shift(5)
    set_state(reminder_of(quick, "handover"), State.SENT, at=timezone.now())
    page = nurse.get(reverse("board"))
    noon.shift(5)
    assert poll(nurse, page).status_code == 204
    began = page.context["since"] - timedelta(seconds=2)
    set_state(reminder_of(slow, "handover"), State.SENT, at=began)
    noon.shift(5)
    told = poll(nurse, page)
    assert "2 changes: show" in text_of(told)  # the quick one, which the page has, among them
    noon.shift(5)
    assert poll(nurse, told).status_code == 204


def test_another_clinics_changes_are_not_offered(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    treated(clinic, "Maria", 1)
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550109")
    foreign = treated(other, "Zoe", 1)
    page = nurse.get(reverse("board"))
    noon.shift(5)
    set_state(reminder_of(foreign, "handover"), State.SENT, at=timezone.now())
    assert "change" not in text_of(poll(nurse, page)).replace("changes/", "")


def test_a_list_that_was_dated_before_the_board_was_read_moves_its_mark(
    nurse: Client, clinic: Clinic
) -> None:
    treated(clinic, "Maria", 1)
    cache.clear()
    before = changes.mark(clinic.pk)
    treated(clinic, "Ana", 5)
    cache.clear()
    assert changes.mark(clinic.pk) != before


def test_a_report_is_a_change_when_it_is_sent_and_again_when_it_is_a_concern(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    maria = treated(clinic, "Maria", 1)
    before = nurse.get(reverse("board"))
    noon.shift(5)
    report_signs(treatment=maria, tier=TierAction.PAGE_NURSE, signs=["pus"], now=timezone.now())
    assert "1 change: show" in text_of(poll(nurse, before))
    noon.shift(1)
    between = nurse.get(reverse("board"))  # drawn while nobody has taken the report up yet
    assert counts(nurse)["concerns"] == 0
    noon.shift(1)
    take_up(now=timezone.now())
    noon.shift(1)
    assert "1 change: show" in text_of(poll(nurse, between))
    assert counts(nurse)["concerns"] == 1


def test_an_open_board_at_rest_costs_less_than_a_quarter_of_a_query_a_second(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    treated(clinic, "Maria", 1)
    page = nurse.get(reverse("board"))
    looks = 100
    with CaptureQueriesContext(connection) as captured:
        for _ in range(looks):
            noon.shift(EVERY)
            assert poll(nurse, page).status_code == 204
    # once: session, user, clinic; then the mark alone
    assert len(captured) == looks + 3
    assert len(captured) / (looks * EVERY) <= 0.25


def test_a_board_whose_session_has_ended_learns_nothing(nurse: Client, clinic: Clinic) -> None:
    page = nurse.get(reverse("board"))
    poll(nurse, page)
    nurse.logout()
    assert poll(nurse, page).status_code == 302


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-23T12:00:00", "2026-99-99T00:00Z"])
def test_a_since_that_is_no_moment_changes_nothing(nurse: Client, since: str) -> None:
    assert nurse.get(reverse("board-changes"), {"since": since}).status_code == 204


def test_no_staff_page_is_kept_by_the_browser(nurse: Client) -> None:
    assert "no-store" in nurse.get(reverse("board"))["Cache-Control"]


def test_nothing_is_said_above_the_page_that_opens_after_signing_in(
    client: Client, clinic: Clinic
) -> None:
    staff = make_staff(clinic=clinic, role=Role.NURSE)
    door = {"login": staff.email, "password": PASSWORD}
    answer = client.post(reverse("account_login"), door, follow=True)
    assert answer.redirect_chain
    assert not list(answer.context["messages"])


def test_a_worker_that_is_gone_is_said_above_the_rows_and_at_the_desk(
    nurse: Client, clinic: Clinic, noon: time_machine.Traveller
) -> None:
    heartbeat.beat(now=timezone.now())
    noon.shift(settings.ALARM_SECONDS)
    for page in ("board", "desk"):
        assert "is not running" not in text_of(nurse.get(reverse(page)))
    noon.shift(1)
    since = "Nothing has left since 12:00 pm today: the program that sends messages is not running."
    for page in ("board", "desk"):
        assert since in text_of(nurse.get(reverse(page)))
    heartbeat.beat(now=timezone.now())
    assert "is not running" not in text_of(nurse.get(reverse("board")))
