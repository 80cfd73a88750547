"""What follows from what a patient tells us: a hold, its end, another ask.

The answer itself is a row in patients; this is what it does to the plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from patients.acts import answer
from patients.clock import Calendar
from patients.models import CheckIn, Patient, Report, StaffUser, Treatment
from patients.models.patient import Channel
from patients.page_answers import ASK_AGAIN_DAYS, ASK_AT_MOST, answers_to, asked_enough
from patients.protocol import ReminderKind
from reminders.concerns import raise_about, raise_concern
from reminders.models import Concern, Reminder, State
from reminders.replies import Reply

ANSWERED_WITHIN = timedelta(days=4)  # after that, one word may mean anything
SENT = (State.SENDING, State.UNKNOWN, State.SENT, State.DELIVERED, State.NO_RECEIPT)


def asked_by_text(patients: Iterable[Patient], *, now: datetime) -> Reminder | None:
    """The check-in that one word from these patients' number answers: the only one texted in the
    four days before `now`, when it was said, that has no answer yet. Two people on one number:
    nobody can tell.
    """
    asked = (
        Reminder.objects.filter(
            treatment__patient__in=list(patients),
            treatment__voided_at=None,
            channel=Channel.SMS,
            state__in=SENT,
            leaves_at__gt=now - ANSWERED_WITHIN,
            leaves_at__lte=now,
        )
        .select_related("treatment__patient__clinic", "treatment__version")
        .defer("treatment__version__source")
        .order_by("id")
    )
    newest = {row.treatment_id: row for row in asked if _is_check_in(row)}
    open_ = [row for row in newest.values() if not _is_answered(row)]
    return open_[0] if len(open_) == 1 else None


def answer_by_text(reminder: Reminder, *, yes: bool, now: datetime) -> Reply:
    """One word, kept as the page keeps its answers; what to text back."""
    opens = reminder.treatment.version.protocol.rule(reminder.rule).permits
    trend = CheckIn.Trend.BETTER if yes else CheckIn.Trend.SAME if opens else CheckIn.Trend.WORSE
    answer(
        treatment=reminder.treatment,
        rule=reminder.rule,
        feels_normal=yes and opens,
        trend=trend,
        wants_call=False,
        now=now,
    )
    if yes:
        return Reply.GOOD
    if not opens or _is_nurses(reminder):
        return Reply.WORSE
    return Reply.NOT_YET


def _is_nurses(reminder: Reminder) -> bool:
    """It was asked so often that a nurse takes over: nobody asks again."""
    treatment = reminder.treatment
    check_ins = treatment.check_ins.order_by("id")
    return asked_enough(answers_to(reminder.rule, check_ins, zone=treatment.patient.tz))


def _is_check_in(reminder: Reminder) -> bool:
    rule = reminder.treatment.version.protocol.rule(reminder.rule)
    return ReminderKind.CHECK_IN in rule.kinds


def _is_answered(reminder: Reminder) -> bool:
    answers = reminder.treatment.check_ins.filter(rule=reminder.rule)
    return answers.filter(answered_at__gte=reminder.leaves_at).exists()


@transaction.atomic
def follow_check_in(check_in: CheckIn, *, treatment: Treatment, now: datetime) -> None:
    """What one answer leads to. "Not normal yet" asks again in three days, three times, then a
    nurse; "worse" and a wish for a call go before a nurse at once.
    """
    if not check_in.feels_normal and treatment.version.protocol.rule(check_in.rule).permits:
        _ask_again(treatment, check_in.rule, now)
    wishes = [
        text
        for text, is_so in (
            ("The skin is getting worse.", check_in.trend == CheckIn.Trend.WORSE),
            ("Would like a call.", check_in.wants_call),
        )
        if is_so
    ]
    if wishes:
        raise_about(
            Concern.Kind.CHECK_IN, patient=treatment.patient, now=now, detail=" ".join(wishes)
        )


def _ask_again(treatment: Treatment, rule: str, now: datetime) -> None:
    asked = list(
        Reminder.objects.select_for_update(no_key=True)
        .filter(treatment=treatment, rule=rule, again_of=None)
        .order_by("occurrence")
    )
    if not asked:
        return
    first, last, zone = asked[0], asked[-1], treatment.patient.tz
    check_ins = treatment.check_ins.order_by("id")
    if asked_enough(answers_to(rule, check_ins, zone=zone)):
        raise_concern(Concern.Kind.NOT_NORMAL, reminder=last, now=now)
        return
    if any(row.state == State.PLANNED for row in asked):
        return  # another ask is planned already: two answers are not two asks
    if last.occurrence > ASK_AT_MOST:
        raise_concern(Concern.Kind.NOT_NORMAL, reminder=last, now=now)
        return
    at = Calendar(days=ASK_AGAIN_DAYS, at=first.due_at.astimezone(zone).time()).resolve(now, zone)
    Reminder.objects.create(
        treatment=treatment,
        rule=rule,
        channel=last.channel,
        occurrence=last.occurrence + 1,
        due_at=at,
        leaves_at=at,
        not_after=at + (first.not_after - first.due_at),
        gate_at=first.gate_at,
        treated_at=treatment.treated_at,
        state=State.PLANNED,
        state_at=now,
    )


@transaction.atomic
def close_report(*, report: Report, by: StaffUser, now: datetime) -> None:
    """A nurse has dealt with it: what was held back and is still useful may go."""
    closed = Report.objects.filter(pk=report.pk, closed_at=None).update(closed_at=now, closed_by=by)
    if closed:
        Reminder.objects.filter(
            treatment__patient=report.treatment.patient_id,
            state=State.PLANNED,
            due_at__lte=now,
            leaves_at__gt=now,
        ).update(leaves_at=now)
