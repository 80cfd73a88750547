"""The chain over the audit trail, and its check.

Each row carries a MAC of its own from the start. Once a minute the new ones are put into one
chain, whose every link covers the link before: so no request waits for another one's row, however
many are served at once. Until then, for a minute, a row that is removed leaves no gap; after that
each row that was changed, removed or slipped in is found. The end of the chain is logged with
every run: compared with it (`--holds`), even an end that was cut off shows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from patients.models import AuditLink, AuditMember, AuditRow
from patients.models.audit import group_of, seal

AT_ONCE = 500
# A row is numbered before it is committed: one that comes late is looked for so far back.
LATE = 10_000
LINKED_WITHIN = timedelta(minutes=10)

logger = logging.getLogger(__name__)


def link_new(*, now: datetime) -> int:
    """Put what is new at the end of the chain; how many. Two workers at once: one of them does."""
    linked = 0
    while some := _link_some(now):
        linked += some
    if linked:
        number, its_hash = head()
        logger.info("The audit trail ends with link %d:%s", number, its_hash)
    return linked


def head() -> tuple[int, str]:
    """The last link's number and hash; (0, "") of an empty chain."""
    last = AuditLink.objects.order_by("-number").values_list("number", "hash").first()
    return last or (0, "")


def _link_some(now: datetime) -> int:
    try:
        with transaction.atomic():
            number, its_hash = head()
            last = AuditLink.objects.filter(number=number).values_list("row", flat=True).first()
            rows = _unlinked().filter(pk__gt=(last or 0) - LATE).order_by("pk")[:AT_ONCE]
            links = []
            for row in rows:
                number += 1
                its_hash = hash_of(number, row, its_hash)
                links.append(AuditLink(number=number, row=row, hash=its_hash, linked_at=now))
            AuditLink.objects.bulk_create(links)
    except IntegrityError:
        return 0  # another worker has just linked them: its numbers were taken
    return len(links)


def _unlinked() -> QuerySet[AuditRow]:
    return AuditRow.objects.filter(~Exists(AuditLink.objects.filter(row=OuterRef("pk"))))


def hash_of(number: int, row: AuditRow, before: str) -> str:
    return seal("link", number, row.pk, row.mac, before)


def troubles(*, now: datetime, holds: tuple[int, str] | None = None) -> Iterator[str]:
    """What is wrong with the trail, each in a sentence; nothing if it is as it was written.

    `holds`: a link that is known from elsewhere, such as a log.
    """
    yield from _chain()
    for row in _unlinked().order_by("pk").iterator():
        if not row.is_true():
            yield f"Row {row.pk} is not as it was written."
        elif row.at < now - LINKED_WITHIN:
            yield f"Row {row.pk} is in no link of the chain. Is the worker running?"
    yield from _groups()
    if holds and not AuditLink.objects.filter(number=holds[0], hash=holds[1]).exists():
        yield f"Link {holds[0]} is not the one you know: the chain was cut or written anew."


def _chain() -> Iterator[str]:
    expected, before = 1, ""
    every = AuditLink.objects.order_by("number").iterator()
    while links := list(islice(every, AT_ONCE)):
        rows = AuditRow.objects.in_bulk([link.row_id for link in links])
        for link in links:
            if link.number != expected:
                yield f"Links {expected} to {link.number - 1} are missing."
            row = rows.get(link.row_id)
            if row is None:
                yield f"Row {link.row_id} was removed."
            elif not row.is_true():
                yield f"Row {row.pk} is not as it was written."
            elif link.number == expected and link.hash != hash_of(link.number, row, before):
                yield f"Link {link.number} does not follow from the one before."
            expected, before = link.number + 1, link.hash


def _groups() -> Iterator[str]:
    """A group's number follows from its members; and whoever is named has some."""
    every = AuditRow.objects.exclude(group=None).values_list("group", flat=True).distinct()
    named = {group for group in every if group is not None}
    members = AuditMember.objects.order_by("group").values_list("group", "patient")
    for group, those in groupby(members.iterator(), key=lambda one: one[0]):
        named.discard(group)
        if group != group_of(patient for _, patient in those):
            yield f"Group {group} does not have the patients it had."
    yield from (f"Group {group} was removed." for group in sorted(named))
