"""What the staff pages' browser tests look for."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import ConsoleMessage, Page, expect
from twilio.request_validator import RequestValidator

from reminders.models import Attempt
from tests.browser.patient import broken_numbers

WIDTHS = [360, 1280]
OpenPage = Callable[..., Page]
# A newer question of the desk's search lets go of the older one: htmx says that aloud.
# Chromium notes, too, that it has done what signing out asks of it.
LET_GO = ("htmx:afterRequest", "htmx:sendAbort", "Clear-Site-Data header on ")


def arrived(page: Page, heading: str) -> None:
    """Wait for the page under this heading, which the one before it does not have."""
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    whole(page)


def whole(page: Page) -> None:
    """Wait for the last line of the page that came, its sheets and its scripts.

    Playwright goes on as soon as a page begins to come: what is read at once, without a waiting
    `expect`, may be the half of it.
    """
    page.wait_for_load_state()


def violations(page: Page) -> list[str]:
    whole(page)
    # What is good is not listed: that would take as long as finding what is not.
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def assert_good(page: Page) -> None:
    assert violations(page) == []
    assert fits(page)
    assert broken_numbers(page) == []


def complaints(page: Page) -> list[str]:
    """What the browser's console says from now on, such as a breach of the content policy."""
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if not message.text.startswith(LET_GO):
            said.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


# Of radio buttons Tab reaches the chosen one; where none is, the first, which is not counted here.
REACHABLE = (
    "a[href], button:not([disabled]), input:not([type=hidden], [type=radio]), "
    "input[type=radio]:checked, select, textarea, summary, [tabindex='0']"
)
CONTROLS = f"""[...document.querySelectorAll("{REACHABLE}")].filter(
  one => one.checkVisibility({{visibilityProperty: true}}))"""
STOP = f"""() => {{
  const one = document.activeElement, box = one.getBoundingClientRect();
  // A pill's frame is drawn around the words beside its radio button.
  const drawn = one.matches('.pill input') ? one.nextElementSibling : one;
  const {{outlineStyle, outlineWidth}} = getComputedStyle(drawn);
  return {{
    at: {CONTROLS}.indexOf(one),
    is: one.outerHTML.slice(0, 90),
    seen: outlineStyle != 'none' && parseFloat(outlineWidth) >= 2
      && box.bottom > 0 && box.top < innerHeight,
  }}
}}"""


def assert_walks(page: Page) -> None:
    """Tab reaches every control in the order in which they stand, each with a visible focus."""
    whole(page)
    last = page.evaluate(f"{CONTROLS}.length") - 1
    page.locator(".skip").focus()
    reached = [0]
    while reached[-1] < last:
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop["at"] == reached[-1]:
            continue  # within a day and time: the browser's own parts of it
        assert stop["seen"], (page.url, stop["is"])
        if stop["at"] != -1:  # else the first of radio buttons of which none is chosen
            reached.append(stop["at"])
        assert reached[-1] == len(reached) - 1, (page.url, stop["is"])


def call_back(attempt: Attempt, status: str, code: str = "") -> int:
    """What Twilio posts to us about a text, signed as it signs."""
    path = reverse("twilio-status", args=[attempt.token])
    said = {
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "MessageSid": f"SM{attempt.pk:032}",
        "MessageStatus": status,
        **({"ErrorCode": code} if code else {}),
    }
    signature = RequestValidator(settings.TWILIO_AUTH_TOKEN).compute_signature(
        settings.PUBLIC_BASE_URL + path, said
    )
    return (
        Client()
        .post(
            path,
            urlencode(said),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )
        .status_code
    )
