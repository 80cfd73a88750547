"""Every screen, text and email can be read by somebody in grade 5, in English and in Spanish.

A screen is what stands together: one part of the page at one hour, one email, one dead link's
page. Only sentences are judged: headings, labels and buttons are shorter still, and would flatter.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from statistics import mean

import pytest
import time_machine
from django.test import Client

from patients import links
from patients.models import Clinic, Treatment
from patients.models.patient import Channel
from reminders.messages import render
from tests.builders import log, make_clinic, make_patient
from tests.patients.grades import grade, sentences_of, words_of
from tests.patients.on_page import OnPage
from tests.patients.reading import Element, read
from tests.patients.test_page import WEEKDAYS, H, T

AVERAGE, AT_MOST = 5.0, 6.0  # grades
HOURS = (0, 3, 10, 30, 60, 7 * 24 + 2, 70 * 24)  # after T: each phase, and what shows late
WHOLE = {"p", "li", "h1", "h2", "h3", "h4"}
LANGUAGES = ("en", "es")


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clinic(db: None, language: str) -> Clinic:
    clinic = make_clinic(opening_hours=WEEKDAYS)
    clinic.default_language = language
    clinic.save()
    return clinic


def prose(part: Element) -> list[str]:
    """Its texts that are sentences."""
    blocks = [one for one in part.all() if one.tag in WHOLE and one is not part]
    if blocks or part.tag not in WHOLE:
        return [text for one in part.inside if isinstance(one, Element) for text in prose(one)]
    own = part.text if part.tag in {"p", "li"} else ""
    return [own] if own and (own[-1] in ".?!" or len(words_of(own)) > 5) else []


def screens(clinic: Clinic, language: str) -> Iterator[tuple[str, list[str]]]:
    """(where, its sentences) of every screen a patient can meet."""
    treatment = log(patient=make_patient(clinic=clinic, language=language), treated_at=T)
    address = f"/r/{links.token_of(treatment)}"
    for after in HOURS:
        with time_machine.travel(T + after * H, tick=False):
            root = read(Client().get(address).content.decode()).root
        for part in (*root.every("section"), *root.every("details")):
            yield f"{after} h: {part.attrs.get('id') or part.attrs.get('class')}", prose(part)
        yield f"{after} h: the page", prose(root)
    yield from acts(treatment)
    root = read(Client().get(f"/r/{'0' * links.TOKEN_LENGTH}").content.decode()).root
    yield "dead link", prose(root)
    yield from emails(clinic, language)


def acts(treatment: Treatment) -> Iterator[tuple[str, list[str]]]:
    """What a patient does on the page, and what is said to it."""
    day_8, page = OnPage(treatment, T + 8 * 24 * H), OnPage(treatment, T + 3 * H)
    for act in ("wrong", "kept/wrong", "kept/unsent", "choices", "not-you"):
        yield act, prose(page.see(act).root)
    yield "check-in", prose(day_8.see("check-in").root)
    for trend, call in (("better", "no"), ("worse", "yes")):
        day_8.post("check-in", normal="no", trend=trend, call=call)
        yield f"thanks, {trend}", prose(day_8.see("check-in", "?thanks").root)
    for sign in ("bumps", "spots", "pus", "breathing"):
        page.post("wrong", sign=[sign])
        yield f"sent, {sign}", prose(page.see("sent").root)


def emails(clinic: Clinic, language: str) -> Iterator[tuple[str, list[str]]]:
    for details in (False, True):
        patient = make_patient(
            clinic=clinic, language=language, wants_details=details,
            channel=Channel.EMAIL, email="maria@example.org",
        )  # fmt: skip
        for reminder in log(patient=patient, treated_at=T).reminders.all():
            for at in (reminder.due_at, T - timedelta(hours=1)):  # told, and told ahead
                html = render(reminder, at=at).html
                yield f"email {reminder.rule}", prose(read(html).root)


def test_no_screen_is_above_grade_six_and_their_average_is_five(
    clinic: Clinic, language: str
) -> None:
    grades = {
        where: grade(texts, language)
        for where, texts in screens(clinic, language)
        if sum(len(words_of(text)) for text in texts) >= 12  # fewer words have no grade
    }
    assert len(grades) > 60
    hard = {where: round(one, 1) for where, one in grades.items() if one > AT_MOST}
    assert hard == {}
    assert mean(grades.values()) <= AVERAGE


def test_sentences_have_twelve_words_on_average_and_never_more_than_twenty(
    clinic: Clinic, language: str
) -> None:
    said = {text for _, texts in screens(clinic, language) for text in texts}
    lengths = {one: len(words_of(one)) for one in sentences_of(sorted(said))}
    assert {one: length for one, length in lengths.items() if length > 20} == {}
    assert mean(lengths.values()) <= 12


def test_the_formulas_tell_plain_from_hard() -> None:
    assert grade(["The cat sat on the mat."], "en") < 1
    hard = "Topical antioxidants are contraindicated until epithelial regeneration is complete."
    assert grade([hard], "en") > 12
    assert grade(["El gato está en la casa."], "es") < 4.5
    hard = "Los antioxidantes tópicos están contraindicados hasta la regeneración epitelial."
    assert grade([hard], "es") > 9
