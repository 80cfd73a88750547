"""The warning signs as a phone keeps them: to tick without a network, and after a send that failed.

Whether the clinic is open is not known when it is read, so both numbers stand there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from patients import words
from patients.keep_words import keep_words
from patients.page_calls import Call
from patients.page_frame import Frame, to_keep
from patients.page_report import WrongPage, wrong_page
from patients.timeline import fill_text


@dataclass(frozen=True, slots=True)
class KeptWrong(WrongPage):
    title: str
    told: str
    bad: str
    saved: str
    anybody: tuple[Call, ...]


def kept_wrong_page(frame: Frame) -> KeptWrong:
    """What shows where the form was asked for."""
    page = wrong_page(to_keep(frame))
    return _kept(page, title=page.words.title, told=keep_words(frame.language).no_network)


def kept_unsent_page(frame: Frame) -> KeptWrong:
    """What shows where any form was sent; the worker ticks again what was ticked on this one."""
    keep = keep_words(frame.language)
    page = wrong_page(to_keep(frame))
    said = [keep.unsent, keep.unsent_closed][: len(page.frame.calls.clinic_calls())]
    bad = fill_text(" ".join(said), frame.treatment.patient.clinic.words)
    return _kept(page, title=keep.unsent_title, bad=bad)


def _kept(page: WrongPage, *, title: str, told: str = "", bad: str = "") -> KeptWrong:
    frame = page.frame
    at = frame.now.astimezone(frame.treatment.patient.tz)
    saved = keep_words(frame.language).saved.format(moment=words.dated(at, frame.language))
    drawn = {one.name: getattr(page, one.name) for one in fields(page)}
    anybody = frame.calls.clinic_calls()
    return KeptWrong(**drawn, title=title, told=told, bad=bad, saved=saved, anybody=anybody)
