"""The personal link's secret: 128 bits, in no row, in no log, and nowhere a third party reads."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from aftercare.logs import formatter
from patients import links
from patients.models import Treatment
from patients.page_frame import Frame
from patients.seal import seal_of
from patients.views import page
from reminders.models import State
from tests.builders import log, make_attempt, make_clinic, make_patient, reminder_of, set_state
from tests.patients.test_access import ADDRESSES

PAGES = sorted(name for name, one in ADDRESSES.items() if str(one.pattern).startswith("r/"))


@pytest.fixture
def treatment(db: None) -> Treatment:
    return log(patient=make_patient(clinic=make_clinic(), email="maria@example.org"))


def path_of(name: str, treatment: Treatment) -> str:
    return reverse(name, kwargs={"token": links.token_of(treatment)})


def test_it_is_128_bits_that_no_other_link_shares() -> None:
    assert len(links._ALPHABET) ** links.TOKEN_LENGTH > 2**128
    made = {links._token(ref, generation) for ref in REFS for generation in (1, 2)}
    assert len(made) == 2 * len(REFS)
    assert {len(one) for one in made} == {links.TOKEN_LENGTH}


REFS = [Treatment().ref for _ in range(500)]


@pytest.mark.both_databases
def test_only_its_hash_is_in_the_database(treatment: Treatment) -> None:
    handover = set_state(reminder_of(treatment, "handover"), State.DELIVERED)
    make_attempt(handover, provider_id="SM1")
    for name in PAGES:
        Client().get(path_of(name, treatment))
    token, hashed = links.token_of(treatment), links.hash_of(links.token_of(treatment))
    kept = ""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                values = [bytes(one) if isinstance(one, memoryview) else one for one in row]
                kept += repr(values)
    assert token not in kept
    assert repr(hashed) in kept


@pytest.mark.parametrize("name", PAGES)
def test_no_third_party_is_told_of_it(treatment: Treatment, name: str) -> None:
    answer = Client().get(path_of(name, treatment))
    assert answer["Referrer-Policy"] == "same-origin"
    html = answer.content.decode()
    for address in re.findall(r'(?:href|src|action|content)="([^"]*)"', html):
        host = urlsplit(address).netloc
        assert host == "", address  # `tel:` and our own pages have none
    assert "http-equiv" not in html


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_redirect_leads_back_to_the_same_link_and_nowhere_else(
    treatment: Treatment, name: str, method: str
) -> None:
    typed = {"seal": seal_of(links.token_of(treatment)), "sign": "fever", "next": "//evil.example"}
    answer = getattr(Client(), method)(
        path_of(name, treatment), typed, headers={"X-Forwarded-Host": "evil.example"}
    )
    if answer.status_code in (301, 302, 303, 307, 308):
        to = urlsplit(answer["Location"])
        assert to.netloc in ("", "testserver")
        assert to.path.startswith(f"/r/{links.token_of(treatment)}")
        assert links.token_of(treatment) not in to.query


def test_no_redirect_hands_a_link_on_for_want_of_a_slash(treatment: Treatment) -> None:
    token = links.token_of(treatment)
    for path in (f"/r/{token}/", f"/R/{token}", f"//r/{token}", f"/u/{token}/"):
        answer = Client().get(path)
        assert answer.status_code == 404
        assert token not in answer.content.decode()


@pytest.mark.parametrize("how", ["line", "json"])
def test_an_error_on_the_page_says_it_neither_in_the_log_nor_on_the_page(
    treatment: Treatment,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    def broken(frame: Frame, told: object) -> None:
        raise RuntimeError(f"{frame.treatment.patient.full_name} at {frame.doors.token}")

    monkeypatch.setattr(page, "page_of", broken)
    caplog.handler.setFormatter(formatter(how))
    client = Client(raise_request_exception=False)
    answer = client.get(path_of("recovery-page", treatment))
    token = links.token_of(treatment)
    assert answer.status_code == 500
    assert token not in answer.content.decode()
    assert "RuntimeError" in caplog.text
    assert token not in caplog.text
    assert "Gomez" not in caplog.text
