"""Whom to call: the warning signs, the numbers, and the page of a link that opens nothing.

Pure over the clinic's record: asks no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from patients import words
from patients.models import Clinic
from patients.opening import opening
from patients.page_words import PAGE_WORDS, PageWords, page_words
from patients.protocol import Protocol, StepKind, TierAction
from patients.timeline import fill_text


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to call: `href` dials, `button` says whom."""

    href: str
    button: str


@dataclass(frozen=True, slots=True)
class Care:
    """One tier of the warning signs, and what to do about any of them."""

    tier: str
    heading: str
    signs: tuple[str, ...]
    instruction: str
    call: Call


@dataclass(frozen=True, slots=True)
class Contact:
    title: str
    text: str
    call: Call


@dataclass(frozen=True, slots=True)
class Hours:
    """Whether the clinic is open, in words; `is_closed` only if it is known to be."""

    text: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class DeadPage:
    """What a link that opens nothing says, the same for all of them; or one that is put off."""

    language: str
    say: PageWords
    title: str
    text: str
    heading: str
    emergency: Call | None
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Calls:
    """The clinic's numbers as things to press, in one language."""

    clinic: Clinic
    say: PageWords

    def office(self, button: str) -> Call:
        return Call(f"tel:{self.clinic.office_phone.as_e164}", button)

    def nurse(self) -> Call:
        return Call(f"tel:{self.clinic.after_hours_phone.as_e164}", self.say.call_nurse)

    def emergency(self) -> Call:
        number = self.clinic.emergency_number
        return Call(f"tel:{number}", self.say.call_number.format(number=number))

    def for_tier(self, action: TierAction) -> Call:
        if action is TierAction.EMERGENCY:
            return self.emergency()
        if action is TierAction.PAGE_NURSE:
            return self.nurse()
        return self.office(self.say.call_clinic)

    def care(self, protocol: Protocol, language: str, fill: Mapping[str, str]) -> tuple[Care, ...]:
        texts = protocol.words(language)
        return tuple(
            Care(
                tier=tier.action,
                heading=fill_text(texts.tiers[tier.action].heading, fill),
                signs=tuple(fill_text(texts.signs[sign], fill) for sign in tier.signs),
                instruction=fill_text(texts.tiers[tier.action].instruction, fill),
                call=self.for_tier(tier.action),
            )
            for tier in protocol.tiers
        )

    def contacts(
        self, protocol: Protocol, language: str, fill: Mapping[str, str]
    ) -> tuple[Contact, ...]:
        """The plan's own words on whom to call; its placeholder says which number each means."""
        found = protocol.words(language).steps
        texts = [found[step.fact] for step in protocol.steps if step.kind is StepKind.CALL]
        return tuple(
            Contact(
                fill_text(text.title, fill),
                fill_text(text.text, fill),
                self.nurse()
                if "{after_hours_phone}" in text.text
                else self.office(self.say.call_clinic),
            )
            for text in texts
        )


def hours_of(
    clinic: Clinic, *, zone: tzinfo, now: datetime, language: str, dated: bool = False
) -> Hours:
    """Computed by the clinic's clock, said by the page's: a page speaks of one zone only."""
    found = opening(clinic.opening_hours, zone=clinic.tz, now=now)
    if found is None:
        return Hours("", False)
    say, at = page_words(language), found.changes_at.astimezone(zone)
    if found.is_open:
        return Hours(say.open_until.format(clock=words.hour(at, language)), False)
    near = words.moment(at, now.astimezone(zone), language)
    said = words.dated(at, language) if dated else near
    return Hours(say.closed_until.format(moment=said), True)


def dead_page(clinic: Clinic | None, *, busy: bool = False) -> DeadPage:
    """`clinic`: the site's only one, so that nobody frightened meets a dead end; else None.

    `busy`: it is put off, not dead.
    """
    if clinic is None:
        say = page_words("en")
        return DeadPage("en", say, *_why(say, busy), say.dead_heading, None, ())
    language = clinic.default_language if clinic.default_language in PAGE_WORDS else "en"
    say = page_words(language)
    calls = Calls(clinic, say)
    return DeadPage(
        language,
        say,
        *_why(say, busy),
        heading=say.dead_heading_number.format(number=clinic.emergency_number),
        emergency=calls.emergency(),
        contacts=(
            Contact(
                clinic.office_phone.as_national,
                say.dead_question.format(clinic=clinic.name),
                calls.office(say.call_clinic),
            ),
            Contact(clinic.after_hours_phone.as_national, say.dead_urgent, calls.nurse()),
        ),
    )


def _why(say: PageWords, busy: bool) -> tuple[str, str]:
    return (say.busy_title, say.busy_text) if busy else (say.dead_title, say.dead_text)
