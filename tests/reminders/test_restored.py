"""After `manage.py restore`: what may have gone since the backup is asked about, not sent blind."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from aftercare import sealed
from patients.models import Clinic
from patients.models.patient import Channel
from reminders import tasks
from reminders.models import Attempt, Concern, Heartbeat, Reminder, State
from tests.builders import log, make_clinic, make_patient
from tests.faults.cohort import noon_zone
from tests.phone.client import Phone

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

MAIL = "m@example.org"


@pytest.fixture
def clinic(db: None) -> Clinic:
    """Where it is noon: whatever the hour of the run, nobody sleeps three hours later."""
    return make_clinic(zone=noon_zone())


@pytest.fixture
def backup(tmp_path: Path, settings: Settings, clinic: Clinic, provider: Phone) -> Path:
    """Made when two texts and a mail are due, and before any of them went."""
    cache.clear()
    provider.control(delays=0, receipts=False)
    for number in ("+12025550146", "+12025550147"):
        log(patient=make_patient(clinic=clinic, phone=number))
    log(patient=make_patient(clinic=clinic, phone="", email=MAIL, channel=Channel.EMAIL))
    settings.BACKUP_KEY_FILE = str(tmp_path / "key")
    sealed.new_key(tmp_path / "key")
    path = tmp_path / "a.age"
    call_command("backup", path, stdout=StringIO())
    return path


def restore(path: Path) -> None:
    call_command("restore", path, replace=True, stdout=StringIO())


def states() -> set[str]:
    rows = Reminder.objects.filter(rule="handover", channel=Channel.SMS)
    return set(rows.values_list("state", flat=True))


@pytest.mark.parametrize("wait", [timedelta(), timedelta(hours=3)], ids=["at once", "hours later"])
def test_what_went_out_after_the_backup_is_not_sent_again(
    backup: Path, provider: Phone, wait: timedelta
) -> None:
    """Although the cache is empty: the restored rows themselves say that they are in doubt."""
    tasks.drain()
    assert (provider.stats(brief=True)["created"], len(provider.messages(MAIL))) == (2, 1)
    restore(backup)
    assert Attempt.objects.count() == 0
    cache.clear()
    for later in (0, 10, 1200):
        with time_machine.travel(timezone.now() + wait + timedelta(seconds=later)):
            tasks.drain()
            tasks.settle()
    stats = provider.stats(brief=True)
    assert (stats["doubled_texts"], stats["doubled_mails"]) == (0, 0)
    assert states() <= {State.SENT, State.DELIVERED}
    assert Heartbeat.objects.get().restored is True
    # A mail server cannot be asked: a nurse decides.
    assert Concern.objects.get(reminder__rule="handover").kind == Concern.Kind.UNKNOWN


def test_what_had_not_gone_by_the_restore_still_goes(backup: Path, provider: Phone) -> None:
    restore(backup)
    for later in (0, 10, 1200):
        with time_machine.travel(timezone.now() + timedelta(seconds=later)):
            tasks.drain()
            tasks.settle()
    assert provider.stats(brief=True)["created"] == 2
    assert states() <= {State.SENT, State.DELIVERED}
