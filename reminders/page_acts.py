"""What patients did on their pages, taken up: concerns, alerts, another ask, a changed plan.

The page only writes rows (`patients.acts`); every tick comes by here. Each act is taken up once:
the conditional update is the lock, and whatever follows is in its transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from patients.models import Act, Patient, Report, Treatment
from patients.models.answers import HOLDING_TIERS
from patients.models.patient import Channel
from reminders.check_ins import follow_check_in
from reminders.concerns import raise_about, raise_report
from reminders.escalation import tell_nurse
from reminders.models import Concern
from reminders.optouts import lock_patients, skip_waiting
from reminders.planning import plan, plan_again

AT_ONCE = 100
logger = logging.getLogger(__name__)


def take_up(*, now: datetime) -> None:
    """Everything that waits, the oldest first. One that cannot be taken up holds back no other."""
    waiting = Act.objects.filter(taken_up_at=None).order_by("id").values_list("pk", flat=True)
    for pk in waiting[:AT_ONCE]:
        try:
            _take_up(pk, now)
        except Exception:
            logger.exception("Act %s could not be taken up; the next tick tries again.", pk)


@transaction.atomic
def _take_up(pk: int, now: datetime) -> None:
    if not Act.objects.filter(pk=pk, taken_up_at=None).update(taken_up_at=now):
        return  # another worker was quicker
    act = (
        Act.objects.select_related(
            "treatment__patient__clinic", "treatment__version", "report", "check_in"
        )
        .defer("treatment__version__source")
        .get(pk=pk)
    )
    FOLLOWS[Act.Kind(act.kind)](act, now)


def _report(act: Act, now: datetime) -> None:
    report = act.report
    if report is None:
        return
    concern = raise_report(report=report, patient=act.treatment.patient, now=act.done_at)
    if report.tier in HOLDING_TIERS and _is_open(report):
        tell_nurse(concern, now=now)


def _is_open(report: Report) -> bool:
    return report.closed_at is None


def _check_in(act: Act, now: datetime) -> None:
    if act.check_in is not None:
        follow_check_in(act.check_in, treatment=act.treatment, now=act.done_at)


def _not_me(act: Act, now: datetime) -> None:
    _stop(act, now)
    raise_about(Concern.Kind.NOT_ME, patient=act.treatment.patient, now=act.done_at)


def _stop(act: Act, now: datetime) -> None:
    patient = act.treatment.patient
    for channel in Channel:
        if patient.address(channel):
            skip_waiting(patient.clinic, patient.address(channel), channel=channel)


def _start(act: Act, now: datetime) -> None:
    """Everybody at the addresses at which messages come again."""
    clinic, patient = act.treatment.patient.clinic, act.treatment.patient
    for channel in Channel:
        reached = lock_patients(clinic, channel, patient.address(channel))
        plan_again(reached, [channel], now=now)


def _channel(act: Act, now: datetime) -> None:
    for treatment in _newest(act.treatment.patient):
        plan(treatment, now=now)


def _newest(patient: Patient) -> list[Treatment]:
    """The patient's latest treatment under each protocol."""
    newest: dict[str, Treatment] = {}
    for treatment in (
        patient.treatments.filter(voided_at=None)
        .select_related("patient__clinic", "version")
        .defer("version__source")
        .order_by("treated_at", "id")
    ):
        newest[treatment.version.key] = treatment
    return list(newest.values())


FOLLOWS: dict[Act.Kind, Callable[[Act, datetime], None]] = {
    Act.Kind.REPORT: _report,
    Act.Kind.CHECK_IN: _check_in,
    Act.Kind.NOT_ME: _not_me,
    Act.Kind.STOP: _stop,
    Act.Kind.START: _start,
    Act.Kind.CHANNEL: _channel,
}
