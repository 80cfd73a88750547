"""What staff are told of the site, the day and their sign-in: written, and sent until it is gone.

Beside the reminders' one way, as a circuit or a patient's wish must not hold it back. What has no
clear answer counts as gone, as everywhere. Only where a worker died in its call nobody has heard
even that: it goes again after a minute, and may come twice.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from patients.models import Clinic
from reminders.channels import Message, NotSent, Outcome
from reminders.channels.codes import NO_CONNECTION, Means

AT_ONCE = 20
# Longer than any call. A worker that died in one is followed by another after this, and what could
# not be sent waits as long, so that those behind it get their turn.
TAKEN_FOR = timedelta(seconds=60)
Row = TypeVar("Row", bound=Model)


def written(clinic: Clinic, to: str, *, about: str, text: str, key: str) -> Message:
    """A mail, or a text if `to` is a number. `key` names it for ever: two of one key are one."""
    return Message(
        to=to,
        sender=settings.DEFAULT_FROM_EMAIL if "@" in to else clinic.sender,
        subject=f"Aftercare at {clinic}: {about}",
        text=text,
        html="",
        callback_url="",
        message_id=f"<{key}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>",
        valid_for=3600,
    )


def send_each(
    rows: QuerySet[Row],
    send: Callable[[Row], Outcome | None],
    *,
    gone: str,
    taken: str,
    now: datetime,
) -> None:
    """Send what has not gone yet, the oldest first; `gone`, `taken`: the fields that say so."""
    waiting = rows.filter(_free(taken, now), **{gone: None}).order_by("pk")
    for row in waiting[:AT_ONCE]:
        mine, moment = rows.filter(pk=row.pk), timezone.now()
        # By a conditional update: two workers may both have come here.
        to_take = mine.filter(_free(taken, moment), **{gone: None})
        if not to_take.update(**{taken: moment + TAKEN_FOR}):
            continue
        outcome = send(row)
        if not isinstance(outcome, NotSent):  # what may have gone is not sent again
            mine.update(**{gone: now})
        elif outcome.means is Means.ACCOUNT or outcome.code == NO_CONNECTION:
            mine.update(**{taken: None})
            break  # the way is closed to all; the next look tries again


def _free(taken: str, now: datetime) -> Q:
    return Q(**{taken: None}) | Q(**{f"{taken}__lt": now})
