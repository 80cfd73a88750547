"""Callbacks in every order, three times each, before the record, replayed, or lost altogether."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from reminders import tasks
from reminders.models import Attempt, Receipt, Reminder, State
from tests.services.runtime import wait_for

from .carry_on import carry_on
from .cohort import make_due
from .judge import judge
from .post import Poster, signed_status
from .stage import Stage
from .table import Finding

FINAL = {"delivered": State.DELIVERED, "undelivered": State.FAILED, "failed": State.FAILED}
# A share of the texts fails in one way or another; some get two final words.
ENDS = {"undelivered_30005": 0.2, "failed_30005": 0.1, "two_words": 0.1}
REPLAYS = ("queued", "sent", "delivered", "undelivered", "failed")


def in_any_order(stage: Stage, messages: int) -> Finding:
    """Shuffled, thrice, before the call has returned or beside it; then all are replayed."""
    stage.phone.control(rates=ENDS, scramble=True, repeat=3, delays=0)
    for latency in (400, 40):
        stage.phone.control(latency_ms=latency)
        make_due(messages // 2)
        stage.do(partial(carry_on, 120.0))
    stage.phone.wait_for_callbacks(60 + messages / 5)
    early = _came_before_the_record()
    before = _states()
    replayed = _replay(stage, stage.phone.messages())
    changed = sum(state != before[pk] for pk, state in _states().items())
    wrong, of = _wrong_states(stage.phone.messages())
    stats = stage.phone.stats(brief=True)
    took = stats["callbacks"].get("taken", 0)
    refused = sum(number for status, number in stats["callback_answers"].items() if status != "204")
    finding = Finding(f"{took} callbacks on {messages} messages", judge(stage.phone))
    finding.note = (
        f"{of - wrong} of {of} in the right final state; {early} were told of before their call's "
        f"record; {replayed} old words replayed"
    )
    if early == 0:
        finding.problems.append("no callback came before its call's record")
    if refused:
        finding.problems.append(f"{refused} callbacks answered with an error")
    if wrong or changed:
        finding.problems.append(f"{wrong} in a wrong state, {changed} moved by a replay")
    return finding


def lost(stage: Stage, messages: int) -> Finding:
    """No callback leaves; the looks at 2 and 10 minutes are brought forward to now."""
    stage.phone.control(rates={"undelivered_30005": 0.3}, drop=1.0, delays=0.1)
    make_due(messages)
    stage.do(partial(carry_on, 60.0))
    wait_for(lambda: _have_ended(stage.phone.messages()), seconds=300, what="every text ends")
    looked_at = timezone.now()
    Attempt.objects.filter(look_at__isnull=False).update(look_at=looked_at)
    stage.do(partial(_ask_of_all, looked_at, 240 + messages / 10))
    wrong, of = _wrong_states(stage.phone.messages())
    dropped = stage.phone.stats(brief=True)["callbacks"].get("dropped", 0)
    finding = Finding(f"{dropped} callbacks of {messages} messages", judge(stage.phone))
    finding.note = f"{of - wrong} of {of} in the right final state, by asking"
    if wrong:
        finding.problems.append(f"{wrong} in a wrong final state")
    return finding


def _ask_of_all(looked_at: datetime, seconds: float) -> None:
    """Round after round, as the ticks would: one round takes only what it can in 15 s."""
    deadline = time.monotonic() + seconds
    while Attempt.objects.filter(look_at__lte=looked_at).exists() and time.monotonic() < deadline:
        tasks.settle()


def _came_before_the_record() -> int:
    """Texts of which a callback's receipt was written before the call's own answer was."""
    ended = dict(Attempt.objects.values_list("pk", "ended_at"))
    told = Receipt.objects.filter(attempt__in=ended).values_list("attempt", "received_at")
    called = dict(Attempt.objects.values_list("pk", "called_at"))
    return len({pk for pk, at in told if called[pk] < at <= (ended[pk] or at)})


def _states() -> dict[int, str]:
    return dict(Reminder.objects.filter(again_of=None).values_list("pk", "state"))


def _have_ended(texts: Iterable[dict[str, Any]]) -> bool:
    return all(text["status"] in FINAL for text in texts)


def _wrong_states(texts: list[dict[str, Any]]) -> tuple[int, int]:
    """How many texts' reminders are not in the state of the first final word we had; of how many.

    The first word must be one that the phone has said: its last, or `delivered` before it.
    """
    first: dict[str, tuple[str, str]] = {}
    rows = Receipt.objects.filter(status__in=FINAL).order_by("id")
    for sid, status, state in rows.values_list("provider_id", "status", "attempt__reminder__state"):
        first.setdefault(sid, (status, state))
    wrong = 0
    for text in texts:
        status, state = first.get(text["sid"], ("", ""))
        told = status in (text["status"], "delivered")
        wrong += not told or FINAL[status] != state
    return wrong, len(texts)


def _replay(stage: Stage, texts: Iterable[dict[str, Any]]) -> int:
    """Every word again, in the provider's own hand, for every text."""
    poster = Poster(stage.base_url)
    known = {(sid, status) for sid, status in Receipt.objects.values_list("provider_id", "status")}
    posts = [
        signed_status(text["callback"], text["sid"], status)
        for text in texts
        for status in REPLAYS
        if (text["sid"], status) in known
    ]
    poster.send_all(posts)
    return len(posts)
