"""What Twilio tells while the database is down: texts and receipts that nobody can write down."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from patients.models import OptOut
from reminders.models import Reminder, State
from tests.builders import SENDER
from tests.phone.client import Phone
from tests.services.runtime import wait_for

from .carry_on import wait_until_settled
from .cohort import make_due
from .judge import judge
from .stage import Stage
from .table import Finding

DELIVERED_AFTER = 6.0  # seconds: the first texts are delivered while nothing can be written down
AHEAD = 4.0  # seconds: so long after their STOP the texts would leave that must not


def told_while_down(stage: Stage, patients: int) -> Finding:
    """Texts on their way are delivered, and every other patient with one ahead texts STOP."""
    stage.phone.control(
        carrier_stop=False, delays={"queued": 0.0, "sent": 0.1, "delivered": DELIVERED_AFTER}
    )
    with stage.crew("prefork", "threads"):
        make_due(patients)
        wait_until_settled(60)
        ahead = timezone.now() + timedelta(seconds=AHEAD)
        treatments = make_due(patients, due_at=[ahead] * patients)
        numbers = [one.patient.phone.as_e164 for one in treatments[::2]]
        stage.stop_postgres(signal.SIGQUIT)
        answers = _all_stop(stage, numbers)
        _wait_until_told(stage)
        time.sleep(max(0.0, (ahead - timezone.now()).total_seconds()))
        stage.postgres.start()
        wait_until_settled(60 + stage.times.longest)
        _wait_until_told(stage)
        _wait_until_placed(2 * patients - len(numbers))
    return _judge(stage, len(numbers), patients, answers)


def _wait_until_told(stage: Stage) -> None:
    """Every text that has left is delivered, and the site has been told so."""
    wait_for(lambda: _all_delivered(stage.phone), seconds=300, what="every text is delivered")
    stage.phone.wait_for_callbacks(300)


def _all_delivered(phone: Phone) -> bool:
    ours = [text for text in phone.messages() if text.get("callback")]
    return all(text["status"] == "delivered" for text in ours)


def _wait_until_placed(texts: int) -> None:
    """What was kept for later has been taken in; what is missing then is the judge's to find."""
    deadline = time.monotonic() + 60
    while _delivered().count() < texts and time.monotonic() < deadline:
        time.sleep(0.2)


def _delivered() -> QuerySet[Reminder]:
    return Reminder.objects.filter(state=State.DELIVERED)


def _all_stop(stage: Stage, numbers: Sequence[str]) -> Counter[int]:
    with ThreadPoolExecutor(4) as pool:
        told = pool.map(lambda number: stage.phone.inbound(number, SENDER, "STOP"), numbers)
        return Counter(one["status"] for one in told)


def _judge(stage: Stage, stopped: int, patients: int, answers: Counter[int]) -> Finding:
    verdict = judge(stage.phone)
    told = Counter({int(s): n for s, n in stage.phone.stats()["callback_answers"].items()})
    finding = Finding(f"{stopped} STOPs, {patients} receipts", verdict)
    skipped = Reminder.objects.filter(state=State.SKIPPED, skip_reason="opted out").count()
    delivered = _delivered().count()
    finding.note = (
        f"{skipped} obeyed, {delivered} of {2 * patients - stopped} texts known as delivered; "
        f"answers {dict(answers)} and {dict(told)}"
    )
    if any(status >= 400 for status in answers + told):
        finding.problems.append("a webhook was refused")
    if OptOut.objects.count() != stopped or skipped != stopped:
        finding.problems.append("a STOP was lost, or came too late")
    if delivered != 2 * patients - stopped:
        finding.problems.append("a receipt was lost")
    return finding
