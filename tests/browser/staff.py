"""What the staff pages' browser tests look for."""

from __future__ import annotations

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

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
