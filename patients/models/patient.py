"""The patient, what they agreed to, and what they stopped."""

from __future__ import annotations

import hashlib
import hmac
import zoneinfo
from collections.abc import Iterable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from patients.models.clinic import Clinic, StaffUser, validate_zone
from patients.models.number import NumberField, e164
from patients.models.search_text import SearchTextField
from patients.protocol import ConsentScope

HIDDEN = "#"  # no phone number and no email begins with it
# Where somebody wants to know which patients were read, they put a set here.
READ: ContextVar[set[int] | None] = ContextVar("READ", default=None)


class Channel(models.TextChoices):
    SMS = "sms", "Text message"
    EMAIL = "email", "Email"


class AppendOnly(models.Model):
    """A row that records what happened: it is written once."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError(f"{type(self).__name__} rows are never changed; add another one.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{type(self).__name__} rows are never deleted.")


class Patient(models.Model):
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="patients")
    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    phone = NumberField(blank=True)
    email = models.EmailField(blank=True)
    channel = models.CharField(max_length=8, choices=Channel.choices, default=Channel.SMS)
    language = models.CharField(max_length=8, default="en")
    zone = models.CharField(
        max_length=64, blank=True, validators=[validate_zone], help_text="Empty: the clinic's."
    )
    wants_details = models.BooleanField(
        default=False, help_text="Chose wording that names the treatment and its steps."
    )
    search_text = SearchTextField(editable=False, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["clinic", "last_name", "first_name"]),
            models.Index(fields=["clinic", "phone"]),
            models.Index(fields=["clinic", "email"]),
        ]

    def __str__(self) -> str:
        return f"patient {self.pk}"

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **more: Any) -> Self:
        patient = super().from_db(db, field_names, values, **more)
        if (read := READ.get()) is not None:
            read.add(patient.pk)
        return patient

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def tz(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.zone) if self.zone else self.clinic.tz

    def address(self, channel: str) -> str:
        """Where `channel` reaches this patient, or empty."""
        if channel == Channel.SMS:
            return e164(self, "phone")
        return self.email.lower()


class Consent(AppendOnly):
    """One "yes" or "no" to one kind of message; the latest row of a scope holds."""

    class How(models.TextChoices):
        DESK = "desk", "At the desk"
        PAGE = "page", "On the recovery page"
        IMPORT = "import", "Imported with its source"

    class Scope(models.TextChoices):
        RECOVERY = ConsentScope.RECOVERY.value, "Recovery messages"
        REBOOKING = ConsentScope.REBOOKING.value, "Rebooking messages"

    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    scope = models.CharField(max_length=12, choices=Scope.choices)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    given = models.BooleanField()
    wording = models.CharField(max_length=32, help_text="The version of the words agreed to.")
    how = models.CharField(max_length=8, choices=How.choices)
    source = models.CharField(
        max_length=120,
        blank=True,
        default="",
        db_default="",
        help_text="Where an import has it from.",
    )
    said_on = models.DateField(
        null=True, blank=True, help_text="The day it was said, where a list says so."
    )
    recorded_by = models.ForeignKey(StaffUser, models.PROTECT, null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["patient", "scope", "channel", "-id"])]


class OptOut(AppendOnly):
    """A stop or a start for one address at one clinic; the latest row holds.

    It belongs to the number or address, not to a patient: a shared phone is stopped for all.
    """

    clinic = models.ForeignKey(Clinic, models.PROTECT)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    address = models.CharField(max_length=254)
    stopped = models.BooleanField()
    how = models.CharField(max_length=24)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["clinic", "channel", "address", "-id"])]


def latest_consents(patients: Any) -> models.QuerySet[Consent]:
    """For each (patient, scope, channel) the consent row that holds."""
    newest = (
        Consent.objects.filter(patient__among=patients)
        .values("patient", "scope", "channel")
        .annotate(newest=models.Max("id"))
        .values("newest")
    )
    return Consent.objects.filter(id__in=newest)


def consents_and_stops(patient: Patient) -> models.QuerySet[Consent]:
    """The patient's consent rows that hold, each with `stopped`: whether its address has since."""
    spoken = {patient.address(way) for way in Channel} - {""}
    said = OptOut.objects.filter(
        clinic=patient.clinic_id,
        channel=models.OuterRef("channel"),
        address__in=spoken | {hidden(one) for one in spoken},
    ).order_by("-id")
    return latest_consents([patient.pk]).annotate(
        stopped=models.Subquery(said.values("stopped")[:1])
    )


def hidden(address: str) -> str:
    """What stands for an address whose patient was erased: a stop still holds, and names nobody.

    Keyed, because there are few enough phone numbers to try them all. 32 letters at most.
    """
    mac = hmac.digest(_key_of_addresses(settings.LINK_KEY), address.encode(), "sha256")
    return f"{HIDDEN}{mac.hex()[:31]}"


@lru_cache(maxsize=4)
def _key_of_addresses(secret: str) -> bytes:
    """Worked out once, and not for each of a batch's addresses."""
    return hashlib.sha256(f"patients.address{secret}".encode()).digest()


def stopped_addresses(clinics: Any, addresses: Any) -> set[tuple[int, str, str]]:
    """The (clinic id, channel, address) among these that have said stop and not start again."""
    stops = standing_stops(clinics, addresses)
    return {(row.clinic_id, row.channel, row.address) for row in stops}


def standing_stops(clinics: Any, addresses: Iterable[str]) -> list[OptOut]:
    """The stops among these after which came no start; their addresses in the clear."""
    spoken = {one: one for one in addresses}
    spoken |= {hidden(one): one for one in spoken}
    newest = (
        OptOut.objects.filter(clinic__in=clinics, address__among=list(spoken))
        .values("clinic", "channel", "address")
        .annotate(newest=models.Max("id"))
        .values("newest")
    )
    latest: dict[tuple[int, str, str], OptOut] = {}
    for row in OptOut.objects.filter(id__in=newest).order_by("id"):
        row.address = spoken[row.address]
        latest[row.clinic_id, row.channel, row.address] = row
    return [row for row in latest.values() if row.stopped]
