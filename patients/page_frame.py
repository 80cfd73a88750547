"""What every personal page needs around its subject: its language, its addresses, whom to call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from patients.models import Treatment
from patients.page_calls import UNKNOWN, Call, Calls, Tongue, hours_of, other_tongues
from patients.page_words import PAGE_WORDS, PageWords, page_words
from patients.protocol import Protocol
from patients.seal import seal_of


@dataclass(frozen=True, slots=True)
class Doors:
    """The addresses of one personal link, each in the language that was asked for."""

    token: str
    asked: str  # "?lang=es", or nothing where the patient's own language is meant

    @property
    def home(self) -> str:
        return f"/r/{self.token}{self.asked}"

    @property
    def wrong(self) -> str:
        return self._to("wrong")

    @property
    def sent(self) -> str:
        return self._to("sent")

    @property
    def check_in(self) -> str:
        return self._to("check-in")

    @property
    def read(self) -> str:
        return self._to("read")

    @property
    def not_you(self) -> str:
        return self._to("not-you")

    @property
    def choices(self) -> str:
        return self._to("choices")

    @property
    def calendar(self) -> str:
        return self._to("calendar.ics")

    @property
    def copy(self) -> str:
        return self._to("kept")

    @property
    def manifest(self) -> str:
        return self._to("manifest.webmanifest")

    @property
    def paper(self) -> str:
        return self._to("print")

    def _to(self, act: str) -> str:
        return f"/r/{self.token}/{act}{self.asked}"


@dataclass(frozen=True, slots=True)
class Frame:
    """`now` is UTC."""

    treatment: Treatment
    language: str
    now: datetime
    say: PageWords
    doors: Doors
    seal: str
    clinic: str
    calls: Calls
    others: tuple[Tongue, ...]
    dated: bool = False  # no hour is said as seen from `now`

    @property
    def protocol(self) -> Protocol:
        return self.treatment.version.protocol

    @property
    def bar(self) -> Call:
        """Calls whoever answers at this hour."""
        return self.calls.bar

    @property
    def after(self) -> timedelta:
        return max(self.now - self.treatment.treated_at, timedelta())


def frame_of(treatment: Treatment, *, token: str, now: datetime, wanted: str = "") -> Frame:
    """`wanted`: the language asked for in the address; the patient's own where it is none."""
    patient, clinic = treatment.patient, treatment.patient.clinic
    spoken = languages_of(treatment.version.protocol)
    own, language = language_of(treatment), language_of(treatment, wanted)
    say = page_words(language)
    hours = hours_of(clinic, zone=patient.tz, now=now, language=language)
    return Frame(
        treatment=treatment,
        language=language,
        now=now,
        say=say,
        doors=Doors(token, "" if language == own else f"?lang={language}"),
        seal=seal_of(token),
        clinic=clinic.name,
        calls=Calls(clinic, say, hours),
        others=other_tongues(spoken, language),
    )


def to_keep(frame: Frame) -> Frame:
    """The same for a copy that is read nobody knows when: dates for hours, no opening hours."""
    return replace(frame, dated=True, calls=replace(frame.calls, hours=UNKNOWN))


def language_of(treatment: Treatment, wanted: str = "") -> str:
    """`wanted`, else the patient's own, else the plan's first: whichever the page speaks."""
    spoken = languages_of(treatment.version.protocol)
    asked = (wanted, treatment.patient.language)
    return next((one for one in asked if one in spoken), spoken[0])


def languages_of(protocol: Protocol) -> tuple[str, ...]:
    """Those that both the plan and our words around it speak: a page never mixes two."""
    both = tuple(one for one in protocol.languages if one in PAGE_WORDS)
    return both or protocol.languages[:1]
