"""What a monitoring system wants to know, read from the database when it asks.

Counters in each process's memory would lie with several workers. Each figure costs one look into
an index and stops at `ENOUGH`: a table of ten million rows costs what an empty one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from reminders import circuits
from reminders.heartbeat import last_tick
from reminders.models import Alarm, Attempt, Concern, Reminder, State
from reminders.readiness import rings_waiting, words_set_aside

ENOUGH = 10_000
LATE = timedelta(minutes=1)  # what is due for longer is overdue
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENDED = [State.SENT, State.DELIVERED, State.FAILED, State.NO_RECEIPT, State.SKIPPED]

Numbers = dict[tuple[str, ...], int]  # by the labels' values


class Gauges(Collector):
    """All of them at one moment."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._tick()
        yield from self._due()
        yield from self._on_their_way()
        yield from self._ended()
        yield from self._people()
        yield from self._broker()

    def _tick(self) -> Iterator[GaugeMetricFamily]:
        tick = last_tick()
        if tick is not None:
            age = (self._now - tick).total_seconds()
            yield _gauge("tick_age_seconds", "Since a worker last looked for due reminders.", age)

    def _broker(self) -> Iterator[GaugeMetricFamily]:
        waiting = rings_waiting()
        if waiting is not None:
            yield _gauge("queue_depth", "Rings that wait in the broker.", waiting)
        aside = words_set_aside()
        if aside is not None:
            yield _gauge("set_aside", "Webhooks that the database refused: an operator's.", aside)

    def _due(self) -> Iterator[GaugeMetricFamily]:
        number = late = 0
        oldest = self._now
        for urgent in (True, False):
            found = Reminder.objects.late(self._now, urgent=urgent)[:ENOUGH].aggregate(
                number=Count("pk"),
                late=Count("pk", filter=Q(leaves_at__lte=self._now - LATE)),
                oldest=Min("leaves_at"),
            )
            number, late = number + found["number"], late + found["late"]
            oldest = min(oldest, found["oldest"] or oldest)
        age = (self._now - oldest).total_seconds()
        yield _gauge("due", "Reminders that are due and not taken up yet.", number)
        yield _gauge("overdue", "Reminders that are due for more than a minute.", late)
        yield _gauge("overdue_oldest_seconds", "How late the oldest due reminder is.", age)
        ahead = Reminder.objects.filter(
            state=State.PLANNED, urgent=False,
            leaves_at__gt=self._now, leaves_at__lte=self._now + DAY,
        )  # fmt: skip
        yield _gauge("planned_ahead", "Reminders of the next 24 hours.", ahead[:ENOUGH].count())

    def _on_their_way(self) -> Iterator[GaugeMetricFamily]:
        sending = Reminder.objects.filter(state=State.SENDING)[:ENOUGH].count()
        yield _gauge("sending", "Reminders that a worker holds at the moment.", sending)
        unknown = Reminder.objects.filter(state=State.UNKNOWN)[:ENOUGH].aggregate(
            number=Count("pk"), oldest=Min("state_at")
        )
        yield _gauge(
            "unknown", "Messages of unknown fate; the provider is asked.", unknown["number"]
        )
        age = (self._now - (unknown["oldest"] or self._now)).total_seconds()
        yield _gauge("unknown_oldest_seconds", "Since when the oldest of them is unknown.", age)
        silent = Reminder.objects.filter(state=State.NO_RECEIPT, state_at__gt=self._now - DAY)
        yield _gauge(
            "no_receipt", "Messages given up in 24 hours: sent, and no receipt in 72 hours.",
            silent[:ENOUGH].count(),
        )  # fmt: skip
        open_ = len(circuits.refusing(now=self._now))
        yield _gauge("circuits_open", "Senders, countries or accounts a provider refuses.", open_)

    def _ended(self) -> Iterator[GaugeMetricFamily]:
        recent = Reminder.objects.filter(state__in=ENDED, state_at__gt=self._now - HOUR)[:ENOUGH]
        counts = Reminder.objects.filter(pk__in=recent.values("pk")).values("channel", "state")
        yield _labelled(
            "ended", "Reminders that came into this state in the last hour.", ("channel", "state"),
            {(row["channel"], row["state"]): row["n"] for row in counts.annotate(n=Count("pk"))},
        )  # fmt: skip
        codes = (
            Attempt.objects.filter(
                reminder__state=State.FAILED, reminder__state_at__gt=self._now - HOUR
            )
            .exclude(error_code="")
            .values("reminder__channel", "error_code")
            .annotate(n=Count("reminder", distinct=True))
        )
        yield _labelled(
            "failed", "Messages that failed in the last hour, by the code.", ("channel", "code"),
            {(row["reminder__channel"], row["error_code"]): row["n"] for row in codes},
        )  # fmt: skip

    def _people(self) -> Iterator[GaugeMetricFamily]:
        open_ = Concern.objects.filter(closed_at=None)[:ENOUGH].aggregate(
            number=Count("pk"),
            alone=Count("pk", filter=Q(acknowledged_at=None)),
            oldest=Min("opened_at", filter=Q(acknowledged_at=None)),
        )
        yield _gauge("concerns_open", "What nurses must see, until closed.", open_["number"])
        yield _gauge("concerns_unacknowledged", "Those nobody has taken on.", open_["alone"])
        age = (self._now - (open_["oldest"] or self._now)).total_seconds()
        yield _gauge("concerns_oldest_seconds", "How long the oldest of those waits.", age)
        told = Alarm.objects.filter(ended_at=None).values("kind").annotate(n=Count("pk"))
        numbers: Numbers = {(str(kind),): 0 for kind in Alarm.Kind.values}
        numbers |= {(row["kind"],): row["n"] for row in told}
        yield _labelled(
            "alarms", "Clinics whose staff were told and not yet cleared.", ("kind",), numbers
        )


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"aftercare_{name}", words, value=value)


def _labelled(
    name: str, words: str, labels: tuple[str, ...], numbers: Numbers
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"aftercare_{name}", words, labels=labels)
    for values, number in sorted(numbers.items()):
        family.add_metric(values, number)
    return family
