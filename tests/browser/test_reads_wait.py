"""No browser test asserts what it reads at once: the page may not have come, or half of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
# Each has a sister that waits: `expect(locator).to_have_count(…)`, `expect(page).to_have_url(…)`.
AT_ONCE = {
    "all_inner_texts", "all_text_contents", "count", "get_attribute", "inner_text", "input_value",
    "is_checked", "is_disabled", "is_enabled", "is_hidden", "is_visible", "text_content", "url",
}  # fmt: skip
NO_PAGE = (".objects.", "live_server.")


def read_at_once(code: str) -> Iterator[int]:
    """The lines on which something of a page is read inside an `assert`."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Assert):
            continue
        for part in ast.walk(node.test):
            if isinstance(part, ast.Attribute) and part.attr in AT_ONCE:
                if not any(one in ast.unparse(part) for one in NO_PAGE):
                    yield part.lineno


def test_what_a_browser_test_asserts_of_a_page_is_waited_for() -> None:
    files = [one for one in TESTS.rglob("test_*.py") if "playwright" in one.read_text()]
    assert len(files) > 10
    found = {f"{one.name}:{line}" for one in files for line in read_at_once(one.read_text())}
    assert found == set(), "use expect(), which waits"


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("assert page.locator('tr').count() == 1", [1]),
        ("page.click('a')\nassert page.url.endswith('/sent')", [2]),
        ("expect(page.locator('tr')).to_have_count(1)", []),
        ("assert Treatment.objects.filter(patient=patient).count() == 2", []),
    ],
)
def test_such_a_reading_is_found(code: str, lines: list[int]) -> None:
    assert list(read_at_once(code)) == lines
