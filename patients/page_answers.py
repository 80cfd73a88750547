"""Check-ins and choices as forms, in words ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from patients.answer_words import ANSWER_WORDS, AnswerWords
from patients.clock import Calendar
from patients.models import CheckIn, Patient, Treatment
from patients.models.patient import Channel
from patients.page_calls import Call
from patients.page_frame import Frame, languages_of
from patients.page_words import page_words
from patients.protocol import OnLogging, Protocol, ReminderKind, ReminderRule

ASK_AGAIN = Calendar(days=3)


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
    call: Call | None = None


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
class Typed:
    """What a form sent: question name to the key chosen."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    is_sent: bool = False


def rule_asked(
    treatment: Treatment, check_ins: Sequence[CheckIn], *, now: datetime
) -> ReminderRule | None:
    """The check-in that the page asks by itself now: the last one due, unless it is answered.

    "Not normal yet" to one that opens something is asked again after three days.
    """
    rule = last_due(treatment.version.protocol, treatment.treated_at, treatment.patient.tz, now)
    if rule is None:
        return None
    answers = [one for one in check_ins if one.rule == rule.key]
    if not answers:
        return rule
    last = answers[-1]
    again = ASK_AGAIN.resolve(last.answered_at, treatment.patient.tz)
    return rule if rule.permits and not last.feels_normal and again <= now else None


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


def thanks_page(frame: Frame, last: CheckIn) -> CheckInPage:
    """What follows from the answer, in words; the number to call where it matters."""
    say = ANSWER_WORDS[frame.language]
    opens = frame.protocol.rule(last.rule).permits
    worse = last.trend == CheckIn.Trend.WORSE
    mild = say.thanks_normal if last.feels_normal else say.thanks_not_yet
    lines = [say.thanks_worse if worse else mild]
    if opens and not last.feels_normal:
        lines.append(say.thanks_again)
    if last.wants_call:
        lines.append(say.thanks_call.format(clinic=frame.clinic))
    return CheckInPage(
        frame,
        say,
        say.thanks,
        lines=tuple(lines),
        to_signs=worse,
        call=frame.bar if worse or last.wants_call else None,
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
        start_again=say.start_again.format(clinic=frame.clinic),
    )


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
