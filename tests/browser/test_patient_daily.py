"""The day’s list: ticked on the phone and kept there, a timer, a plain list without a script."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from patients import links
from tests.browser.patient import judge
from tests.builders import log, make_clinic, make_patient

AHEAD = "const real = Date.now; Date.now = () => real.call(Date) + "


@pytest.mark.browser
@pytest.mark.services
def test_ticks_last_a_day_and_the_mask_has_its_fifteen_to_twenty_minutes(
    live_server: LiveServer, browser: Browser
) -> None:
    ended_at = timezone.now() - timedelta(hours=80)
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=ended_at)
    token = links.token_of(treatment)
    address = f"{live_server.url}/r/{token}"
    context = browser.new_context(viewport={"width": 320, "height": 740}, service_workers="block")
    page = context.new_page()
    page.goto(address)
    daily = page.locator("#daily")
    expect(daily.locator("h3")).to_have_text(["Morning", "Night", "Once today, if your skin peels"])
    expect(daily.locator("input")).to_have_count(5)
    daily.get_by_label("Moisturize").first.check()
    daily.get_by_role("button", name="Start the 20-minute timer").click()
    expect(daily.locator("[role=timer]")).to_have_text(re.compile(r"^1[45]:\d\d$"))
    assert judge(page) == []
    page.reload()
    expect(daily.locator("input").nth(1)).to_be_checked()
    expect(daily.locator("input:checked")).to_have_count(1)
    stored = page.evaluate("JSON.stringify(localStorage)")
    assert token not in stored
    for minutes, said in ((16, "You may take it off now."), (21, "Take it off now.")):
        page = context.new_page()
        page.add_init_script(AHEAD + str(minutes * 60_000))
        page.goto(address)
        daily = page.locator("#daily")
        expect(daily.locator("[data-say]:visible")).to_have_text(said)
    daily.get_by_role("button", name="Stop the timer").click()
    expect(daily.get_by_role("button", name="Start the 20-minute timer")).to_be_visible()
    page.evaluate("document.getElementById('keep').dataset.day = '2031-01-01'")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(daily.locator("input:checked")).to_have_count(0)
    context.close()


@pytest.mark.browser
@pytest.mark.services
def test_without_a_script_the_day_is_a_list_and_outside_of_its_days_there_is_none(
    live_server: LiveServer, browser: Browser
) -> None:
    patient = make_patient(clinic=make_clinic())
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for ago, shown in ((timedelta(days=9), 0), (timedelta(hours=80), 5), (timedelta(hours=3), 0)):
        treatment = log(patient=patient, treated_at=timezone.now() - ago)
        page.goto(f"{live_server.url}/r/{links.token_of(treatment)}")
        expect(page.locator("#daily li:visible")).to_have_count(shown)
        expect(page.locator("#daily :is(button, input):visible")).to_have_count(0)
    context.close()
