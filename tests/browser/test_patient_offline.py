"""Without a network: the copy on the phone says what is right at its hour, to nobody else."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect
from pytest_django.live_server_helper import LiveServer

from patients import links
from patients.models import OptOut, Reading, Report, Treatment
from tests.browser.cut import Line, line
from tests.browser.patient import fits, judge
from tests.browser.staff import whole
from tests.builders import log, make_clinic, make_patient
from tests.services.runtime import wait_for

H = timedelta(hours=1)
SLOW = -3 * H  # the phone's clock is three hours behind
WORDS = {
    "en": ("Wash morning and night", "Dermal Repair Cream takes the place of Rescue", "Saved copy",
           "The clinic may have changed this", "Call 911 now if", "Remove from this phone",
           "Not sent. Call the clinic."),
    "es": ("Lave la piel mañana y noche", "La Dermal Repair Cream toma el lugar de Rescue",
           "Copia guardada", "La clínica puede haber cambiado algo", "Llame ahora al 911 si",
           "Quitar de este teléfono", "No se envió. Llame a la clínica."),
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
    expect(page.locator("button[data-act=forget]")).to_be_visible()


def address_of(cable: Line, treatment: Treatment) -> str:
    return f"http://localhost:{cable.port}/r/{links.token_of(treatment)}"


def tells_without_a_network(page: Page, unsent: str) -> None:
    """ "Something wrong?" opens, says what to do, and says plainly that nothing was sent."""
    page.locator(".bar .danger").click()
    told = page.locator(".told [role=status]")
    expect(told.locator("a[href='tel:+18553837546']:visible")).to_have_count(1)
    assert judge(page) == []
    says_what_to_do(page)
    not_sent(page, unsent)


def loses_the_network_before_it_is_sent(page: Page, cable: Line, unsent: str) -> None:
    """The form from the network itself; then another one, which has no ticks to keep."""
    page.locator(".bar .danger").click()
    says_what_to_do(page)
    whole(page)
    cable.cut()
    not_sent(page, unsent)
    cable.mend()
    page.locator(".told button").click()
    expect(page).to_have_url(re.compile(r"/sent(\?|$)"))
    page.locator(".back").click()
    page.locator(".foot a").first.click()
    send = page.locator("form.card button")
    expect(send).to_be_visible()
    whole(page)
    cable.cut()
    send.click()
    expect(page.locator("h1")).to_have_text(unsent)
    assert not OptOut.objects.exists()
    cable.mend()


def says_what_to_do(page: Page) -> None:
    page.locator("input[value=pus]").check()
    expect(page.locator(".tell:visible")).to_have_class("tell page-nurse")


def not_sent(page: Page, unsent: str) -> None:
    page.locator(".told button").click()
    expect(page.locator("h1")).to_have_text(unsent)
    expect(page.locator("[role=alert] .number")).to_have_text("(855) 383-7546")
    expect(page.locator("input:checked")).to_have_value("pus")
    expect(page.locator(".tell:visible")).to_have_class("tell page-nurse")
    assert judge(page) == []
    assert not Report.objects.exists()


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
    wash, following, saved, old, call, remove, unsent = WORDS[language]
    with line(urlsplit(live_server.url).port or 0) as cable:
        context = phone(browser, dark=dark, width=width)
        page = opened(context, address_of(cable, mine), later=timedelta())
        expect(page.locator("#now")).not_to_contain_text(wash)
        keeps(page)
        page.close()
        cable.cut()

        page = opened(context, address_of(cable, mine), later=30 * H)
        expect(page.locator("#now")).to_contain_text(wash)
        expect(page.locator("#next")).to_contain_text(following)
        gate = mine.treated_at.astimezone(mine.patient.tz) + 48 * H
        expect(page.locator("#next .clock")).to_have_text(re.compile(rf"\b{gate:%-I:%M}\s"))
        day = (timezone.now() + 30 * H).astimezone(mine.patient.tz).date()
        ended_on = mine.treated_at.astimezone(mine.patient.tz).date()
        number = re.compile(rf"\b{(day - ended_on).days + 1}$")
        expect(page.locator("h1 .day")).to_have_text(number)
        expect(page.locator("h1 .after")).to_have_text(re.compile("^33 ho"))  # hours, horas
        expect(page.locator(".top .note")).to_contain_text(saved)
        expect(page.locator(".top .note")).to_contain_text(old)
        expect(page.get_by_role("heading", name=call)).to_be_visible()
        expect(page.locator(".care li")).to_have_count(19)
        expect(page.locator("a[href='tel:+18553837546']:visible").nth(4)).to_be_visible()
        expect(page.locator("form:visible")).to_have_count(0)
        assert fits(page)
        assert judge(page) == []
        tells_without_a_network(page, unsent)
        page.close()

        # By the phone's own clock this is 22 hours after treatment; it is 25.
        page = opened(context, address_of(cable, mine), later=22 * H)
        expect(page.locator("#now")).to_contain_text(wash)
        page.close()
        page = opened(context, address_of(cable, mine), later=8 * 24 * H)
        expect(page.locator("h1 .day")).to_be_visible()
        expect(page.locator("#now")).not_to_contain_text(wash)
        page.close()
        with pytest.raises(Error, match="ERR_"):
            opened(context, address_of(cable, other), later=timedelta())

        cable.mend()
        page = opened(context, address_of(cable, mine), later=timedelta())
        keeps(page)
        page.locator("button.read").click()
        expect(page.locator("#read")).to_be_visible()
        whole(page)
        assert Reading.objects.exists()
        loses_the_network_before_it_is_sent(page, cable, unsent)
        page.goto(address_of(cable, mine))
        keeps(page)
        page.get_by_role("button", name=remove).click()
        expect(page.locator("button[data-act=keep]")).to_be_visible()
        # The page says so at once; the worker behind it takes its time.
        wait_for(
            lambda: page.evaluate("caches.keys()") == [], seconds=15, what="the copy is removed"
        )
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
