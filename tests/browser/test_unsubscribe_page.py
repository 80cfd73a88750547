"""The page that ends the emails, in a real browser: asked, pressed, done."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from patients import links
from patients.models import Clinic, OptOut
from patients.models.patient import Channel
from tests.browser.staff import WIDTHS, assert_good
from tests.builders import log, make_patient

pytestmark = [pytest.mark.browser, pytest.mark.services]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_press_ends_the_emails_and_no_page_of_it_has_a_violation(
    browser: Browser, live_server: LiveServer, clinic: Clinic, scheme: str
) -> None:
    patient = make_patient(clinic=clinic, channel=Channel.EMAIL, email="maria@example.org")
    address = f"{live_server.url}/u/{links.token_of(log(patient=patient))}"
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address)
        assert_good(page)
        assert not OptOut.objects.filter(address="maria@example.org").exists()
        page.get_by_role("button", name="Stop the emails").click()
        expect(page.get_by_role("heading", name="No more emails")).to_be_visible()
        assert_good(page)
        assert OptOut.objects.filter(address="maria@example.org").delete()[0] == 1
    page.close()
