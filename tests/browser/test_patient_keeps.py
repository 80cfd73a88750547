"""What a patient takes along, in a real browser: the sheet of paper."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from patients import links
from tests.browser.patient import fits, judge
from tests.builders import log, make_clinic, make_patient

PAGES = re.compile(rb"/Type\s*/Page[^s]")


@pytest.mark.browser
@pytest.mark.services
@pytest.mark.parametrize("language", ["en", "es"])
def test_the_plan_prints_on_one_sheet_and_reads_well_on_every_screen(
    live_server: LiveServer, browser: Browser, language: str
) -> None:
    clinic = make_clinic(name="Lakeside Skin and Laser Clinic of Greater Chicago")
    treatment = log(
        patient=make_patient(clinic=clinic, language=language), treated_at=timezone.now()
    )
    address = f"{live_server.url}/r/{links.token_of(treatment)}/print"
    for dark, width in ((False, 320), (True, 1280)):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        page = context.new_page()
        page.goto(address)
        assert fits(page)
        assert judge(page) == []
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
        assert judge(page) == []
        for size in ("A4", "Letter"):
            printed = page.pdf(format=size, prefer_css_page_size=False)
            assert len(PAGES.findall(printed)) == 1, size
        context.close()
