"""What the staff pages' browser tests look for."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from twilio.request_validator import RequestValidator

from reminders.models import Attempt

WIDTHS = [360, 1280]
OpenPage = Callable[..., Page]


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def assert_good(page: Page) -> None:
    assert violations(page) == []
    assert fits(page)


def complaints(page: Page) -> list[str]:
    """What the browser's console says from now on, such as a breach of the content policy."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def call_back(attempt: Attempt, status: str) -> int:
    """What Twilio posts to us about a text, signed as it signs."""
    path = reverse("twilio-status", args=[attempt.token])
    said = {
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "MessageSid": "SM" + "7" * 32,
        "MessageStatus": status,
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
