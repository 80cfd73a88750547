"""Without a network: the copy on the phone says what is right at its hour, to nobody else."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients import links
from patients.models import Treatment
from tests.browser.cut import Line, line
from tests.browser.patient import fits, judge
from tests.builders import log, make_clinic, make_patient

H = timedelta(hours=1)
SLOW = -3 * H  # the phone's clock is three hours behind
WORDS = {
    "en": ("Wash morning and night", "Dermal Repair Cream takes the place of Rescue", "Saved copy",
           "The clinic may have changed this", "Call 911 now if", "Remove from this phone"),
    "es": ("Lave la piel mañana y noche", "La Dermal Repair Cream toma el lugar de Rescue",
           "Copia guardada", "La clínica puede haber cambiado algo", "Llame ahora al 911 si",
           "Quitar de este teléfono"),
}  # fmt: skip


def phone(browser: Browser, *, dark: bool, width: int) -> BrowserContext:
    return browser.new_context(
        viewport={"width": width, "height": 700},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )


def opened(context: BrowserContext, address: str, *, later: timedelta) -> Page:
    """A new tab when the phone's own clock, which is wrong, has moved on by `later`."""
    page = context.new_page()
    off = (SLOW + later).total_seconds() * 1000
    page.add_init_script(f"const real = Date.now; Date.now = () => real.call(Date) + {off}")
    page.goto(address)
    return page


def keeps(page: Page) -> None:
    expect(page.locator("button[data-act=forget]")).to_be_visible(timeout=15_000)


def address_of(cable: Line, treatment: Treatment) -> str:
    return f"http://localhost:{cable.port}/r/{links.token_of(treatment)}"


@pytest.mark.browser
@pytest.mark.services
@pytest.mark.parametrize(("language", "dark", "width"), [("en", False, 1280), ("es", True, 320)])
def test_thirty_hours_later_without_a_network_the_page_says_what_is_right(
    live_server: LiveServer, browser: Browser, language: str, dark: bool, width: int
) -> None:
    clinic = make_clinic(opening_hours={"mon": ["09:00", "17:00"]})
    mine, other = (
        log(patient=make_patient(clinic=clinic, language=language, phone=number),
            treated_at=timezone.now() - 3 * H)
        for number in ("+12025550146", "+12025550147")
    )  # fmt: skip
    wash, following, saved, old, call, remove = WORDS[language]
    with line(urlsplit(live_server.url).port or 0) as cable:
        context = phone(browser, dark=dark, width=width)
        page = opened(context, address_of(cable, mine), later=timedelta())
        assert wash not in page.locator("#now").inner_text()
        keeps(page)
        page.close()
        cable.cut()

        page = opened(context, address_of(cable, mine), later=30 * H)
        assert wash in page.locator("#now").inner_text()
        assert following in page.locator("#next").inner_text()
        gate = mine.treated_at.astimezone(mine.patient.tz) + 48 * H
        assert f"{gate:%-I:%M} " in page.locator("#next .clock").inner_text()
        day = (timezone.now() + 30 * H).astimezone(mine.patient.tz).date()
        ended_on = mine.treated_at.astimezone(mine.patient.tz).date()
        assert page.locator("h1 .day").inner_text().endswith(str((day - ended_on).days + 1))
        assert saved in page.locator(".top .note").inner_text()
        assert old in page.locator(".top .note").inner_text()
        assert page.get_by_role("heading", name=call).is_visible()
        assert page.locator(".care li").count() == 19
        assert page.locator("a[href='tel:+18553837546']:visible").count() >= 5
        assert page.locator("form:visible").count() == 0
        assert fits(page)
        assert judge(page) == []
        page.close()

        # By the phone's own clock this is 22 hours after treatment; it is 25.
        page = opened(context, address_of(cable, mine), later=22 * H)
        assert wash in page.locator("#now").inner_text()
        page.close()
        page = opened(context, address_of(cable, mine), later=8 * 24 * H)
        assert wash not in page.locator("#now").inner_text()
        page.close()
        with pytest.raises(Error, match="ERR_"):
            opened(context, address_of(cable, other), later=timedelta())

        cable.mend()
        page = opened(context, address_of(cable, mine), later=timedelta())
        keeps(page)
        page.get_by_role("button", name=remove).click()
        expect(page.locator("button[data-act=keep]")).to_be_visible()
        page.close()
        cable.cut()
        with pytest.raises(Error, match="ERR_"):
            opened(context, address_of(cable, mine), later=timedelta())
        context.close()


@pytest.mark.browser
@pytest.mark.services
def test_a_revoked_link_takes_its_copy_off_the_phone(
    live_server: LiveServer, browser: Browser
) -> None:
    treatment = log(patient=make_patient(clinic=make_clinic()), treated_at=timezone.now() - 3 * H)
    with line(urlsplit(live_server.url).port or 0) as cable:
        context = phone(browser, dark=False, width=360)
        address = address_of(cable, treatment)
        keeps(opened(context, address, later=timedelta()))
        links.revoke(treatment)
        assert context.new_page().goto(address).status == 404  # type: ignore[union-attr]
        cable.cut()
        with pytest.raises(Error, match="ERR_"):
            context.new_page().goto(address)
        context.close()


def test_the_scripts_of_a_patient_are_at_most_ten_kilobytes() -> None:
    folder = Path(settings.BASE_DIR) / "static" / "js"
    sizes = [
        len(gzip.compress((folder / name).read_bytes())) for name in ("patient.js", "worker.js")
    ]
    assert sum(sizes) <= 10_000
