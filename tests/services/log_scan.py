"""Every line that a run of the tests logs is looked at: no number, address, name or token in it.

Both of production's formatters write each record of this process; what the processes that a test
starts have logged is read when they end. One finding and the run has failed, whatever its tests
say.
"""

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NEVER = {
    "a phone number": re.compile(r"\+\d{8,15}\b|\(?\b202\)?[ .-]{0,2}555[ .-]?01\d\d\b"),
    "an email address": re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"),
    "a link's token": re.compile(
        r"/[ru]/[0-9A-Za-z]{8,}|\b(?=\w*\d)(?=\w*[A-Z])(?=\w*[a-z])[0-9A-Za-z]{22}\b"
    ),
}
WORD = re.compile(r"[^\W\d_]+")
# A request's id, a message's: random letters between its digits, and nobody's name.
IDENTIFIER = re.compile(r"\b(?:[A-Z]{2})?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b")
LETTERS = 4  # shorter names are words of many lines
# Names of test patients and test staff that are words of ours.
WORDS = frozenset(
    {"Erased", "Patient", "Name", "None", "Record", "Test", "Admin", "Clinical", "Desk", "Nurse"}
)
SHOWN = 20


@dataclass(frozen=True)
class Finding:
    where: str
    what: str
    line: str


@dataclass
class Scan:
    """`names`: of every patient and everybody of the staff this run has made."""

    names: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    lines: int = 0

    def look(self, text: str, where: str) -> None:
        for line in text.splitlines():
            self.lines += 1
            found = {what for what, pattern in NEVER.items() if pattern.search(line)}
            if self.names & set(WORD.findall(IDENTIFIER.sub("", line))):
                found.add("a person's name")
            self.findings += [Finding(where, what, line[:300]) for what in sorted(found)]

    def look_into(self, file: Path) -> None:
        if file.exists():
            self.look(file.read_text(errors="replace"), file.name)

    def learn(self, *names: str) -> None:
        words = {word for name in names for word in WORD.findall(name)}
        self.names |= {word for word in words if len(word) >= LETTERS} - WORDS


SCAN = Scan()


class Listener(logging.Handler):
    """Formats as production does, by each of its formatters."""

    def __init__(self, formatters: list[logging.Formatter]) -> None:
        super().__init__(logging.INFO)
        self.formatters = formatters

    def emit(self, record: logging.LogRecord) -> None:
        where = os.environ.get("PYTEST_CURRENT_TEST", "before and after the tests")
        for one in self.formatters:
            SCAN.look(one.format(record), where)


def begin() -> None:
    """Once Django is set up."""
    from django.db.models.signals import post_init

    from aftercare.logs import formatter
    from patients.models import Patient, StaffUser

    logging.getLogger().addHandler(Listener([formatter("line"), formatter("json")]))

    def learn(instance: Any, **kwargs: Any) -> None:
        known = vars(instance)  # what is deferred is not asked for
        SCAN.learn(known.get("first_name", ""), known.get("last_name", ""))

    def learn_staff(instance: Any, **kwargs: Any) -> None:
        """Some are called “desk lakeside”: only what is written like a name is one."""
        words = vars(instance).get("name", "").split()
        SCAN.learn(*(word for word in words if word[:1].isupper()))

    post_init.connect(learn, sender=Patient, weak=False, dispatch_uid="names of the tests")
    post_init.connect(learn_staff, sender=StaffUser, weak=False, dispatch_uid="staff of the tests")


def report() -> list[str]:
    """What the end of the run says."""
    found = SCAN.findings
    lines = [f"{one.what} in a log, {one.where}: {one.line}" for one in found[:SHOWN]]
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return [*lines, *more]
