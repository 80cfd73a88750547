"""The clinic and the people who work there."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from patients.clock import QuietHours
from patients.models.number import NumberField, e164

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A yearly maintenance visit and whatever is asked about it still find the record.
KEEP_MONTHS = 24
SMS_NAME_LIMIT = 20  # characters: with a 60-character link every text stays one segment


def validate_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Write one like America/New_York.")


def validate_plain_letters(name: str) -> None:
    """One letter outside ASCII can double the price of every text (GSM-7 becomes UCS-2)."""
    if not name.isascii():
        raise ValidationError("Use plain letters only: others make every text cost double.")


def validate_hours(hours: object) -> None:
    """`{"mon": ["09:00", "17:00"], …}`; a day left out is closed."""
    try:
        right = isinstance(hours, dict) and all(
            day in WEEKDAYS and time.fromisoformat(opens) < time.fromisoformat(closes)
            for day, (opens, closes) in hours.items()
        )
    except (ValueError, TypeError):
        right = False
    if not right:
        raise ValidationError(
            'Write opening hours like {"mon": ["09:00", "17:00"]}, with mon … sun as the days.'
        )


class Clinic(models.Model):
    """A clinic: its clock, its numbers, its hours, its sender."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    sms_name = models.CharField(
        max_length=SMS_NAME_LIMIT,
        validators=[validate_plain_letters],
        help_text="How texts name the clinic; at most 20 characters.",
    )
    zone = models.CharField(max_length=64, validators=[validate_zone])
    office_phone = NumberField()
    after_hours_phone = NumberField()
    emergency_number = models.CharField(max_length=8, default="911")
    opening_hours = models.JSONField(default=dict, validators=[validate_hours])
    quiet_starts = models.TimeField(default=time(20, 0))
    quiet_ends = models.TimeField(default=time(8, 0))
    sms_sender = NumberField(help_text="The number texts come from.")
    email_sender = models.EmailField(blank=True, help_text="Empty: the site's own address.")
    sms_per_second = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Texts a second this sender may send; empty: no limit."
    )
    alert_phone = NumberField(blank=True, help_text="Who is texted when something is wrong.")
    alert_email = models.EmailField(blank=True, help_text="Who is mailed when something is wrong.")
    # With a default in the database: the code before this still writes while it is rolled out.
    nurse_phone = NumberField(
        blank=True, default="", db_default="", help_text="Who is texted when a patient reports."
    )
    nurse_email = models.EmailField(
        blank=True, default="", db_default="", help_text="Who is mailed when a patient reports."
    )
    second_nurse_phone = NumberField(
        blank=True,
        default="",
        db_default="",
        help_text="Who is texted when nobody has taken it on after 15 minutes.",
    )
    second_nurse_email = models.EmailField(
        blank=True,
        default="",
        db_default="",
        help_text="Who is mailed when nobody has taken it on after 15 minutes.",
    )
    default_language = models.CharField(max_length=8, default="en")
    summary_at = models.TimeField(
        default=time(18, 0),
        db_default=time(18, 0),
        help_text="When the day's summary is mailed to whoever wants it.",
    )
    summed_up_on = models.DateField(null=True, editable=False)
    text_price = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        default=Decimal("0.0083"),
        db_default=Decimal("0.0083"),
        help_text="What one text segment costs, in the account's currency.",
    )
    keep_months = models.PositiveSmallIntegerField(
        default=KEEP_MONTHS,
        db_default=KEEP_MONTHS,
        validators=[MaxValueValidator(1200)],
        help_text="Months after the last step; then a record loses its name. 0 keeps all of them.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.zone)

    @property
    def quiet_hours(self) -> QuietHours:
        return QuietHours(self.quiet_starts, self.quiet_ends)

    @property
    def sender(self) -> str:
        """The number its texts come from, in E.164."""
        return e164(self, "sms_sender")

    @cached_property
    def words(self) -> dict[str, str]:
        """The clinic's words for a protocol's placeholders; formatted once, not once a message."""
        return {
            "clinic": self.name,
            "office_phone": self.office_phone.as_national,
            "after_hours_phone": self.after_hours_phone.as_national,
            "emergency_number": self.emergency_number,
        }


class Role(models.TextChoices):
    DESK = "desk", _("Desk")
    NURSE = "nurse", _("Nurse")
    LEAD = "lead", _("Clinical lead")
    ADMIN = "admin", _("Admin")


class StaffManager(BaseUserManager["StaffUser"]):
    def create_user(self, email: str, password: str | None = None, **values: Any) -> StaffUser:
        user = self.model(email=self.normalize_email(email).lower(), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> StaffUser:
        return self.get(email__iexact=username)


class StaffUser(AbstractBaseUser, PermissionsMixin):
    """Somebody who works at one clinic, in one role. Signs in with an email address."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=80)
    clinic = models.ForeignKey(Clinic, models.PROTECT, related_name="staff")
    role = models.CharField(max_length=8, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    wants_summary = models.BooleanField(default=False, db_default=False)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)
    # Until when a password that somebody else made opens the door; empty: it is their own.
    lent_until = models.DateTimeField(null=True, blank=True)
    # Part of what a session is signed with: counting on ends every session there is.
    sessions_ended = models.PositiveIntegerField(default=0, db_default=0)

    objects: ClassVar[StaffManager] = StaffManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def lend_password(self, password: str, *, until: datetime) -> None:
        """Set a password that must be changed at the first sign-in; ends every session."""
        self.set_password(password)
        self.lent_until = until

    def end_sessions(self) -> None:
        """Whoever is signed in as this person is out on their next request."""
        type(self).objects.filter(pk=self.pk).update(sessions_ended=F("sessions_ended") + 1)
        self.refresh_from_db(fields=["sessions_ended"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's own, over the password, with how often the sessions were ended."""
        salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
        signed = f"{self.password}|{self.sessions_ended}" if self.sessions_ended else self.password
        return salted_hmac(salt, signed, secret=secret, algorithm="sha256").hexdigest()
