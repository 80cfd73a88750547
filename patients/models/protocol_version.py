"""One published protocol: an immutable document that treatments pin."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils import timezone

from patients.models.clinic import Clinic, StaffUser
from patients.models.patient import AppendOnly
from patients.protocol import Protocol
from patients.protocol_file import parse

SHIPPED = Path(__file__).resolve().parent.parent / "protocols"


class ProtocolVersion(AppendOnly):
    """`source` is the file as published: exporting gives the same file back."""

    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="protocol_versions")
    key = models.SlugField()
    number = models.PositiveIntegerField()
    source = models.TextField()
    digest = models.CharField(max_length=64, editable=False)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        StaffUser, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["clinic", "key", "number"], name="one_number_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.key} version {self.number}"

    @property
    def protocol(self) -> Protocol:
        """The parsed content. Lists leave `source` deferred: it is read once a process."""
        return _protocol(self.digest, self.pk)


@lru_cache(maxsize=256)
def _protocol(digest: str, pk: int) -> Protocol:
    # A version never changes, so its digest names the content for good.
    return parse(ProtocolVersion.objects.values_list("source", flat=True).get(pk=pk))


def newest_version(clinic: Clinic, key: str) -> ProtocolVersion | None:
    return clinic.protocol_versions.filter(key=key).order_by("-number").first()


@transaction.atomic
def publish(*, clinic: Clinic, source: str, by: StaffUser | None = None) -> ProtocolVersion:
    """Make `source` the clinic's next version of its protocol. Raises `ProtocolError`."""
    protocol = parse(source)
    # The clinic's row serialises two publishers.
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    newest = newest_version(clinic, protocol.key)
    return ProtocolVersion.objects.create(
        clinic=clinic,
        key=protocol.key,
        number=newest.number + 1 if newest else 1,
        source=source,
        digest=hashlib.sha256(source.encode()).hexdigest(),
        published_at=timezone.now(),
        published_by=by,
    )


def publish_shipped(clinic: Clinic) -> list[ProtocolVersion]:
    """Version 1 of every protocol the site ships, for a new clinic."""
    files: Any = sorted(SHIPPED.glob("*.toml"))
    return [publish(clinic=clinic, source=file.read_text(encoding="utf-8")) for file in files]
