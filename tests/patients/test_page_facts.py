"""Every fact of the clinic's leaflet on the page at its hour, to the second.

The facts and their hours are written out here, not taken from the protocol: T is 2:20 pm on
Monday, November 23, in Chicago.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from patients import links
from patients.models import Treatment
from tests.builders import log, make_clinic, make_patient
from tests.patients.reading import Reading, read

CHICAGO = ZoneInfo("America/Chicago")
T = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)
H = timedelta(hours=1)
D = timedelta(days=1)
SECOND = timedelta(seconds=1)
TWO_MONTHS = datetime(2027, 1, 23, 14, 20, tzinfo=CHICAGO) - T
THREE_MONTHS = datetime(2027, 2, 23, 14, 20, tzinfo=CHICAGO) - T


@dataclass(frozen=True)
class Fact:
    """`words` stand in `part` of the page over [starts, ends) after T, and not outside of it."""

    name: str
    part: str  # doing: Now and Also now; normal; waiting: for the skin to feel normal
    words: str
    starts: timedelta
    ends: timedelta | None


FACTS = [
    Fact("A1", "normal", "Your skin feels hot and looks flushed", 0 * H, 6 * H),
    Fact("A2", "normal", "the heat usually falls by about half", 0 * H, 1 * H),
    Fact("A3", "normal", "There is no need to panic", 0 * H, 6 * H),
    Fact("A4", "doing", "Keep your hands away for the first 6 hours", 0 * H, 6 * H),
    Fact("A5", "doing", "use the air conditioning or any fan", 0 * H, 6 * H),
    # A4 says more than B1 while it lasts.
    Fact("B1", "doing", "If you must, wash your hands first", 6 * H, 24 * H),
    Fact("B2", "doing", "Use a mild cleanser with no active ingredients", 6 * H, 24 * H),
    Fact("B3", "doing", "“Rescue” cream from your kit as often as you need", 0 * H, 48 * H),
    # E2 says it from one week on.
    Fact("B4", "doing", "physical (mineral) sunblock, SPF 30 to 50, often", 0 * H, 7 * D),
    Fact("B5", "doing", "drink plenty of water", 0 * H, None),
    Fact("D1", "doing", "Use a gentle cleanser, morning and night", 24 * H, 7 * D),
    Fact("D2", "doing", "Sente post-care kit with Dermal Repair Cream", 24 * H, 7 * D),
    Fact("D3", "normal", "It can feel dry, like sandpaper", 24 * H, 7 * D),
    Fact("D4", "doing", "Jan Marini Skin Zyme Mask for 15 to 20 minutes", 24 * H, 7 * D),
    # Nobody has said that the skin feels normal.
    Fact("D5", "doing", "No antioxidants, resurfacers, retinol", 0 * H, None),
    Fact("E1", "waiting", "bring active products back slowly", 7 * D, None),
    Fact("E2", "doing", "Go on using a physical sunblock every day", 7 * D, None),
    Fact("E3", "normal", "best results usually show 2 to 3 months after", TWO_MONTHS, THREE_MONTHS),
]
# (fact, words, starts, ends): when the whole timeline says "Now" of a step.
NOW_IN_THE_PLAN = [
    *((one.name, one.words, one.starts, one.ends) for one in FACTS if one.part != "waiting"
      and one.name not in {"B1", "B4"}),
    ("B1", "If you must, wash your hands first", 0 * H, 24 * H),
    ("B4", "Stay out of direct sun as much as you can", 0 * H, None),
    ("E4", "a first series of three. After that, once every six months", 7 * D, None),
    ("E5", "Ask your practitioner which ones suit you", 7 * D, None),
]  # fmt: skip


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic()), treated_at=T)


def page_at(treatment: Treatment, at: datetime) -> Reading:
    with time_machine.travel(at, tick=False):
        response = Client().get(f"/r/{links.token_of(treatment)}")
    assert response.status_code == 200
    return read(response.content.decode())


def shown(page: Reading, part: str) -> str:
    return {"doing": page.doing, "waiting": page.waiting, "normal": page.part("normal")}[part]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_a_fact_is_said_from_its_first_second_to_its_last(treatment: Treatment, fact: Fact) -> None:
    moments = {T + fact.starts: True}
    if fact.starts:
        moments[T + fact.starts - SECOND] = False
    if fact.ends:
        moments |= {T + fact.ends - SECOND: True, T + fact.ends: False}
    for at, said in moments.items():
        assert (fact.words in shown(page_at(treatment, at), fact.part)) is said, at


@pytest.mark.parametrize(
    ("words", "starts", "ends"),
    [fact[1:] for fact in NOW_IN_THE_PLAN],
    ids=[fact[0] for fact in NOW_IN_THE_PLAN],
)
def test_the_timeline_says_now_of_a_step_from_its_first_second_to_its_last(
    treatment: Treatment, words: str, starts: timedelta, ends: timedelta | None
) -> None:
    moments = {T + starts: "Now"}
    if starts:
        moments[T + starts - SECOND] = "Next"
    if ends:
        moments |= {T + ends - SECOND: "Now", T + ends: "Done"}
    for at, state in moments.items():
        said = page_at(treatment, at).step(words).said
        # Of changes more than one change ahead the page says "Later".
        assert said.split()[0] in ({"Next", "Later"} if state == "Next" else {state}), (at, said)


@pytest.mark.parametrize("after", [0 * H, 3 * H, 10 * H, 2 * D, 9 * D, 100 * D])
def test_every_fact_can_be_read_at_any_hour(treatment: Treatment, after: timedelta) -> None:
    with time_machine.travel(T, tick=False):
        Treatment.objects.update(link_expires_at=T + 200 * D)
    page = page_at(treatment, T + after)
    plan = page.part("plan")
    for _, words, *_ in NOW_IN_THE_PLAN:
        assert words in plan
    assert "bring active products back slowly, as your skin allows" in plan


@pytest.mark.parametrize("after", [0 * H, 10 * H, 2 * D, 9 * D])
def test_whom_to_call_is_said_at_any_hour(treatment: Treatment, after: timedelta) -> None:
    page = page_at(treatment, T + after)
    said = page.part("call")
    assert "any question or worry about your treatment, call (855) 383-7546" in said  # C1
    assert "Follow the after-hours prompts to page the on-call nurse" in said  # C2
    assert "at any hour, any day" in said


def test_washing_is_never_allowed_before_its_hour(treatment: Treatment) -> None:
    before = page_at(treatment, T + 6 * H - SECOND)
    assert "Wash gently" not in before.doing
    assert "You may wash gently now" not in before.text
    assert before.step("mild cleanser").said == "Next from 8:20 pm tonight"
    assert before.part("next").startswith("Next 8:20 pm tonight in 1 minute Wash gently")
    after = page_at(treatment, T + 6 * H)
    assert "Wash gently" in after.doing
    assert "You may wash gently now" in after.part("plan")


def test_active_products_are_never_promised_by_the_clock_alone(treatment: Treatment) -> None:
    before = page_at(treatment, T + 4 * D)
    assert before.step("No antioxidants").said == "Now at least until 2:20 pm on Mon, Nov 30"
    assert before.step("bring active").said.endswith("not before 2:20 pm on Mon, Nov 30")
    after = page_at(treatment, T + 8 * D)
    assert after.step("No antioxidants").said == "Now until your skin feels normal"
    assert after.step("bring active").said == "When your skin feels normal"
    assert "bring active products back slowly" not in after.doing
