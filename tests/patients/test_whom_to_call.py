"""Every "call" leads to a number that is answered at that hour; nothing wakes the wrong person."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from patients.models import Clinic, Report, Treatment
from tests.builders import NURSE, OFFICE, log, make_clinic, make_patient
from tests.patients.on_page import OnPage
from tests.patients.reading import Element, Reading, read
from tests.patients.test_page import WEEKDAYS, T

CHICAGO = ZoneInfo("America/Chicago")
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=CHICAGO)
NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=CHICAGO)
TO_OFFICE, TO_NURSE, TO_911 = f"tel:{OFFICE}", f"tel:{NURSE}", "tel:911"


def treated(clinic: Clinic) -> Treatment:
    return log(patient=make_patient(clinic=clinic), treated_at=T)


@pytest.fixture
def two_numbers(db: None) -> Treatment:
    return treated(make_clinic(opening_hours=WEEKDAYS, after_hours_phone=NURSE))


@pytest.fixture
def one_number(db: None) -> Treatment:
    return treated(make_clinic(opening_hours=WEEKDAYS))


def calls(part: Element) -> list[str]:
    found = [one.attrs["href"] for one in part.every("a")]
    return [one for one in found if one.startswith("tel:")]


def by_tier(page: Reading, kind: str) -> dict[str, list[str]]:
    parts = [one for one in page.root.all() if one.attrs.get("class", "").split()[:1] == [kind]]
    return {one.attrs["class"].split()[-1]: calls(one) for one in parts}


@pytest.mark.parametrize(
    ("at", "answers"), [(NOON, TO_OFFICE), (NIGHT, TO_NURSE)], ids=["2 pm", "2 am"]
)
def test_whatever_is_pressed_on_the_page_reaches_whoever_answers_then(
    two_numbers: Treatment, at: datetime, answers: str
) -> None:
    page = OnPage(two_numbers, at).see()
    wanted = {"emergency": [TO_911], "page-nurse": [TO_NURSE],
              "call-clinic": [answers], "before-next": [answers]}  # fmt: skip
    assert by_tier(page, "care") == wanted
    assert calls(page.root.every("nav")[0]) == [answers]
    (ask,) = [one for one in page.root.every("p") if one.attrs.get("class") == "ask"]
    assert calls(ask) == [answers]
    if answers == TO_NURSE:
        assert TO_OFFICE not in page.calls()
        assert "Ask the on-call nurse" in ask.text
    assert "(855) 383-7546" in page.part("call")  # the office's number can still be read


@pytest.mark.parametrize(("at", "answers"), [(NOON, TO_OFFICE), (NIGHT, TO_NURSE)])
def test_whatever_is_ticked_says_a_number_that_answers_then(
    two_numbers: Treatment, at: datetime, answers: str
) -> None:
    page = OnPage(two_numbers, at).see("wrong")
    assert by_tier(page, "tell") == {
        "emergency": [TO_911], "page-nurse": [TO_NURSE], "call-clinic": [answers],
        "before-next": [answers], "nothing": [answers],
    }  # fmt: skip


@pytest.mark.parametrize(("at", "answers"), [(NOON, TO_OFFICE), (NIGHT, TO_NURSE)])
@pytest.mark.parametrize(
    ("sign", "fixed"), [("breathing", TO_911), ("pus", TO_NURSE), ("spots", ""), ("bumps", "")]
)
def test_an_open_report_calls_whoever_answers_then(
    two_numbers: Treatment, at: datetime, answers: str, sign: str, fixed: str
) -> None:
    page = OnPage(two_numbers, at)
    page.post("wrong", sign=[sign])
    for act in ("", "sent"):
        reported = page.see(act).root.part("reported")
        assert reported is not None
        assert calls(reported) == [fixed or answers]


@pytest.mark.parametrize(("at", "answers"), [(NOON, TO_OFFICE), (NIGHT, TO_NURSE)])
@pytest.mark.parametrize(
    ("sign", "fixed"), [("breathing", TO_911), ("pus", TO_NURSE), ("spots", ""), ("bumps", "")]
)
def test_the_bar_under_the_thumb_calls_whom_the_open_report_says_to_call(
    two_numbers: Treatment, at: datetime, answers: str, sign: str, fixed: str
) -> None:
    page = OnPage(two_numbers, at)
    page.post("wrong", sign=[sign])
    for act in ("", "sent"):
        assert calls(page.see(act).root.every("nav")[-1]) == [fixed or answers]
    copy = calls(page.see("kept").root.every("nav")[-1])
    assert copy == [fixed] if fixed else len(copy) > 1  # by the hour at which it is read
    Report.objects.update(closed_at=at)
    assert calls(page.see().root.every("nav")[-1]) == [answers]


@pytest.mark.parametrize(("at", "answers"), [(NOON, TO_OFFICE), (NIGHT, TO_NURSE)])
@pytest.mark.parametrize(
    "act", ["", "sent", "wrong", "check-in", "choices", "not-you", "kept/wrong"]
)
def test_under_the_thumb_of_every_page_stands_whom_the_gravest_open_report_says_to_call(
    two_numbers: Treatment, at: datetime, answers: str, act: str
) -> None:
    """Also on the thanks for a sign that can wait, and after a form that was filled in wrongly."""
    page = OnPage(two_numbers, at)

    def under_the_thumb() -> list[str]:
        seen = page.see(act).root
        told = [one for one in seen.every("div") if "nothing" in one.attrs.get("class", "").split()]
        return calls(told[0] if "wrong" in act else seen.every("nav")[-1])

    if act not in ("sent", "kept/wrong"):  # a copy does not know at which hour it is read
        assert under_the_thumb() == [answers]
    for sign in ("breathing", "spots"):
        page.post("wrong", sign=[sign])
    assert under_the_thumb() == [TO_911]
    if act == "choices":
        missing = read(page.post("choices", channel="pigeon").content.decode())
        assert calls(missing.root.every("nav")[-1]) == [TO_911]


def test_a_sign_that_can_wait_wakes_nobody_before_it_has_said_when_the_clinic_opens(
    two_numbers: Treatment,
) -> None:
    note = "We open 9:00 am today. Cannot wait? Call the nurse now."
    night, noon = OnPage(two_numbers, NIGHT), OnPage(two_numbers, NOON)
    for act in ("", "wrong"):
        assert night.see(act).text.count(note) == 2  # the two tiers that can
        assert "Cannot wait?" not in noon.see(act).text
    night.post("wrong", sign=["spots"])
    assert note in night.see().part("reported")
    assert "Abrimos hoy a las 9:00 a. m. ¿No puede esperar?" in night.see("", "?lang=es").text


@pytest.mark.parametrize("at", [NOON, NIGHT])
@pytest.mark.parametrize("act", ["", "wrong", "sent"])
def test_with_one_number_every_call_leads_there_and_the_prompts_are_said(
    one_number: Treatment, at: datetime, act: str
) -> None:
    """As the plan ships (C2): the same number, and after hours its prompts."""
    page = OnPage(one_number, at)
    page.post("wrong", sign=["pus"])
    seen = page.see(act)
    assert set(seen.calls()) - {TO_911} == {TO_OFFICE}
    assert "follow the prompts to page the nurse" in seen.text
    if act == "":
        assert "Follow the after-hours prompts to page the on-call nurse." in seen.part("call")


def test_whom_to_call_puts_the_nurse_first_while_the_clinic_is_closed(
    two_numbers: Treatment,
) -> None:
    def contacts(at: datetime) -> list[tuple[str, list[str]]]:
        call = OnPage(two_numbers, at).see().root.part("call")
        assert call is not None
        cards = [one for one in call.every("div") if "contact" in one.attrs["class"]]
        return [(one.every("h3")[0].text, calls(one)) for one in cards]

    assert contacts(NOON) == [
        ("Call the clinic", [TO_OFFICE]), ("If it cannot wait", [TO_NURSE]),
    ]  # fmt: skip
    assert contacts(NIGHT) == [("If it cannot wait", [TO_NURSE]), ("Call the clinic", [])]


def test_a_clinic_that_keeps_no_hours_gives_both_numbers(db: None) -> None:
    page = OnPage(treated(make_clinic(after_hours_phone=NURSE)), NIGHT)
    assert by_tier(page.see(), "care")["call-clinic"] == [TO_OFFICE, TO_NURSE]
    assert by_tier(page.see("wrong"), "tell")["before-next"] == [TO_OFFICE, TO_NURSE]
