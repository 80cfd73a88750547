"""What Twilio tells us while the database is away: kept, and taken in once it is back.

Twilio asks again for some seconds only, so that a STOP during a longer outage would be lost. A
signed word that the database cannot take goes, sealed, into a list of the Redis server. Workers
take in what waits there before they claim anything. Told twice, a word counts once, so that two
workers may take in the same one; a STOP or START counts as of when it was said. Email providers
come back by themselves for hours.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from cryptography.fernet import InvalidToken, MultiFernet
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone
from redis import Redis, RedisError

from patients.models import Clinic
from patients.sealing import sealer
from reminders.channels import Message, sms
from reminders.concerns import alert_staff
from reminders.inbox import receive_text
from reminders.models import Heartbeat
from reminders.once_more import AWAY, once_more
from reminders.receipts import record_receipt

logger = logging.getLogger(__name__)

WAITING, REFUSED, TRIES = (f"aftercare:letterbox{end}" for end in ("", ":refused", ":tries"))
MOST_TRIES = 20  # at one word, until it is set aside: those behind it wait meanwhile
ANSWER_SECONDS = 3600  # an answer that comes later than that helps nobody
PATIENCE = 2.0  # seconds for the Redis server
SET_ASIDE = (
    "What a patient texted may not have been taken in, perhaps a STOP. Look at the texts that came "
    "in (the provider's console), and tell whoever runs the site: a webhook was set aside."
)

Told = Mapping[str, str]


class Kind(StrEnum):
    STATUS = "status"
    TEXT = "text"


def deliver(kind: Kind, told: Told) -> str:
    """Do what was told; while the database is away, keep it. Returns the answer to send, or none.

    Raises the database's error if the Redis server is away as well.
    """
    now = timezone.now()
    try:
        return _place(kind, told, now)
    except AWAY:
        word = json.dumps({"kind": kind, "told": dict(told), "at": now.isoformat()})
        try:
            _server().rpush(WAITING, _sealer().encrypt(word.encode()).decode())
        except RedisError:
            logger.exception("Neither the database nor the Redis server could keep a webhook.")
        else:
            logger.warning("The database is away: a webhook waits until it is back.")
            return ""
        raise


@once_more
def _place(kind: Kind, told: Told, at: datetime) -> str:
    return PLACES[kind](told, at)


def _status(told: Told, at: datetime) -> str:
    record_receipt(
        token=uuid.UUID(told["token"]),
        provider_id=told["provider_id"],
        status=told["status"],
        error_code=told["error_code"],
    )
    return ""


def _text(told: Told, at: datetime) -> str:
    return receive_text(
        provider_id=told["provider_id"],
        sender=told["sender"],
        recipient=told["recipient"],
        body=told["body"],
        at=at,
    )


PLACES: Mapping[Kind, Callable[[Told, datetime], str]] = {Kind.STATUS: _status, Kind.TEXT: _text}


# --- once the database is back ---


def take_in() -> None:
    """Take in what waits, oldest first. Never raises: what cannot be taken in yet waits on."""
    try:
        while (sealed := _server().lindex(WAITING, 0)) is not None:
            word = str(sealed)
            try:
                is_placed = _take(word)
            except AWAY:
                if not _is_poison():
                    logger.warning("The database is away: webhooks wait until it is back.")
                    return
                is_placed = False
            if not is_placed:
                _server().rpush(REFUSED, word)
                _tell_staff()
            _server().lrem(WAITING, 1, word)
            _server().delete(TRIES)
    except RedisError:
        return  # then no webhook was kept there, and nobody can have rung for us either


def _is_poison() -> bool:
    """Whether a database that takes what it is told has refused the first one too often."""
    try:
        connection.close_if_unusable_or_obsolete()
        Heartbeat.objects.update(at=F("at"))  # a write: on a full disk, questions still pass
    except AWAY:
        return False
    tries = int(_server().incr(TRIES))
    if tries < MOST_TRIES:
        return False
    logger.error(
        "A kept webhook was refused %d times by a database that takes others. It is set aside in "
        "%s of the Redis server and not taken in.",
        tries,
        REFUSED,
    )
    return True


def _tell_staff() -> None:
    """At every clinic: whose word it was may be what nobody can read. Told once a day."""
    try:
        for clinic in Clinic.objects.all():
            alert_staff(clinic, SET_ASIDE, now=timezone.now())
    except Exception:  # the figures and the log still tell of it, and the others wait
        logger.exception("Staff could not be told of a webhook that was set aside.")


def _take(sealed: str) -> bool:
    """Whether it could be read and placed. One that cannot be must not stop the others."""
    try:
        word = json.loads(_sealer().decrypt(sealed))
        at = datetime.fromisoformat(word["at"])
        answer = _place(Kind(word["kind"]), word["told"], at)
    except AWAY:
        raise
    except InvalidToken:
        logger.error("A kept webhook was sealed under a SECRET_KEY that is not known any more.")
        return False
    except Exception:
        logger.exception("A kept webhook could not be taken in.")
        return False
    if answer:
        _answer(word["told"], answer)
    return True


def _answer(told: Told, answer: str) -> None:
    """The answer that could not go back with the webhook. One call, as the webhook's would be."""
    sms.send(
        Message(
            to=told["sender"],
            sender=told["recipient"],
            subject="",
            text=answer,
            html="",
            callback_url="",
            message_id="",
            valid_for=ANSWER_SECONDS,
        )
    )


def _sealer() -> MultiFernet:
    return sealer("letterbox")


@lru_cache(maxsize=1)
def _server() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
    )
