"""What a tool can find: bandit over our code, and whether each package is exactly the one meant.

bandit, medium and up, finds nothing but what somebody has looked at and said so in its line: ruff
has bandit's rules under the same numbers (S608 is B608), so one word serves both. Known holes in
packages are asked for by `make audit`, which needs the network.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ["aftercare", "patients", "reminders"]
SAME = {"B703": "B308"}  # mark_safe has two numbers


def findings(*paths: str | Path) -> list[tuple[str, bool]]:
    """What bandit finds, and whether the line says that it was looked at."""
    ended = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", "-ll", "--format", "json", *paths],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    report = json.loads(ended.stdout)
    assert report["errors"] == []
    found = []
    for one in report["results"]:
        number = SAME.get(one["test_id"], one["test_id"]).removeprefix("B")
        lines = (ROOT / one["filename"]).read_text().splitlines()
        said = " ".join(lines[n - 1] for n in one["line_range"])
        where = f"{one['filename']}:{one['line_number']} {one['test_id']} {one['issue_text']}"
        found.append((where, bool(re.search(rf"noqa: .*\bS{number}\b", said))))
    return found


def test_bandit_finds_nothing_that_nobody_has_looked_at() -> None:
    found = findings(*PACKAGES)
    assert [where for where, looked_at in found if not looked_at] == []
    assert found  # it has looked


@pytest.mark.parametrize(
    "line", ["subprocess.call(typed, shell=True)", "hashlib.md5(typed)", "yaml.load(typed)"]
)
def test_it_would_find_something(tmp_path: Path, line: str) -> None:
    module = tmp_path / "bad.py"
    module.write_text(f"import hashlib, subprocess, yaml\n{line}\n")
    assert [looked_at for _, looked_at in findings(module)] == [False]


@pytest.mark.parametrize("name", ["requirements", "requirements-demo", "requirements-dev"])
def test_every_package_is_pinned_to_one_version_with_its_hashes(name: str) -> None:
    text = (ROOT / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 3
    for line in lines:
        assert re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line
