"""Finding a patient at the desk: quick, forgiving, and never one of another clinic."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from patients.models import Clinic, Patient
from patients.name_index import sound
from reminders.finding import SHOWN, find_patients
from reminders.optouts import stop
from tests.builders import log, make_clinic, make_patient
from tests.reminders.conftest import NOON
from tests.reminders.desk_form import filled, save, text_of


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "typed",
    [
        *("mar", "GOM", "maria go", "gomez maria", "maria g", "María", "maria 0146"),
        *("0146", "555-0146", "(202) 555-0146", "maria@", "MARIA@example.org"),
    ],
)
def test_a_patient_is_found_by_name_end_of_number_or_email(
    desk: Client, clinic: Clinic, typed: str
) -> None:
    make_patient(clinic=clinic, email="maria@example.org")
    make_patient(clinic=clinic, first_name="Devon", last_name="King", phone="+12025550199")
    page = text_of(desk.post(reverse("desk-search"), {"find": typed}))
    assert "Maria Gomez" in page
    assert "Devon King" not in page


@pytest.mark.both_databases
@pytest.mark.parametrize("typed", ["élo", "elodie", "ohara", "O'Hara", "o’hara-lind", "lindq"])
def test_accents_apostrophes_and_hyphens_need_not_be_typed(
    desk: Client, clinic: Clinic, typed: str
) -> None:
    make_patient(clinic=clinic, first_name="Élodie", last_name="O’Hara-Lindqvist")
    assert "Élodie O’Hara" in text_of(desk.post(reverse("desk-search"), {"find": typed}))


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "typed",
    ["gomes", "maira", "gmez", "gommez", "naria", "mraia gomez", "maria gomes", "gomz ma"],
)
def test_a_typing_error_is_forgiven(desk: Client, clinic: Clinic, typed: str) -> None:
    make_patient(clinic=clinic)
    make_patient(clinic=clinic, first_name="Devon", last_name="King", phone="+12025550199")
    page = text_of(desk.post(reverse("desk-search"), {"find": typed}))
    assert "Nobody is written like that. Do you mean:" in page
    assert "Maria Gomez" in page
    assert "Devon King" not in page


def one_slip_away(word: str) -> set[str]:
    """Without one of its letters, with another, with one more, with two the other way about."""
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    return {
        *(before + after[1:] for before, after in cuts if after),
        *(before + "w" + after[1:] for before, after in cuts if after),
        *(before + "w" + after for before, after in cuts),
        *(before + after[1::-1] + after[2:] for before, after in cuts if after[1:]),
    } - {word}


@pytest.mark.both_databases
@pytest.mark.parametrize("word", ["petrov", "lindqvist"])
@pytest.mark.parametrize("other", ["", "ma ", "maria "])
def test_a_slip_is_forgiven_at_any_letter(clinic: Clinic, other: str, word: str) -> None:
    patient = make_patient(clinic=clinic, last_name=word.title())
    make_patient(clinic=clinic, first_name="Devon", last_name="King", phone="+12025550199")
    for typed in one_slip_away(word):
        found = find_patients(clinic, other + typed)
        assert [*found.patients, *found.almost] == [patient], typed


@pytest.mark.both_databases
@pytest.mark.parametrize("typed", ["lindw", "lidnqv", "lnidqvis", "mria lindq"])
def test_a_slip_is_forgiven_in_a_word_that_is_still_in_the_typing(
    clinic: Clinic, typed: str
) -> None:
    patient = make_patient(clinic=clinic, last_name="Lindqvist")
    assert find_patients(clinic, typed).almost == [patient]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("typed", "first_name", "last_name"),
    [
        ("petroff", "Anna", "Petrov"),
        ("mariya petroff", "Maria", "Petrova"),
        ("filip", "Philippa", "King"),
        ("katarina", "Catherina", "King"),
        ("gonsales", "Maria", "González"),
        ("kristophe", "Christoph", "King"),
        ("shmit", "Anna", "Schmidt"),
    ],
)
def test_postgresql_finds_by_ear(
    clinic: Clinic, typed: str, first_name: str, last_name: str
) -> None:
    patient = make_patient(clinic=clinic, first_name=first_name, last_name=last_name)
    make_patient(clinic=clinic, first_name="Devon", last_name="Moore", phone="+12025550199")
    heard = [patient] if connection.vendor == "postgresql" else []
    assert find_patients(clinic, typed).almost == heard


@pytest.mark.both_databases
@pytest.mark.django_db
def test_postgresql_hears_a_name_as_we_do() -> None:
    names = "petroff philippe schuhmacher wojciech jorge quincy alejandra xiao żółć мария o 3"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT tsvector_to_array(patients_name_keys(%s))", [f" {names}\n1\n\n"])
            keys = cursor.fetchone()[0]
        assert {key for key in keys if key[0] == "~"} == {f"~{sound(one)}" for one in names.split()}


@pytest.mark.both_databases
@pytest.mark.parametrize("typed", ["mar", "maria gomez", "maria gomes", "petroff", "0146", "ma@"])
def test_no_search_reads_all_patients_of_the_clinic(clinic: Clinic, typed: str) -> None:
    make_patient(clinic=clinic)
    letters = str.maketrans("0123456789", "bdfhklnprt")
    Patient.objects.bulk_create(
        Patient(clinic=clinic, first_name="Devon", last_name=f"{number:05}".translate(letters))
        for number in range(2000)
    )
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        with CaptureQueriesContext(connection) as asked:
            find_patients(clinic, typed)
        sought = [one["sql"] for one in asked if re.search("@@| LIKE | MATCH ", one["sql"])]
        assert sought
        for sql in sought:
            cursor.execute(f"EXPLAIN {'' if is_postgresql else 'QUERY PLAN'} {sql}")
            plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
            assert re.search("patients_search|patients_names", plan), plan
            assert not re.search(r"Seq Scan|Cond: \(clinic_id|SCAN patients_p", plan), plan


@pytest.mark.both_databases
def test_who_is_written_almost_so_is_shown_beside_who_is_written_as_typed(clinic: Clinic) -> None:
    """The record meant may be the other one: a slip may have been made when it was saved."""
    make_patient(clinic=clinic)
    slip = make_patient(clinic=clinic, last_name="Gomes", phone="+12025550199")
    found = find_patients(clinic, "maria gomez")
    assert [one.last_name for one in found.patients] == ["Gomez"]
    assert found.almost == [slip]


@pytest.mark.both_databases
def test_a_changed_or_removed_patient_is_found_by_what_holds_now(clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    patient.last_name = "Petrov"
    patient.save()
    assert find_patients(clinic, "gomez").patients == []
    assert find_patients(clinic, "petrov").patients == [patient]
    patient.delete()
    assert find_patients(clinic, "petrov").patients == []


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "typed", ['"', "%", "_", "\\", "' or 1=1 --", '" OR "', "@", "@%", "*", "é"]
)
def test_no_sign_that_is_typed_breaks_the_search_or_finds_everybody(
    desk: Client, clinic: Clinic, typed: str
) -> None:
    make_patient(clinic=clinic, email="maria@example.org")
    assert "Maria Gomez" not in text_of(desk.post(reverse("desk-search"), {"find": typed}))


def test_of_many_the_latest_visits_are_shown_and_the_rest_is_said(
    desk: Client, clinic: Clinic
) -> None:
    for number in range(SHOWN + 1):
        patient = make_patient(clinic=clinic, last_name=f"Gomez{number}")
        log(patient=patient, treated_at=NOON - timedelta(days=number + 1))
    page = text_of(desk.post(reverse("desk-search"), {"find": "maria"}))
    assert page.index("Gomez0") < page.index("Gomez1") < page.index("Gomez7")
    assert "Gomez8" not in page
    assert "There are more. One more letter, or the end of the number, finds them." in page


@pytest.mark.parametrize("visits", [3, 6])
@pytest.mark.parametrize(("typed", "queries"), [("maria", 7), ("gomes", 8)])
def test_a_search_costs_the_same_number_of_queries_whoever_is_found(
    desk: Client,
    clinic: Clinic,
    django_assert_num_queries: DjangoAssertNumQueries,
    visits: int,
    typed: str,
    queries: int,
) -> None:
    for number in range(visits):
        log(patient=make_patient(clinic=clinic, phone=f"+1202555010{number}"))
    desk.post(reverse("desk-search"), {"find": typed}, headers={"HX-Request": "true"})
    # session, user, clinic; who is meant, their visits; the audit row, whether they are a group
    with django_assert_num_queries(queries):
        desk.post(reverse("desk-search"), {"find": typed}, headers={"HX-Request": "true"})


def test_a_search_is_a_post_so_that_no_name_is_in_an_address(desk: Client) -> None:
    assert desk.get(reverse("desk-search"), {"find": "maria"}).status_code == 405


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("xyz", "Nobody found. Add them below."), ("x", "One more letter, please.")],
)
def test_a_search_that_finds_nobody_says_what_to_do(desk: Client, typed: str, answer: str) -> None:
    assert answer in text_of(desk.post(reverse("desk-search"), {"find": typed}))


def test_with_htmx_the_answer_is_only_the_patients_found(desk: Client, clinic: Clinic) -> None:
    make_patient(clinic=clinic)
    response = desk.post(reverse("desk-search"), {"find": "mar"}, headers={"HX-Request": "true"})
    assert "Maria Gomez" in text_of(response)
    assert "<form" not in text_of(response)


def test_nobody_of_another_clinic_is_found_or_counted_as_the_same_person(desk: Client) -> None:
    other = make_clinic(name="Hillside", slug="hillside", sms_sender="+12025550101")
    make_patient(clinic=other, email="maria@example.org")
    assert "Maria Gomez" not in text_of(desk.post(reverse("desk-search"), {"find": "maria"}))
    checked = desk.post(reverse("desk-check"), {"phone": "2025550146", "email": ""})
    assert "Maria Gomez" not in text_of(checked)
    assert save(desk, filled()).status_code == 302


def test_a_number_is_read_back_in_groups_with_whoever_has_it(desk: Client, clinic: Clinic) -> None:
    make_patient(clinic=clinic)
    page = text_of(desk.post(reverse("desk-check"), {"phone": "2025550146", "email": ""}))
    assert "(202) 555-0146" in page
    assert "Maria Gomez" in page


@pytest.mark.parametrize("typed", [("Maria", "Gomez"), ("maria", "gomes")])
def test_somebody_of_almost_this_name_is_shown_before_anything_is_saved(
    desk: Client, clinic: Clinic, typed: tuple[str, str]
) -> None:
    known = make_patient(clinic=clinic)
    names = {"first_name": typed[0], "last_name": typed[1], "phone": "", "email": ""}
    page = text_of(desk.post(reverse("desk-check"), names))
    assert "Been here before under this name, or almost. The same person?" in page
    own = text_of(desk.post(reverse("desk-check"), names | {"patient": str(known.pk)}))
    assert "Maria Gomez" not in own


def test_almost_the_same_name_with_the_same_number_is_asked_about_at_saving(
    desk: Client, clinic: Clinic
) -> None:
    make_patient(clinic=clinic)
    page = text_of(save(desk, filled(last_name="Gomes")))
    assert "Maria Gomez is already a patient, with this phone or email." in page
    assert save(desk, filled(first_name="Luis")).status_code == 302


def test_a_stopped_number_is_said_before_anything_is_logged(desk: Client, clinic: Clinic) -> None:
    patient = make_patient(clinic=clinic)
    stop(clinic, "+12025550146")
    page = text_of(desk.get(reverse("desk-returning", args=[patient.pk])))
    assert "This number has stopped our messages." in page
