"""Check-ins, how to be reached, and a page that is somebody else's."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from patients import acts
from patients.answer_words import ANSWER_WORDS
from patients.page_answers import (
    AskPage,
    Typed,
    channels_of,
    check_in_page,
    choices_page,
    gone_page,
    rule_open,
    thanks_page,
)
from patients.page_frame import Doors, Frame, languages_of
from patients.views.personal import SAFE_OR_POST, personal, rendered, see_other


@personal(SAFE_OR_POST)
def check_in(request: HttpRequest, frame: Frame) -> HttpResponse:
    told = list(frame.treatment.check_ins.order_by("id"))
    rule = rule_open(frame.treatment, told, now=frame.now)
    if "thanks" in request.GET and told:
        page = thanks_page(frame, told)
        return rendered("patient/check_in.html", page, frame=frame)
    typed = _typed(request, "normal", "trend", "call")
    page = check_in_page(frame, is_open=rule is not None, typed=typed)
    if rule is None or not typed.is_sent:
        return rendered("patient/check_in.html", page, frame=frame)
    if any(question.error for question in page.questions):
        return rendered("patient/check_in.html", page, frame=frame, status=HTTPStatus.BAD_REQUEST)
    acts.answer(
        treatment=frame.treatment,
        rule=rule.key,
        feels_normal=typed.chosen["normal"] == "yes",
        trend=typed.chosen["trend"],
        wants_call=typed.chosen["call"] == "yes",
        now=frame.now,
    )
    return see_other(_with(frame.doors.check_in, "thanks"))


@personal(SAFE_OR_POST)
def choices(request: HttpRequest, frame: Frame) -> HttpResponse:
    if "stop" in request.POST:
        acts.stop_messages(treatment=frame.treatment, now=frame.now)
        return see_other(frame.doors.choices)
    if "start" in request.POST:
        acts.start_messages(treatment=frame.treatment, now=frame.now)
        return see_other(_with(frame.doors.choices, "saved"))
    patient = frame.treatment.patient
    stops = acts.stops_of(patient)
    typed = _typed(request, "channel", "language", "wording")
    page = choices_page(
        frame,
        is_saved="saved" in request.GET,
        is_stopped=patient.channel in stops,
        may_start=stops.get(patient.channel) in acts.UNDONE_ON_PAGE,
        typed=typed if typed.is_sent else None,
    )
    if not typed.is_sent:
        return rendered("patient/choices.html", page, frame=frame)
    if any(question.error for question in page.questions):
        return rendered("patient/choices.html", page, frame=frame, status=HTTPStatus.BAD_REQUEST)
    _save(frame, typed)
    # The language just chosen is the patient's own now: nothing more to ask for.
    return see_other(_with(Doors(frame.doors.token, "").choices, "saved"))


@personal(SAFE_OR_POST)
def not_you(request: HttpRequest, frame: Frame) -> HttpResponse:
    page = AskPage(frame, ANSWER_WORDS[frame.language])
    if request.method != "POST":
        return rendered("patient/not_you.html", page, frame=frame)
    acts.disown(treatment=frame.treatment, now=frame.now)
    return rendered("patient/gone.html", gone_page(frame), frame=frame)


def _save(frame: Frame, typed: Typed) -> None:
    """A question that had but one answer was not asked: what is so stays so."""
    patient, words = frame.treatment.patient, ANSWER_WORDS[frame.language]
    channel = typed.chosen.get("channel", "")
    language = typed.chosen.get("language", "")
    acts.choose(
        treatment=frame.treatment,
        channel=channel if channel in channels_of(patient, words) else patient.channel,
        language=language if language in languages_of(frame.protocol) else patient.language,
        wants_details=typed.chosen["wording"] == "detailed",
        now=frame.now,
    )


def _typed(request: HttpRequest, *names: str) -> Typed:
    sent = {name: request.POST[name] for name in names if name in request.POST}
    return Typed(sent, request.method == "POST")


def _with(address: str, word: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{word}"
