"""Two form fields that say in plain words what is wrong: a phone number, a local time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from phonenumbers import PhoneNumberType, ValidationResult
from phonenumbers.phonemetadata import PhoneMetadata

from patients import words
from patients.models import Clinic
from patients.models.patient import Channel

EMAIL_WANTED = "This is not an email address. One looks like ana@example.org."
NO_TEXTS = {
    PhoneNumberType.FIXED_LINE: "a landline",
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
}
COMMON_YEARS = range(1900, 2200)  # in the first and the last there are no other zones
LOCAL_DIGITS = 7  # what could be a whole number within one town
SPOKEN_REGION = {"GB": "UK"}
SPOKEN_WITH_AN = frozenset("AEFHILMNORSX")  # "an AU number", but "a US number"


class PhoneField(forms.CharField):
    """A number as one writes it in `region`, given back as E.164; empty stays empty."""

    region: str = "US"

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        return read_phone(typed, self.region) if typed else ""


def region_of(clinic: Clinic) -> str:
    """The country whose way of writing numbers is understood: that of the clinic's own."""
    return phonenumbers.region_code_for_country_code(clinic.office_phone.country_code or 0)


def read_phone(typed: str, region: str) -> str:
    """E.164 of `typed`. Raises ValidationError that says why it cannot be a number."""
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise ValidationError(f"“{typed}” begins with no country code we know.") from None
        raise ValidationError(f"“{typed}” is not a phone number.") from None
    home = phonenumbers.region_code_for_country_code(number.country_code or 0)
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        raise ValidationError(_why_impossible(typed, number, reason, home))
    if not phonenumbers.is_valid_number(number):
        raise ValidationError(
            f"“{typed}” is not given to anybody as {_spoken(home)} number: check its first digits."
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def gets_no_texts(e164: str) -> str:
    """What kind of number this is if no text reaches it ("a landline"), or empty."""
    return NO_TEXTS.get(phonenumbers.number_type(phonenumbers.parse(e164)), "")


def grouped(e164: str, region: str) -> str:
    """The number in groups, as one reads it back."""
    number = phonenumbers.parse(e164)
    at_home = phonenumbers.region_code_for_number(number) == region
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, style.NATIONAL if at_home else style.INTERNATIONAL)


def masked(channel: str, address: str) -> str:
    """Enough of an address to recognise it: `•••• 0146`, `m•••@example.org`."""
    if not address:
        return ""
    if channel == Channel.SMS:
        return f"•••• {address[-4:]}"
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}"


def _why_impossible(typed: str, number: phonenumbers.PhoneNumber, reason: int, region: str) -> str:
    kind = f"{_spoken(region)} number"
    digits = len(re.sub(r"\D", "", typed)) if not typed.startswith("+") else 0
    local_only = reason == ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    if local_only and digits >= LOCAL_DIGITS:
        return f"“{typed}” lacks its area code."
    needs = _lengths(region)
    count = f": {digits} digits, it needs {needs[0]}" if digits and len(needs) == 1 else ""
    if reason == ValidationResult.TOO_LONG:
        return f"“{typed}” is too long for {kind}{count}."
    if local_only or reason in (ValidationResult.TOO_SHORT, ValidationResult.INVALID_LENGTH):
        return f"“{typed}” is too short for {kind}{count}."
    return f"“{typed}” is not a phone number."


def _lengths(region: str) -> tuple[int, ...]:
    """How many digits a number of that country can have."""
    metadata = PhoneMetadata.metadata_for_region(region)
    return tuple(getattr(getattr(metadata, "general_desc", None), "possible_length", ()))


def _spoken(region: str) -> str:
    name = SPOKEN_REGION.get(region, region)
    return f"{'an' if name[:1] in SPOKEN_WITH_AN else 'a'} {name}"


class LocalTimeField(forms.Field):
    """A `datetime-local` input read on the clock of `zone`, given back in UTC.

    A time the clocks skipped is refused with the reason. Of one that came twice the later is
    taken, unless it is still ahead of `now`: a gate may open late, never early.
    """

    zone: ZoneInfo = ZoneInfo("UTC")
    now: datetime | None = None
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def prepare_value(self, value: Any) -> Any:
        return value.astimezone(self.zone) if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            typed = datetime.fromisoformat(value)
        except ValueError:
            typed = None
        if typed is None or typed.tzinfo is not None or typed.year not in COMMON_YEARS:
            raise ValidationError("Write the day and the time, like 11/23/2026, 2:05 pm.")
        return self._instant(typed)

    def _instant(self, typed: datetime) -> datetime:
        first = typed.replace(tzinfo=self.zone)
        second = typed.replace(tzinfo=self.zone, fold=1)
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != typed:
            after = first.astimezone(UTC).astimezone(self.zone)
            raise ValidationError(
                f"There was no {words.clock(typed, 'en')} that day: the clocks went forward. "
                f"Was it {words.clock(after, 'en')}?"
            )
        if self.now is not None and second.astimezone(UTC) > self.now:
            return first.astimezone(UTC)
        return second.astimezone(UTC)
