"""What every personal page needs around its subject: its language, its addresses, whom to call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from patients.models import Treatment
from patients.page_calls import Call, Calls, Hours, hours_of
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
class Tongue:
    """Another language this page can be read in, by the name it gives itself."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Frame:
    """`now` is UTC. `bar` calls whoever answers at this hour."""

    treatment: Treatment
    language: str
    now: datetime
    say: PageWords
    doors: Doors
    seal: str
    clinic: str
    calls: Calls
    hours: Hours
    bar: Call
    others: tuple[Tongue, ...]
    dated: bool = False  # no hour is said as seen from `now`

    @property
    def protocol(self) -> Protocol:
        return self.treatment.version.protocol

    @property
    def after(self) -> timedelta:
        return max(self.now - self.treatment.treated_at, timedelta())


def frame_of(treatment: Treatment, *, token: str, now: datetime, wanted: str = "") -> Frame:
    """`wanted`: the language asked for in the address; the patient's own where it is none."""
    patient, clinic = treatment.patient, treatment.patient.clinic
    spoken = languages_of(treatment.version.protocol)
    own, language = language_of(treatment), language_of(treatment, wanted)
    say = page_words(language)
    calls = Calls(clinic, say)
    hours = hours_of(clinic, zone=patient.tz, now=now, language=language)
    return Frame(
        treatment=treatment,
        language=language,
        now=now,
        say=say,
        doors=Doors(token, "" if language == own else f"?lang={language}"),
        seal=seal_of(token),
        clinic=clinic.name,
        calls=calls,
        hours=hours,
        bar=calls.nurse() if hours.is_closed else calls.office(say.call_clinic),
        others=tuple(Tongue(one, page_words(one).name) for one in spoken if one != language),
    )


def language_of(treatment: Treatment, wanted: str = "") -> str:
    """`wanted`, else the patient's own, else the plan's first: whichever the page speaks."""
    spoken = languages_of(treatment.version.protocol)
    asked = (wanted, treatment.patient.language)
    return next((one for one in asked if one in spoken), spoken[0])


def languages_of(protocol: Protocol) -> tuple[str, ...]:
    """Those that both the plan and our words around it speak: a page never mixes two."""
    both = tuple(one for one in protocol.languages if one in PAGE_WORDS)
    return both or protocol.languages[:1]
