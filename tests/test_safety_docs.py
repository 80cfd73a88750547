"""docs/safety.md and docs/asvs.md name the tests that show what they say: each of them exists."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.services.environment import ROOT

SAFETY, ASVS = ROOT / "docs/safety.md", ROOT / "docs/asvs.md"
STATEMENTS = 22
# OWASP ASVS 5.0.0, levels 1 and 2: chapter.section, then the numbers in it.
REQUIREMENTS = (ROOT / "tests/asvs_requirements.txt").read_text().split()
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| (\d+(?:\.\d+\.\d+)?) \|(.*)\|$", re.MULTILINE)


def rows(page: Path) -> list[tuple[str, str]]:
    return ROW.findall(page.read_text())


@functools.cache
def known_in(path: Path) -> frozenset[str]:
    if not path.exists():
        return frozenset()
    nodes = ast.parse(path.read_text()).body
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("page", [SAFETY, ASVS], ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = NAMED.findall(page.read_text())
    missing = [
        f"{file}::{name}" for file, name in named if name not in known_in(ROOT / "tests" / file)
    ]
    assert len(named) > 20
    assert missing == []


def test_every_statement_has_a_line_with_a_test() -> None:
    assert [number for number, _ in rows(SAFETY)] == [str(n + 1) for n in range(STATEMENTS)]
    assert [number for number, said in rows(SAFETY) if not NAMED.search(said)] == []


def test_every_requirement_has_one_line() -> None:
    assert len(REQUIREMENTS) == 253, "as many as there are"
    assert [number for number, _ in rows(ASVS)] == REQUIREMENTS


def test_every_line_names_a_test_or_says_why_there_is_none() -> None:
    for number, said in rows(ASVS):
        answer = said.split("|")[-1].strip()
        begins = answer.startswith(("n/a: ", "deviation: ", "by hand: ", "written: "))
        assert begins or NAMED.search(answer), (number, answer)
