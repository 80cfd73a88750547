"""Words that want to be script, stored in every text, in a real browser: on no page of the staff
or of a patient does anything run, load or breach the content policy.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page
from pytest_django.live_server_helper import LiveServer

from patients.models import Clinic, Patient, StaffUser
from patients.models.clinic import Role
from reminders.models import Concern, InboundText
from tests.attack.scene import ADDRESSES, Scene, address, make_scene, signed_in
from tests.patients.test_access import TABLE

pytestmark = pytest.mark.thorough

WORDS = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7|add:7 }}<!--"
# Counts whatever a page should not have: something that ran, and elements the words would make.
COUNT = "document.querySelectorAll('img[src=x], [onerror], script:not([src])').length"


@pytest.fixture
def scene(live_server: LiveServer) -> Scene:
    scene = make_scene(slug="lakeside", number=1, words=WORDS)
    Clinic.objects.update(name=WORDS[:80], sms_name=WORDS[:20])
    Patient.objects.update(email='"<script>alert(3)</script>"@lakeside.example')
    StaffUser.objects.update(name=WORDS[:80])
    scene.treatment.practitioner = WORDS[:80]
    scene.treatment.save(update_fields=["practitioner"])
    text = InboundText.objects.create(
        clinic=scene.clinic,
        provider_id="SMx",
        from_address=str(scene.treatment.patient.phone),
        body=WORDS,
        meaning="other",
        received_at=timezone.now(),
    )
    Concern.objects.create(
        clinic=scene.clinic,
        patient=scene.treatment.patient,
        text=text,
        kind=Concern.Kind.TEXT,
        detail=WORDS,
        opened_at=timezone.now(),
    )
    return scene


def watched(page: Page) -> list[str]:
    """What is run, loaded from elsewhere or said on the console from now on."""
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # A page that is to be kept as a file links no icon, and the browser asks by itself.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            said.append(f"{message.text} {message.location['url']}")

    def answered(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", answered)
    page.on("request", lambda request: said.extend(_elsewhere(request.url)))
    return said


@pytest.mark.usefixtures("page")  # it is a browser's test
def test_no_stored_word_runs_on_any_page(
    browser: Browser, live_server: LiveServer, scene: Scene
) -> None:
    client = signed_in(scene.staff[Role.ADMIN])
    context = browser.new_context()
    cookie: Any = {"name": "session", "url": live_server.url}
    context.add_cookies([cookie | {"value": client.cookies["session"].value}])
    page = context.new_page()
    said, shown, made = watched(page), 0, {}
    for name in sorted(ADDRESSES):
        path = address(name, scene)
        if "get" not in TABLE[name][1] or not _is_page(client.get(path)):
            continue
        page.goto(live_server.url + path)
        shown += WORDS[:15] in page.inner_text("body")
        if found := page.evaluate(COUNT):
            made[name] = found
    context.close()
    assert said == []
    assert made == {}
    assert shown > 10, "the words are there to be read"


def _elsewhere(url: str) -> list[str]:
    return [] if url.startswith(("http://localhost:", "data:")) else [url]


def _is_page(answer: Any) -> bool:
    return bool(answer.status_code == 200 and answer["Content-Type"].startswith("text/html"))
