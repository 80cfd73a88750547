"""Check-ins and choices as forms, in words ready to be placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from patients.answer_words import ANSWER_WORDS, AnswerWords
from patients.models import CheckIn, Patient, Treatment
from patients.models.patient import Channel
from patients.page_frame import Frame, languages_of
from patients.page_words import page_words
from patients.protocol import OnLogging, Protocol, ReminderKind, ReminderRule

# "Not normal yet" is asked about again after so long, so often, and then goes to a nurse (rule 7).
ASK_AGAIN_DAYS, ASK_AT_MOST = 3, 3


@dataclass(frozen=True, slots=True)
class Option:
    key: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One choice of several; `error` stands beside it where none was made."""

    name: str
    text: str
    options: tuple[Option, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class CheckInPage:
    """No `questions`: nothing is asked now, and `lines` says so or says thanks."""

    frame: Frame
    words: AnswerWords
    title: str
    questions: tuple[Question, ...] = ()
    lines: tuple[str, ...] = ()
    to_signs: bool = False
    offers_call: bool = False


@dataclass(frozen=True, slots=True)
class ChoicesPage:
    frame: Frame
    words: AnswerWords
    questions: tuple[Question, ...]
    is_saved: bool
    is_stopped: bool
    may_start: bool
    start_again: str


@dataclass(frozen=True, slots=True)
class AskPage:
    """ "Not you?", asked once more, or done."""

    frame: Frame
    words: AnswerWords


@dataclass(frozen=True, slots=True)
class GonePage:
    """Closed for good: no switch would lead anywhere, so it is `said` in every language at once."""

    frame: Frame
    said: tuple[tuple[str, AnswerWords], ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form sent: question name to the key chosen."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    is_sent: bool = False


def gone_page(frame: Frame) -> GonePage:
    """The patient's own language first."""
    spoken = (frame.language, *(one.code for one in frame.others))
    return GonePage(frame, tuple((code, ANSWER_WORDS[code]) for code in spoken))


def rule_asked(
    treatment: Treatment, check_ins: Sequence[CheckIn], *, now: datetime
) -> ReminderRule | None:
    """The check-in that the page asks by itself now: the last one due, unless it is answered.

    "Not normal yet" to one that opens something is asked again after three days, three times.
    """
    rule = last_due(treatment.version.protocol, treatment.treated_at, treatment.patient.tz, now)
    if rule is None:
        return None
    zone = treatment.patient.tz
    answers = answers_to(rule.key, check_ins, zone=zone)
    if not answers:
        return rule
    if not rule.permits or feels_normal(treatment.version.protocol, check_ins):
        return None
    if asked_enough(answers):
        return None
    return rule if _asked_again_on(answers[-1], zone) <= now.astimezone(zone).date() else None


def answers_to(rule: str, check_ins: Iterable[CheckIn], *, zone: tzinfo) -> list[CheckIn]:
    """One for each time that it was asked: what is said between two asks answers none of them."""
    counted: list[CheckIn] = []
    for one in check_ins:
        if one.rule != rule:
            continue
        said_on = one.answered_at.astimezone(zone).date()
        if not counted or said_on >= _asked_again_on(counted[-1], zone):
            counted.append(one)
    return counted


def asked_enough(answers: Sequence[CheckIn]) -> bool:
    """Asked once, and again as often as a patient may be asked: a nurse takes over."""
    return len(answers) > ASK_AT_MOST


def _asked_again_on(answer: CheckIn, zone: tzinfo) -> date:
    return answer.answered_at.astimezone(zone).date() + timedelta(days=ASK_AGAIN_DAYS)


def rule_open(
    treatment: Treatment, check_ins: Sequence[CheckIn], *, now: datetime
) -> ReminderRule | None:
    """The check-in that may be answered now, asked or not: skin may feel normal any day."""
    rule = last_due(treatment.version.protocol, treatment.treated_at, treatment.patient.tz, now)
    if rule is None or feels_normal(treatment.version.protocol, check_ins):
        return None
    answered = any(one.rule == rule.key for one in check_ins)
    return rule if rule.permits or not answered else None


def last_due(
    protocol: Protocol, treated_at: datetime, zone: tzinfo, now: datetime
) -> ReminderRule | None:
    due = [
        (rule.due.resolve(treated_at, zone), rule)
        for rule in protocol.reminders
        if ReminderKind.CHECK_IN in rule.kinds and not isinstance(rule.due, OnLogging)
    ]
    return max(
        ((at, rule) for at, rule in due if at <= now), key=lambda one: one[0], default=(now, None)
    )[1]


def feels_normal(protocol: Protocol, check_ins: Sequence[CheckIn]) -> bool:
    """The latest answer to a check-in that opens something; on day 3 nothing opens yet."""
    keys = {rule.key for rule in protocol.reminders if rule.permits}
    asked = [one for one in check_ins if one.rule in keys]
    return bool(asked) and asked[-1].feels_normal


def check_in_page(frame: Frame, *, is_open: bool, typed: Typed | None = None) -> CheckInPage:
    say = ANSWER_WORDS[frame.language]
    if not is_open:
        return CheckInPage(frame, say, say.check_in, lines=(say.nothing_asked,))
    asked = (
        ("normal", say.feels_normal, {"yes": say.normal_yes, "no": say.normal_no}),
        ("trend", say.trend, {"better": say.better, "same": say.same, "worse": say.worse}),
        ("call", say.wants_call, {"no": say.call_no, "yes": say.call_yes}),
    )
    questions = tuple(_question(*one, typed or Typed(), say.answer_all) for one in asked)
    return CheckInPage(frame, say, say.check_in, questions)


def thanks_page(frame: Frame, check_ins: Sequence[CheckIn]) -> CheckInPage:
    """What follows from the last answer, in words; whom to call where it matters."""
    say, last = ANSWER_WORDS[frame.language], check_ins[-1]
    answers = answers_to(last.rule, check_ins, zone=frame.treatment.patient.tz)
    opens = frame.protocol.rule(last.rule).permits
    worse = last.trend == CheckIn.Trend.WORSE
    mild = say.thanks_normal if last.feels_normal else say.thanks_not_yet
    lines = [say.thanks_worse if worse else mild]
    if opens and not last.feels_normal:
        nurse = say.thanks_nurse.format(clinic=frame.clinic)
        lines.append(nurse if asked_enough(answers) else say.thanks_again)
    if last.wants_call:
        lines.append(say.thanks_call.format(clinic=frame.clinic))
    return CheckInPage(
        frame,
        say,
        say.thanks,
        lines=tuple(lines),
        to_signs=worse,
        offers_call=worse or last.wants_call,
    )


def choices_page(
    frame: Frame, *, is_saved: bool, is_stopped: bool, may_start: bool, typed: Typed | None = None
) -> ChoicesPage:
    say, patient = ANSWER_WORDS[frame.language], frame.treatment.patient
    now = {
        "channel": patient.channel,
        "language": frame.language,
        "wording": "detailed" if patient.wants_details else "neutral",
    }
    asked: list[tuple[str, str, Mapping[str, str]]] = [
        ("channel", say.channel, channels_of(patient, say)),
        (
            "language",
            say.language,
            {one: page_words(one).name for one in languages_of(frame.protocol)},
        ),
        ("wording", say.wording, {"neutral": say.neutral, "detailed": say.detailed}),
    ]
    return ChoicesPage(
        frame=frame,
        words=say,
        questions=tuple(
            _question(*one, typed or Typed(now), say.choose_all) for one in asked if len(one[2]) > 1
        ),
        is_saved=is_saved,
        is_stopped=is_stopped,
        may_start=may_start,
        start_again=_start_again(say, frame),
    )


def _start_again(say: AnswerWords, frame: Frame) -> str:
    """After a stop that the page cannot undo: the provider waits for START from the phone."""
    if frame.treatment.patient.channel == Channel.SMS:
        return say.start_by_text
    return say.start_again.format(clinic=frame.clinic)


def channels_of(patient: Patient, say: AnswerWords) -> dict[str, str]:
    ways = {Channel.SMS.value: say.by_text, Channel.EMAIL.value: say.by_email}
    return {channel: text for channel, text in ways.items() if patient.address(channel)}


def _question(
    name: str, text: str, options: Mapping[str, str], typed: Typed, error: str
) -> Question:
    chosen = typed.chosen.get(name)
    return Question(
        name=name,
        text=text,
        options=tuple(Option(key, said, key == chosen) for key, said in options.items()),
        error=error if typed.is_sent and chosen not in options else "",
    )
