"""The email as a narrow mail program shows it, light and dark, in both languages."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Browser

from patients.models.patient import Channel
from reminders.messages import render
from tests.browser.patient import judge
from tests.builders import log, make_clinic, make_patient, reminder_of


@pytest.mark.browser
@pytest.mark.django_db
@pytest.mark.parametrize(("language", "dark"), [("en", False), ("es", True)])
def test_an_email_reads_well_in_a_narrow_mail_program(
    browser: Browser, language: str, dark: bool
) -> None:
    clinic = make_clinic(name="Lakeside Skin and Laser Clinic of Greater Chicago")
    patient = make_patient(
        clinic=clinic, language=language, channel=Channel.EMAIL, email="maria@example.org",
        wants_details=True,
    )  # fmt: skip
    handover = reminder_of(log(patient=patient), "handover")
    context = browser.new_context(
        viewport={"width": 320, "height": 700}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(render(handover, at=timezone.now()).html)
    assert judge(page) == []
    assert asked == []  # no picture tells us that it was opened
    link = page.locator("a.page").bounding_box()
    assert link is not None
    assert link["height"] >= 48
    context.close()
