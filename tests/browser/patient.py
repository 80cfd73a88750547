"""What the patient's pages are judged by in a real browser."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

TARGETS = "a.button, button, summary, label.tick, .foot a, .ask a, .language, .back"
# 7:1 for everything, though 4.5:1 would be enough for what stands beside the text.
CONTRAST = {"rules": {"color-contrast-enhanced": {"enabled": True}}}


def settled(page: Page) -> None:
    """Wait until nothing of the page changes by itself: it is whole, and its copy is kept."""
    page.wait_for_load_state()
    if page.locator("#keep:not([data-copied])").count():
        said = page.locator("#keep [data-kept]:not([hidden])")
        expect(said).not_to_have_count(0)


def judge(page: Page) -> list[str]:
    """Everything that is wrong with what is shown now: axe, contrast, width, targets."""
    page.wait_for_load_state()
    found = Axe().run(page, options=CONTRAST).response["violations"]
    wrong = [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
    if not fits(page):
        wrong.append("scrolls sideways")
    wrong += [f"over two lines: {one}" for one in broken_numbers(page)]
    return wrong + [f"small: {one}" for one in small_targets(page)]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def broken_numbers(page: Page) -> list[str]:
    """Phone numbers that do not stand on one line."""
    found: list[str] = page.evaluate(
        r"""() => {
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const broken = [];
          while (texts.nextNode()) {
            const text = texts.currentNode;
            if (!text.parentElement.checkVisibility()) continue;
            for (const one of text.data.matchAll(/(\+\d+ |\(\d{3}\) |\d{3}-)[\d -]{6,}\d/g)) {
              const range = document.createRange();
              range.setStart(text, one.index);
              range.setEnd(text, one.index + one[0].length);
              const lines = [...range.getClientRects()].map(({top}) => Math.round(top));
              if (new Set(lines).size > 1) broken.push(one[0]);
            }
          }
          return broken;
        }"""
    )
    return found


def small_targets(page: Page) -> list[str]:
    """Whatever can be pressed and is under 48 px high or wide."""
    found: list[str] = page.evaluate(
        """targets => [...document.querySelectorAll(targets)].filter(one => {
             const box = one.getBoundingClientRect();
             return box.width && (Math.round(box.height) < 48 || Math.round(box.width) < 48);
           }).map(one => one.outerHTML)""",
        TARGETS,
    )
    return found


def open_details(page: Page) -> None:
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
