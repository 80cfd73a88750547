"""What the patient's pages are judged by in a real browser, and the states they can be in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from patients import links
from patients.acts import answer, report_signs
from patients.models import Patient, Treatment
from patients.protocol import TierAction
from tests.builders import log

# What a patient must read has 7:1; beside it stand labels and times, for which 4.5:1 is enough.
SECONDARY = (
    ".muted, .when, .state, .span, .label, .path, .clinic, .treated, summary, .clock span,"
    " .also h2, .foot, .bar, .care > h2, .care > h3, .button, a, .note, .error"
)
ENHANCED = "color-contrast-enhanced"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TARGETS = "a.button, button, summary, label.tick, .foot a, .ask a, .language, .back"


@dataclass(frozen=True)
class State:
    """A page to open, what is done on it before it is judged, and what of it a picture shows."""

    name: str
    path: str
    do: Callable[[Page], object] = lambda page: None
    show: str = "html"


def judge(page: Page) -> list[str]:
    """Everything that is wrong with what is shown now: axe, contrast, width, targets."""
    options = {"rules": {ENHANCED: {"enabled": True}}}
    found = Axe().run(page, options=options).response["violations"]
    wrong = [
        f"{one['id']}: {node['html']}"
        for one in found
        for node in one["nodes"]
        if one["id"] != ENHANCED or not is_secondary(page, node["target"][0])
    ]
    if not fits(page):
        wrong.append("scrolls sideways")
    return wrong + [f"small: {one}" for one in small_targets(page)]


def is_secondary(page: Page, target: str) -> bool:
    return bool(
        page.evaluate(f"target => !!document.querySelector(target).closest('{SECONDARY}')", target)
    )


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def small_targets(page: Page) -> list[str]:
    """Whatever can be pressed and is under 48 px high or wide."""
    found: list[str] = page.evaluate(
        """targets => [...document.querySelectorAll(targets)].filter(one => {
             const box = one.getBoundingClientRect();
             return box.width && (Math.round(box.height) < 48 || Math.round(box.width) < 48);
           }).map(one => one.outerHTML)""",
        TARGETS,
    )
    return found


def open_details(page: Page) -> None:
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


def states(patient: Patient) -> Iterator[State]:
    """Every state of the patient's pages, each arranged in the database just before it is shown."""
    now = timezone.now()

    def treated(ago: timedelta) -> tuple[Treatment, str]:
        one = log(patient=patient, treated_at=now - ago, logged_at=now - ago)
        return one, f"/r/{links.token_of(one)}"

    # The oldest first: a link opens the patient's newest treatment.
    treatment, home = treated(9 * DAY)
    yield State("after one week, asked", home, open_details, ".asks")
    yield State("check-in", f"{home}/check-in")
    yield State("check-in, one left out", f"{home}/check-in", leave_one_out)
    say(treatment, normal=False)
    yield State("check-in, thanks", f"{home}/check-in?thanks")
    yield State("after one week, not normal yet", home, open_details, ".waiting")
    treatment, home = treated(80 * HOUR)
    yield State("days 2 to 7", home, open_details)
    say(treatment, normal=False, trend="worse", wants_call=True)
    yield State("check-in, worse", f"{home}/check-in?thanks")
    yield State("check-in, nothing asked", f"{home}/check-in")
    yield State("the first day", treated(10 * HOUR)[1], open_details)
    treatment, home = treated(3 * HOUR)
    yield State("right after", home, open_details)
    yield State("something wrong", f"{home}/wrong", open_details)
    for sign in ("bumps", "spots", "pus", "breathing"):
        yield State(f"something wrong, {sign}", f"{home}/wrong", tick(sign))
    yield State("something wrong, nothing ticked", f"{home}/wrong", send)
    yield State("something wrong, no network", f"{home}/kept/wrong")
    yield State("something wrong, not sent", f"{home}/kept/unsent")
    for tier in reversed(TierAction):
        report_signs(treatment=treatment, tier=tier, signs=["pus"], now=now)
        yield State(f"sent, {tier}", f"{home}/sent")
        yield State(f"open report, {tier}", home, show="#reported")
    yield State("choices", f"{home}/choices")
    yield State("choices, saved", f"{home}/choices?saved")
    yield State("not you", f"{home}/not-you")
    yield State("a link that opens nothing", f"/r/{'0' * links.TOKEN_LENGTH}")
    yield State("read", home, lambda page: page.locator("button.read").click(), "#read")
    yield State(
        "stopped", f"{home}/choices", lambda page: page.locator("[name=stop]").click(), ".note"
    )
    yield State("closed", f"{home}/not-you", lambda page: page.locator("form button").click())


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


def tick(sign: str) -> Callable[[Page], None]:
    def do(page: Page) -> None:
        open_details(page)
        page.locator(f"input[value={sign}]").check()

    return do


def send(page: Page) -> None:
    page.locator("form.wrong button[type=submit]").click()


def leave_one_out(page: Page) -> None:
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.locator("input[name=normal]").first.check()
    page.locator("main form button").click()
