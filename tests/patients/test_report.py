"""Something wrong? Fixed tiers, an instruction at once, and who sees what was sent, and when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import Act, Report, Treatment
from patients.protocol import TierAction
from patients.signs import boxes, tier_of
from tests.builders import log, make_clinic, make_patient, shipped
from tests.patients.on_page import OnPage

CHICAGO = ZoneInfo("America/Chicago")
T = datetime(2026, 11, 23, 14, 20, tzinfo=CHICAGO)  # a Monday
WEEKDAYS = {day: ["09:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
H = timedelta(hours=1)
EMERGENCY, PAGE, CALL, LATER = TierAction


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic(opening_hours=WEEKDAYS)), treated_at=T)


@pytest.fixture
def page(treatment: Treatment) -> OnPage:
    return OnPage(treatment, T + H)  # 3:20 pm, open


# --- The table ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ticked", "weak", "tier"),
    [
        (["breathing"], False, EMERGENCY),
        (["pus", "breathing", "bumps"], False, EMERGENCY),
        (["pus"], False, PAGE),
        (["spots", "bumps"], False, CALL),
        (["bumps"], False, LATER),
        (["other:emergency"], False, EMERGENCY),
        (["other:page-nurse"], False, PAGE),
        (["other:before-next"], False, LATER),
        # Not sure counts one tier up.
        (["unsure:emergency"], False, EMERGENCY),
        (["unsure:page-nurse"], False, EMERGENCY),
        (["unsure:call-clinic"], False, PAGE),
        (["unsure:before-next"], False, CALL),
        # Diabetes or weak immunity turns "call the clinic" into "page the nurse", nothing else.
        (["spots"], True, PAGE),
        (["unsure:before-next"], True, PAGE),
        (["bumps"], True, LATER),
        (["breathing"], True, EMERGENCY),
        ([], True, None),
        (["nonsense"], False, None),
    ],
)
def test_the_highest_ticked_tier_wins(
    treatment: Treatment, ticked: list[str], weak: bool, tier: TierAction | None
) -> None:
    assert tier_of(treatment.version.protocol, ticked, weak=weak) is tier


def test_every_sign_of_the_plan_can_be_ticked_with_its_catch_alls(page: OnPage) -> None:
    shown = [one.attrs["value"] for one in page.see("wrong").root.every("input")
             if one.attrs["type"] == "checkbox"]  # fmt: skip
    assert sorted(shown) == sorted([*boxes(page.treatment.version.protocol), "weak"])
    assert len(shown) == 19 + 4 + 4 + 1


@pytest.mark.parametrize(
    ("after", "first"),
    [(1 * H, {"bleeding", "hives"}), (30 * H, {"growing-pain", "blisters", "spreading", "pus"})],
)
def test_the_likeliest_signs_of_the_day_stand_first(
    treatment: Treatment, after: timedelta, first: set[str]
) -> None:
    (card,) = [
        one
        for one in OnPage(treatment, T + after).see("wrong").root.every("section")
        if "page-nurse" in one.attrs["class"]
    ]
    shown = [one.attrs["value"] for one in card.every("input")]
    assert first <= set(shown[:5])
    assert [one.tag for one in card.all() if one.tag in {"h3", "input"}].index("h3") == 5


@pytest.mark.parametrize("language", ["en", "es"])
def test_where_color_may_not_show_heat_swelling_and_texture_come_before_redness(
    treatment: Treatment, language: str
) -> None:
    """On brown and black skin redness is harder to see."""
    texts = treatment.version.protocol.words(language)
    red, felt = {"en": (r"\bred", r"hot|heat|swelling|swollen|rough"),
                 "es": (r"\broj[oa]", r"calor|calient|hincha|áspera")}[language]  # fmt: skip
    said = [*texts.signs.values(), *texts.normals.values()]
    said += [text for step in texts.steps.values() for text in (step.title, step.text)]
    colored = [text for text in said if re.search(red, text.lower())]
    assert len(colored) >= 3
    for text in colored:
        before = re.split(red, text.lower())[0]
        assert re.search(felt, before), text


def test_the_cards_begin_with_what_to_do_and_the_clinics_own_number(page: OnPage) -> None:
    page.treatment.patient.clinic.emergency_number = "999"
    page.treatment.patient.clinic.save()
    seen = page.see("wrong")
    assert [one.text for one in seen.root.every("h2")] == [
        "Call 999 now if",
        "Page our on-call nurse now if",
        "Call the clinic today or the next business day if",
        "Have it looked at before your next session if",
    ]
    assert "tel:999" in seen.calls()


# --- Sending --------------------------------------------------------------------------------------


def test_a_report_is_kept_for_a_nurse_and_thanked_for(page: OnPage) -> None:
    response = page.post("wrong", sign=["pus", "weak", "nonsense"])
    assert (response.status_code, response["Location"]) == (303, f"/r/{page.token}/sent")
    report = Report.objects.get()
    assert (report.tier, report.signs, report.opened_at) == (PAGE, ["pus", "weak"], T + H)
    act = Act.objects.get()
    assert (act.kind, act.report, act.taken_up_at) == (Act.Kind.REPORT, report, None)
    thanks = page.see("sent")
    assert "You see pus or yellow fluid" in thanks.text
    assert "tel:+18553837546" in thanks.calls()


@pytest.mark.parametrize(
    ("at", "sign", "said"),
    [
        ("2026-11-23 15:20", "pus", "gets an alert now. We are open until 5:00 pm."),
        ("2026-11-23 15:20", "spots", "reads this today. We are open until 5:00 pm."),
        ("2026-11-24 02:00", "pus", "may not see it at once. We open 9:00 am today."),
        ("2026-11-24 02:00", "spots", "reads this when we open: 9:00 am today."),
        ("2026-11-27 18:00", "spots", "reads this when we open: 9:00 am on Mon, Nov 30."),
    ],
)
def test_the_thanks_say_who_sees_it_and_when_and_to_call(
    treatment: Treatment, at: str, sign: str, said: str
) -> None:
    page = OnPage(treatment, datetime.fromisoformat(at).replace(tzinfo=CHICAGO))
    page.post("wrong", sign=[sign])
    text = page.see("sent").text
    assert said in text
    assert "This does not take the place of a call." in text


# --- What is said of it later ---------------------------------------------------------------------


@pytest.mark.parametrize("after", [0 * H, 6 * H, 18 * H, 3 * 24 * H])
def test_at_any_later_hour_what_the_page_says_of_a_report_is_still_true(
    treatment: Treatment, after: timedelta
) -> None:
    OnPage(treatment, T + H).post("wrong", sign=["pus"])
    said = OnPage(treatment, T + H + after).see().part("reported")
    told_at = {0: "3:20 pm today", 6: "3:20 pm today", 18: "3:20 pm yesterday",
               72: "3:20 pm on Mon, Nov 23"}[int(after / H)]  # fmt: skip
    assert f"At {told_at} we alerted a nurse at Lakeside Skin Clinic." in said
    assert "alert now" not in said
    assert "reads this today" not in said
    assert "We are open until" not in said


def test_a_lower_report_says_later_that_it_is_read_when_the_clinic_is_open(
    treatment: Treatment,
) -> None:
    OnPage(treatment, T + H).post("wrong", sign=["spots"])
    said = OnPage(treatment, T + 20 * H).see().part("reported")
    assert "A nurse at Lakeside Skin Clinic reads it when we are open." in said


def test_thanks_opened_again_the_next_day_promise_nothing_any_more(treatment: Treatment) -> None:
    OnPage(treatment, T + H).post("wrong", sign=["pus"])
    assert "gets an alert now" in OnPage(treatment, T + H).see("sent").text
    later = OnPage(treatment, T + 20 * H).see("sent").text
    assert "alert now" not in later
    assert "At 3:20 pm yesterday we alerted a nurse" in later


def test_a_clinic_without_hours_still_says_that_a_nurse_is_alerted(db: None) -> None:
    page = OnPage(log(patient=make_patient(clinic=make_clinic()), treated_at=T), T + H)
    page.post("wrong", sign=["pus"])
    assert "A nurse at Lakeside Skin Clinic gets an alert now." in page.see("sent").text


def test_a_second_press_is_the_same_report_and_other_signs_are_another(page: OnPage) -> None:
    for signs in (["pus"], ["pus"], ["pus", "fever"]):
        page.post("wrong", sign=signs)
    assert Report.objects.count() == 2


def test_somebody_who_presses_a_hundred_times_makes_ten_reports(page: OnPage) -> None:
    protocol = shipped(page.treatment.patient.clinic).protocol
    for sign in boxes(protocol):
        assert page.post("wrong", sign=[sign]).status_code == 303
    assert Report.objects.count() == 10


def test_nothing_ticked_is_said_beside_the_form_and_keeps_what_was(page: OnPage) -> None:
    response = page.post("wrong", sign=["weak"])
    assert response.status_code == 400
    html = response.content.decode()
    assert "Please tick what fits, then send it. Or just call us." in html
    assert 'value="weak" class="is-weak" checked' in " ".join(html.split())
    assert not Report.objects.exists()


def test_thanks_without_a_report_lead_back_to_the_page(page: OnPage) -> None:
    response = page.get("sent")
    assert (response.status_code, response["Location"]) == (303, f"/r/{page.token}")


# --- The page while a report is open --------------------------------------------------------------


@pytest.mark.parametrize(
    ("sign", "said"),
    [("breathing", "Call 911 now."), ("pus", "Call (855) 383-7546 now, day or night.")],
)
def test_its_instruction_stands_where_normal_and_next_were(
    page: OnPage, sign: str, said: str
) -> None:
    assert page.see().part("next")
    page.post("wrong", sign=[sign])
    seen = page.see()
    assert said in seen.part("reported")
    assert "You told us at 3:20 pm today" in seen.part("reported")
    assert (seen.part("next"), seen.part("normal")) == ("", "")
    assert seen.text.index(said) < seen.text.index("Do not touch your skin")


@pytest.mark.parametrize("after", [3 * 24 * H, 8 * 24 * H])
@pytest.mark.parametrize(("sign", "asks"), [("breathing", False), ("pus", False), ("spots", True)])
def test_while_it_holds_nobody_is_asked_how_the_skin_is(
    treatment: Treatment, after: timedelta, sign: str, asks: bool
) -> None:
    page = OnPage(treatment, T + after)
    assert "How is your skin?" in page.see().text
    page.post("wrong", sign=[sign])
    seen = page.see()
    assert ("How is your skin?" in seen.text) is asks
    assert ("bring active products back slowly" in seen.waiting) is (asks and after > 7 * 24 * H)


def test_a_lower_tier_leaves_normal_and_next_where_they_are(page: OnPage) -> None:
    page.post("wrong", sign=["spots"])
    seen = page.see()
    assert "Call (855) 383-7546 today" in seen.part("reported")
    assert seen.part("next")
    assert seen.part("normal")


def test_of_several_reports_the_highest_tier_speaks(page: OnPage) -> None:
    for sign in ("breathing", "spots"):
        page.post("wrong", sign=[sign])
    assert "Call 911 now." in page.see().part("reported")


def test_a_closed_report_says_nothing_any_more(page: OnPage) -> None:
    page.post("wrong", sign=["breathing"])
    Report.objects.update(closed_at=T + H)
    assert page.see().part("reported") == ""
    assert page.see().part("next")


def test_with_everything_told_the_page_asks_the_database_twice_on_day_1(page: OnPage) -> None:
    page.post("wrong", sign=["breathing"])
    page.post("read")
    with CaptureQueriesContext(connection) as queries:
        page.get()
    assert len(queries) == 2


def test_in_spanish_the_form_and_the_thanks_are_spanish(treatment: Treatment) -> None:
    page = OnPage(treatment, T + H)
    assert "Avisar a la clínica" in page.see("wrong", "?lang=es").text
    page.post("wrong?lang=es", sign=["pus"])
    assert "Gracias. Lo hemos recibido." in page.see("sent", "?lang=es").text
