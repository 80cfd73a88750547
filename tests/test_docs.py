"""What the pages in docs/ tell people to type, set, open and watch exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import Resolver404, resolve
from django.utils import timezone

from reminders.gauges import Gauges
from tests.services.environment import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), ROOT / "README.md"])
FOR_THOSE_WHO_RUN_IT = {
    "operator.md", "twilio-and-email.md", "clinic-admin.md", "nurse.md", "hipaa.md",
}  # fmt: skip
MANAGE = re.compile(r'manage\.py (\w+)([^`\n|.,:;)"]*)')
SETTING = re.compile(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=\S*)?`")
# Of PostgreSQL and of the command line, not of ours.
NOT_OURS = {"WEB_CONCURRENCY"}


def pages(pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
    for path in PAGES:
        for found in re.finditer(pattern, path.read_text(), re.MULTILINE):
            yield path.name, found


@pytest.mark.parametrize(
    "words", sorted({found[0] for _, found in pages(MANAGE.pattern)}), ids=lambda words: words
)
def test_every_command_exists_and_takes_what_is_written(words: str) -> None:
    match = MANAGE.fullmatch(words)
    assert match is not None
    name, options = match[1], shlex.split(match[2].replace("…", ""))
    assert name in get_commands(), words
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert {word for word in options if word.startswith("--")} <= flags


def test_every_setting_is_one_that_the_example_explains() -> None:
    explained = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    explained |= NOT_OURS | {"BASE_DIR"}
    for page, found in pages(SETTING.pattern):
        assert found[1] in explained, f"{page}: {found[1]}"


def test_the_one_path_by_which_a_reminder_leaves_is_as_long_as_is_said() -> None:
    (said,) = re.findall(r"together (\d+) lines", (DOCS / "delivery.md").read_text())
    path = (ROOT / "reminders" / name for name in ("claim.py", "dispatch.py"))
    assert int(said) == sum(len(file.read_text().splitlines()) for file in path)


@pytest.mark.django_db
def test_every_metric_is_explained_to_the_operator_and_no_other() -> None:
    told = set(
        re.findall(r"^\| `(aftercare_\w+)`", (DOCS / "operator.md").read_text(), re.MULTILINE)
    )
    real = {family.name for family in Gauges(now=timezone.now()).collect()}
    # Not there before the first tick, or while the broker is away.
    real |= {"aftercare_tick_age_seconds", "aftercare_queue_depth", "aftercare_set_aside"}
    assert told == real


def test_every_link_to_a_file_leads_to_one() -> None:
    for page, found in pages(r"\]\(([^)#]+)\)"):
        if not found[1].startswith("http"):
            base = ROOT if page == "README.md" else DOCS
            assert (base / found[1]).exists(), f"{page}: {found[1]}"


def test_every_address_of_the_site_is_one() -> None:
    for page, found in pages(
        r"(?:your-address|[`*])(/(?:healthz|readyz|metrics|webhooks|audit)[\w/]*)"
    ):
        try:
            resolve(found[1])
        except Resolver404:
            pytest.fail(f"{page}: {found[1]}")


def test_every_name_of_a_page_or_field_that_people_are_told_to_press_is_there() -> None:
    """What stands between stars in the pages for admins and nurses is on a page of the site."""
    shown = "".join(path.read_text() for path in (ROOT / "templates" / "staff").glob("*.html"))
    shown += (ROOT / "reminders" / "clinic_forms.py").read_text()
    shown += (ROOT / "patients" / "models" / "clinic.py").read_text()
    for name in ("clinic-admin.md", "nurse.md"):
        for words in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", (DOCS / name).read_text()):
            assert re.sub(r"\s+", " ", words).lower() in re.sub(r"\s+", " ", shown).lower(), words


def test_every_unit_that_is_started_exists() -> None:
    units = {path.stem for path in (DOCS / "systemd").iterdir()}
    text = (DOCS / "operator.md").read_text()
    named = set(re.findall(r"\b(aftercare-[a-z]+@?)", text))
    assert named <= units


def test_each_of_those_who_run_it_has_a_page_and_the_readme_names_it() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in FOR_THOSE_WHO_RUN_IT:
        assert (DOCS / name).exists()
        assert f"(docs/{name})" in readme, name
        assert Path(DOCS / name).read_text().startswith("# ")
