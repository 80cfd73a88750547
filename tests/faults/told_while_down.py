"""What Twilio tells while the database is down: texts and receipts that nobody can write down."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.utils import timezone

from patients.models import OptOut
from reminders.models import Reminder, State
from tests.builders import SENDER

from .cohort import make_due
from .judge import judge
from .kills import wait_until_settled
from .stage import Stage
from .table import Finding

DELIVERED_AFTER = 6.0  # seconds: the first texts are delivered while nothing can be written down
ALL_TOLD = DELIVERED_AFTER + 2.0


def told_while_down(stage: Stage, patients: int) -> Finding:
    """Texts on their way are delivered, and every other patient with one ahead texts STOP."""
    stage.phone.control(
        carrier_stop=False, delays={"queued": 0.0, "sent": 0.1, "delivered": DELIVERED_AFTER}
    )
    with stage.crew("prefork", "threads"):
        make_due(patients)
        wait_until_settled(60)
        ahead = timezone.now() + timedelta(seconds=4)
        treatments = make_due(patients, due_at=[ahead] * patients)
        numbers = [one.patient.phone.as_e164 for one in treatments[::2]]
        stage.stop_postgres(signal.SIGQUIT)
        answers = _all_stop(stage, numbers)
        _wait_until_told(stage)
        stage.postgres.start()
        wait_until_settled(60 + stage.times.longest)
        _wait_until_told(stage)
    return _judge(stage, len(numbers), patients, answers)


def _wait_until_told(stage: Stage) -> None:
    time.sleep(ALL_TOLD)
    stage.phone.wait_for_callbacks(60)


def _all_stop(stage: Stage, numbers: Sequence[str]) -> Counter[int]:
    with ThreadPoolExecutor(4) as pool:
        told = pool.map(lambda number: stage.phone.inbound(number, SENDER, "STOP"), numbers)
        return Counter(one["status"] for one in told)


def _judge(stage: Stage, stopped: int, patients: int, answers: Counter[int]) -> Finding:
    verdict = judge(stage.phone)
    told = Counter({int(s): n for s, n in stage.phone.stats()["callback_answers"].items()})
    finding = Finding(f"{stopped} STOPs, {patients} receipts", verdict)
    skipped = Reminder.objects.filter(state=State.SKIPPED, skip_reason="opted out").count()
    delivered = Reminder.objects.filter(state=State.DELIVERED).count()
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
