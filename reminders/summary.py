"""The day in a few numbers, mailed once to whoever wants it. No name, nothing clinical.

The clinic's row says on which of its days it was sent; whoever changes that row sends it, so two
beats or two workers make one mail.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Q

from patients import words
from patients.models import Clinic, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.channels import Message, NotSent, email
from reminders.lint import segments
from reminders.models import Attempt, Concern, Reminder, State
from reminders.telling import written

DAY = timedelta(days=1)
BULLET = "•"  # stands for the link in stored texts, and would double their price


def send_due(*, now: datetime) -> None:
    """Mail the summary of every clinic whose hour has come and whose day has had none."""
    for clinic in Clinic.objects.filter(
        staff__wants_summary=True, staff__is_active=True
    ).distinct():
        here = now.astimezone(clinic.tz)
        if here.time() >= clinic.summary_at and _take(clinic, here.date()):
            _send(clinic, here.date(), now)


def _take(clinic: Clinic, today: date) -> bool:
    open_ = Clinic.objects.filter(Q(summed_up_on=None) | Q(summed_up_on__lt=today), pk=clinic.pk)
    return bool(open_.update(summed_up_on=today))


def _send(clinic: Clinic, today: date, now: datetime) -> None:
    wanting = clinic.staff.filter(wants_summary=True, is_active=True).order_by("pk")
    text = summary(clinic, now=now)
    outcomes = [email.send(_message(clinic, one, today, text)) for one in wanting]
    if all(isinstance(outcome, NotSent) for outcome in outcomes):
        # Nobody has it, for certain: the next look tries again.
        before = clinic.summed_up_on
        Clinic.objects.filter(pk=clinic.pk, summed_up_on=today).update(summed_up_on=before)


def summary(clinic: Clinic, *, now: datetime) -> str:
    """The last 24 hours in plain lines."""
    since = now - DAY
    of_clinic = Q(reminder__treatment__patient__clinic=clinic)
    sent = Attempt.objects.filter(of_clinic, called_at__gt=since, outcome=Attempt.Outcome.ACCEPTED)
    texts = sent.filter(reminder__channel=Channel.SMS).values_list("body", flat=True)
    parts = sum(segments(body.replace(BULLET, "x")) for body in texts.iterator())
    ended = Reminder.objects.filter(treatment__patient__clinic=clinic, state_at__gt=since)
    concerns = Concern.objects.filter(clinic=clinic)
    logged = Treatment.objects.filter(
        patient__clinic=clinic, voided_at=None, logged_at__gt=since, treated_at__gt=since - 30 * DAY
    )
    day = words.on_date(now.astimezone(clinic.tz).date(), "en")
    price = f"{clinic.text_price.normalize():f}"
    texts_said = f"{len(texts)}, about {_cost(parts, clinic)} at {price} a part ({parts} parts)"
    opened, open_ = concerns.filter(opened_at__gt=since), concerns.filter(closed_at=None)
    return "\n".join(
        [
            f"{clinic.name}, {day}, the last 24 hours:",
            "",
            f"Treatments logged: {logged.count()}",
            f"Texts sent: {texts_said}",
            f"Emails sent: {sent.filter(reminder__channel=Channel.EMAIL).count()}",
            f"Failed: {ended.filter(state=State.FAILED).count()}",
            f"In doubt: {ended.filter(state=State.UNKNOWN).count()}",
            f"Concerns: {opened.count()} new, {open_.count()} open",
            "",
            f"Who and what: {settings.PUBLIC_BASE_URL}/board/",
        ]
    )


def _cost(parts: int, clinic: Clinic) -> Decimal:
    return (parts * clinic.text_price).quantize(Decimal("0.01"))


def _message(clinic: Clinic, to: StaffUser, today: date, text: str) -> Message:
    key = f"summary.{clinic.pk}.{to.pk}.{today.isoformat()}"
    return written(clinic, to.email, about="the day", text=text, key=key)
