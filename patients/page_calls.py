"""Whom to call: the warning signs, the numbers, and the page of a link that opens nothing.

Pure over the clinic's record: asks no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from patients import words
from patients.models import Clinic
from patients.opening import opening
from patients.page_words import PAGE_WORDS, PageWords, page_words
from patients.protocol import Protocol, StepKind, TierAction
from patients.timeline import fill_text

CANNOT_WAIT = frozenset({TierAction.EMERGENCY, TierAction.PAGE_NURSE})


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to call: `href` dials, `button` says whom."""

    href: str
    button: str


@dataclass(frozen=True, slots=True)
class Care:
    """One tier of the warning signs, and what to do about any of them.

    `note` is said beside the calls while the clinic is closed and the tier could wait for it.
    """

    tier: str
    heading: str
    signs: tuple[str, ...]
    instruction: str
    note: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """No `calls` while nobody answers that number: the other contact's are for that hour."""

    title: str
    text: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """Whether the clinic is open, in words, and when a closed one `opens`.

    `is_open` is None where nobody knows: a clinic that keeps no hours, or a copy on a phone.
    """

    text: str = ""
    opens: str = ""
    is_open: bool | None = None


UNKNOWN = Hours()


@dataclass(frozen=True, slots=True)
class DeadPage:
    """What a link that opens nothing says, the same for all of them; or one that is put off."""

    language: str
    say: PageWords
    title: str
    text: str
    others: tuple[Tongue, ...]
    heading: str
    emergency: Call | None
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Tongue:
    """Another language a page can be read in, by the name it gives itself."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Calls:
    """The clinic's numbers as things to press, in one language, at an hour of which `hours` tells.

    What is pressed is answered: while the office is closed nothing leads there.
    """

    clinic: Clinic
    say: PageWords
    hours: Hours

    @property
    def bar(self) -> Call:
        return self.nurse() if self.hours.is_open is False else self._office(self.say.call_clinic)

    def nurse(self) -> Call:
        return Call(f"tel:{self.clinic.after_hours_phone.as_e164}", self.say.call_nurse)

    def emergency(self) -> Call:
        number = self.clinic.emergency_number
        return Call(f"tel:{number}", self.say.call_number.format(number=number))

    def clinic_calls(self) -> tuple[Call, ...]:
        return self._whoever_answers(self._office(self.say.call_clinic), self.nurse())

    def ask(self) -> tuple[Call, ...]:
        nurse = Call(self.nurse().href, self.say.ask_nurse)
        return self._whoever_answers(self._office(self.say.ask), nurse)

    def for_tier(self, action: TierAction) -> tuple[Call, ...]:
        if action is TierAction.EMERGENCY:
            return (self.emergency(),)
        if action is TierAction.PAGE_NURSE:
            return (self.nurse(),)
        return self.clinic_calls()

    def note(self, action: TierAction) -> str:
        """When the office, which this tier could wait for, opens."""
        if action in CANNOT_WAIT or self.hours.is_open is not False:
            return ""
        return words.sentence(self.say.closed_note.format(moment=self.hours.opens))

    def care(self, protocol: Protocol, language: str, fill: Mapping[str, str]) -> tuple[Care, ...]:
        texts = protocol.words(language)
        return tuple(
            Care(
                tier=tier.action,
                heading=fill_text(texts.tiers[tier.action].heading, fill),
                signs=tuple(fill_text(texts.signs[sign], fill) for sign in tier.signs),
                instruction=fill_text(texts.tiers[tier.action].instruction, fill),
                note=self.note(tier.action),
                calls=self.for_tier(tier.action),
            )
            for tier in protocol.tiers
        )

    def contacts(
        self, protocol: Protocol, language: str, fill: Mapping[str, str]
    ) -> tuple[Contact, ...]:
        """The plan's own words on whom to call; its placeholder says which number each means."""
        found = protocol.words(language).steps
        texts = [found[step.fact] for step in protocol.steps if step.kind is StepKind.CALL]
        return self.in_turn(
            (
                fill_text(text.title, fill),
                fill_text(text.text, fill),
                "{after_hours_phone}" in text.text,
            )
            for text in texts
        )

    def in_turn(self, told: Iterable[tuple[str, str, bool]]) -> tuple[Contact, ...]:
        """(title, text, whether it is the nurse on call): first whom one can reach at this hour."""
        office = () if self.hours.is_open is False else (self._office(self.say.call_clinic),)
        found = [
            Contact(title, text, (self.nurse(),) if is_nurse else office)
            for title, text, is_nurse in told
        ]
        return tuple(sorted(found, key=lambda one: not one.calls))

    def _office(self, button: str) -> Call:
        return Call(f"tel:{self.clinic.office_phone.as_e164}", button)

    def _whoever_answers(self, office: Call, nurse: Call) -> tuple[Call, ...]:
        if self.hours.is_open is False:
            return (nurse,)
        if self.hours.is_open or office.href == nurse.href:
            return (office,)
        return (office, nurse)


def hours_of(clinic: Clinic, *, zone: tzinfo, now: datetime, language: str) -> Hours:
    """Computed by the clinic's clock, said by the page's: a page speaks of one zone only."""
    found = opening(clinic.opening_hours, zone=clinic.tz, now=now)
    if found is None:
        return UNKNOWN
    say, at = page_words(language), found.changes_at.astimezone(zone)
    if found.is_open:
        text = say.open_until.format(clock=words.hour(at, language))
        return Hours(text, is_open=True)
    opens = words.moment(at, now.astimezone(zone), language)
    return Hours(say.closed_until.format(moment=opens), opens, is_open=False)


def other_tongues(spoken: Iterable[str], language: str) -> tuple[Tongue, ...]:
    return tuple(Tongue(one, page_words(one).name) for one in spoken if one != language)


def dead_page(
    clinic: Clinic | None, language: str, *, now: datetime, busy: bool = False
) -> DeadPage:
    """`clinic`: the site's only one, so that nobody frightened meets a dead end; else None.

    `busy`: it is put off, not dead.
    """
    say, others = page_words(language), other_tongues(PAGE_WORDS, language)
    why = (say.busy_title, say.busy_text) if busy else (say.dead_title, say.dead_text)
    if clinic is None:
        return DeadPage(language, say, *why, others, say.dead_heading, None, ())
    calls = Calls(clinic, say, hours_of(clinic, zone=clinic.tz, now=now, language=language))
    question = say.dead_question.format(clinic=clinic.name)
    return DeadPage(
        language,
        say,
        *why,
        others,
        heading=say.dead_heading_number.format(number=clinic.emergency_number),
        emergency=calls.emergency(),
        contacts=calls.in_turn(
            (
                (clinic.office_phone.as_national, question, False),
                (clinic.after_hours_phone.as_national, say.dead_urgent, True),
            )
        ),
    )
