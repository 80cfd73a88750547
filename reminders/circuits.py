"""The circuit breaker: a refusal that is nobody's fault stops its whole scope, and is told once.

While a circuit is open its messages wait; no patient is marked failed. After a pause one message
tries; if it passes, the circuit is gone, otherwise the pause doubles.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import phonenumbers
from django.conf import settings
from django.db import transaction

from patients.models import Clinic
from patients.models.patient import Channel
from reminders.channels.codes import TOLD_LATER, Means
from reminders.concerns import alert_staff
from reminders.models import Attempt, Circuit, State

FIRST_PAUSE, LONGEST_PAUSE, DOUBLINGS = timedelta(seconds=30), timedelta(minutes=15), 10
WORDS = {
    Means.ACCOUNT: "The {channel} provider refuses our account (code {code}).",
    Means.SENDER: "The {channel} provider refuses our sender (code {code}).",
    Means.COUNTRY: "The {channel} provider refuses one country (code {code}).",
}

Scope = tuple[str, str, str]  # channel, scope, key


def sender_of(clinic: Clinic, channel: str) -> str:
    """The number its texts come from, or the address its emails do."""
    if channel == Channel.SMS:
        return clinic.sender
    return clinic.email_sender or settings.DEFAULT_FROM_EMAIL


def scopes_of(channel: str, sender: str, to: str) -> list[Scope]:
    """Every circuit that could hold a message on this way."""
    scopes = [(channel, Means.ACCOUNT.value, ""), (channel, Means.SENDER.value, sender)]
    if channel == Channel.SMS:
        scopes.append((channel, Means.COUNTRY.value, country_of(to)))
    return scopes


def scope_of(means: Means, channel: str, sender: str, to: str) -> Scope:
    keys = {Means.SENDER: sender, Means.COUNTRY: country_of(to)}
    return (channel, means.value, keys.get(means, ""))


def country_of(number: str) -> str:
    """The country calling code, such as `1` or `44`; empty for what is no number."""
    try:
        return str(phonenumbers.parse(number).country_code)
    except phonenumbers.NumberParseException:
        return ""


def open_circuits() -> dict[Scope, Circuit]:
    return {(one.channel, one.scope, one.key): one for one in Circuit.objects.all()}


def refusing(*, now: datetime) -> dict[Scope, Circuit]:
    """Those that messages wait behind, or would: once a pause is over the next message tries, and
    where none has for longer than the longest pause, nobody knows.
    """
    rows = Circuit.objects.filter(closes_at__gt=now - LONGEST_PAUSE).order_by("id")
    return {(one.channel, one.scope, one.key): one for one in rows}


@transaction.atomic
def trip(scope: Scope, *, code: str, clinics: Iterable[Clinic], now: datetime) -> datetime:
    """Open a circuit, or keep it open for longer; returns until when. Staff are told once."""
    channel, kind, key = scope
    circuit, opened = Circuit.objects.select_for_update().get_or_create(
        channel=channel,
        scope=kind,
        key=key,
        defaults={"code": code, "opened_at": now, "closes_at": now + FIRST_PAUSE},
    )
    if not opened and circuit.closes_at <= now:
        circuit.failures += 1
        circuit.closes_at = now + min(
            LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(circuit.failures - 1, DOUBLINGS)
        )
        circuit.save(update_fields=["failures", "closes_at"])
    if opened:
        words = WORDS[Means(kind)].format(channel=channel, code=code)
        for clinic in clinics:
            alert_staff(clinic, f"{words} Messages wait until this is put right.", now=now)
    return circuit.closes_at


def close(scopes: Iterable[Scope], *, called_at: datetime) -> None:
    """A message has been accepted on this way: the circuits opened before its call are closed.

    But not one whose messages are accepted first and refused later.
    """
    for channel, kind, key in scopes:
        Circuit.objects.filter(
            channel=channel, scope=kind, key=key, opened_at__lt=called_at
        ).exclude(code__in=TOLD_LATER).delete()


def close_delivered() -> None:
    """Close what was refused after acceptance once a later message has been delivered."""
    for circuit in Circuit.objects.filter(code__in=TOLD_LATER):
        delivered = Attempt.objects.filter(
            called_at__gt=circuit.opened_at,
            reminder__channel=circuit.channel,
            reminder__state=State.DELIVERED,
        )
        if delivered.exists():
            circuit.delete()
