"""Every state the patient's pages can be in, each arranged in the database just before it is
shown: to be judged (`test_patient_states`) and to be pictured (`make_screens`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from patients import links
from patients.acts import answer, mark_read, report_signs, stop_messages
from patients.models import Patient, Report, Treatment
from patients.opening import WEEKDAYS
from patients.protocol import TierAction
from tests.browser.patient import open_details
from tests.builders import NURSE, log

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHECK_IN = {"normal": "yes"}  # the other two left out
ERRORS = (400, 404, 429, 500)
SIGN_OF = {
    TierAction.EMERGENCY: "breathing",
    TierAction.PAGE_NURSE: "pus",
    TierAction.CALL_CLINIC: "spots",
    TierAction.BEFORE_NEXT: "bumps",
}


@dataclass(frozen=True)
class State:
    """A page to open and what is done on it, which `sent` is as a form; `show` is what of it a
    picture shows. `both`: it says everything in both languages at once.
    """

    name: str
    path: str
    do: Callable[[Page], object] = lambda page: None
    show: str = "html"
    sent: Mapping[str, str] | None = None
    media: str = "screen"
    both: bool = False


def states(patient: Patient) -> Iterator[State]:
    # The oldest first: a link opens the patient's newest treatment.
    yield from after_one_week(patient)
    yield from days_2_to_7(patient)
    yield State("the first day", treated(patient, 10 * HOUR)[1], open_details)
    treatment, home = treated(patient, 3 * HOUR)
    yield State("right after", home, open_details)
    yield State("kept copy", f"{home}/kept", open_details)
    yield from taken_along(home)
    yield from something_wrong(home)
    yield from reports(treatment, home)
    yield from closed(patient, home)
    yield from choices(treatment, home)
    yield from nothing_there()
    # Its print is of the page it is pressed on: pressed, no link opens any more.
    close = click("main form button", shows="main.notice")
    yield State("not you, closed", f"{home}/not-you", close, both=True)


def after_one_week(patient: Patient) -> Iterator[State]:
    treatment, home = treated(patient, 9 * DAY)
    yield State("after one week, asked", home, open_details, ".asks")
    yield State("check-in", f"{home}/check-in")
    yield State("check-in, two left out", f"{home}/check-in", leave_out, sent=CHECK_IN)
    say(treatment, normal=False)
    yield State("check-in, thanks", f"{home}/check-in?thanks")
    yield State("after one week, not normal yet", home, open_details, ".waiting")


def days_2_to_7(patient: Patient) -> Iterator[State]:
    treatment, home = treated(patient, 80 * HOUR)
    yield State("days 2 to 7", home, open_details)
    start = click(".timer button", shows="[data-say=on]")
    yield State("days 2 to 7, the mask's timer", home, start, "#daily")
    say(treatment, normal=False, trend="worse", wants_call=True)
    yield State("check-in, worse", f"{home}/check-in?thanks")
    yield State("check-in, nothing asked", f"{home}/check-in")


def taken_along(home: str) -> Iterator[State]:
    yield State("on paper, on the screen", f"{home}/print")
    yield State("on paper", f"{home}/print", media="print")
    yield State("the page printed", home, open_details, media="print")


def something_wrong(home: str) -> Iterator[State]:
    yield State("something wrong", f"{home}/wrong")
    for sign in ("bumps", "spots", "pus", "breathing"):
        yield State(f"something wrong, {sign}", f"{home}/wrong", tick(sign))
    send = click("form.wrong button[type=submit]", shows="#error")
    yield State("something wrong, nothing ticked", f"{home}/wrong", send, sent={})
    yield State("something wrong, no network", f"{home}/kept/wrong")
    yield State("something wrong, not sent", f"{home}/kept/unsent")
    yield State("a form refused", f"{home}/wrong", forge, sent={"seal": "of another page"})


def reports(treatment: Treatment, home: str) -> Iterator[State]:
    for tier in reversed(TierAction):
        report_signs(treatment=treatment, tier=tier, signs=[SIGN_OF[tier]], now=timezone.now())
        yield State(f"sent, {tier}", f"{home}/sent")
        yield State(f"open report, {tier}", home, show="#reported")
    yield State("kept copy, open report", f"{home}/kept", show="#reported")
    Report.objects.exclude(tier=TierAction.CALL_CLINIC).update(closed_at=timezone.now())


def closed(patient: Patient, home: str) -> Iterator[State]:
    """At night, in a clinic with another number for it; the report of a lower tier is open."""
    clinic = patient.clinic
    before = clinic.opening_hours, clinic.after_hours_phone
    opens_on = WEEKDAYS[(timezone.now() + 2 * DAY).weekday()]
    clinic.opening_hours, clinic.after_hours_phone = {opens_on: ["09:00", "17:00"]}, NURSE
    clinic.save()
    yield State("clinic closed", home, show="#reported")
    yield State("clinic closed, something wrong", f"{home}/wrong", tick("spots"))
    clinic.opening_hours, clinic.after_hours_phone = before
    clinic.save()


def choices(treatment: Treatment, home: str) -> Iterator[State]:
    yield State("choices", f"{home}/choices")
    yield State("choices, saved", f"{home}/choices?saved")
    yield State("not you", f"{home}/not-you")
    mark_read(treatment=treatment, now=timezone.now())
    yield State("read", home, show="#read")
    stop_messages(treatment=treatment, now=timezone.now())
    yield State("stopped", f"{home}/choices", show=".note")


def nothing_there() -> Iterator[State]:
    yield State("a link that opens nothing", f"/r/{'0' * links.TOKEN_LENGTH}")
    for status in ERRORS:
        yield State(f"error {status}", f"/error/{status}", both=True)


def treated(patient: Patient, ago: timedelta) -> tuple[Treatment, str]:
    at = timezone.now() - ago
    one = log(patient=patient, treated_at=at, logged_at=at)
    return one, f"/r/{links.token_of(one)}"


def say(
    treatment: Treatment, *, normal: bool, trend: str = "same", wants_call: bool = False
) -> None:
    rule = "week-1" if timezone.now() - treatment.treated_at > 7 * DAY else "day-3"
    answer(
        treatment=treatment,
        rule=rule,
        feels_normal=normal,
        trend=trend,
        wants_call=wants_call,
        now=timezone.now(),
    )


def click(selector: str, *, shows: str) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        page.locator(selector).first.click()
        expect(page.locator(shows).first).to_be_visible()

    return press


def tick(sign: str) -> Callable[[Page], None]:
    return lambda page: page.locator(f"input[value={sign}]").check()


def leave_out(page: Page) -> None:
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.locator("input[name=normal]").first.check()
    click("main form button", shows=".question .error")(page)


def forge(page: Page) -> None:
    """A form that is not of this page."""
    page.evaluate("document.querySelector('[name=seal]').value = 'of another page'")
    page.locator("form.wrong button[type=submit]").click()
    expect(page.locator("form.wrong")).to_have_count(0)
    expect(page.locator("main h1")).to_be_visible()
