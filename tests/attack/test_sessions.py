"""Sessions and form tokens that were made up, changed, taken from elsewhere or used again."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.urls import reverse

from patients import links
from patients.models import Act, Report
from patients.models.clinic import Role
from patients.seal import seal_of
from reminders.models import Note
from tests.attack.scene import Scene, address, signed_in
from tests.builders import PASSWORD, log, make_patient

pytestmark = pytest.mark.thorough

SESSION, CSRF = settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME


def with_session(key: str) -> Client:
    client = Client(raise_request_exception=False)
    client.cookies[SESSION] = key
    return client


def key_of(client: Client) -> str:
    return str(client.cookies[SESSION].value)


def is_out(client: Client) -> bool:
    response = client.get("/board/")
    return response.status_code == 302 and response["Location"].startswith("/accounts/login/")


def forged(ours: Scene) -> Iterator[str]:
    """Keys that nobody was given: guessed, signed with another key, of another kind."""
    real = key_of(signed_in(ours.staff[Role.ADMIN]))
    yield from (real[:-1], real + "a", real.upper(), real[::-1], real[:-1] + "A")
    yield from ("", "0" * 32, "x" * 10_000, "' OR 1=1 --", "../../etc/passwd", "é" * 8, "%00" * 8)
    told = {"_auth_user_id": str(ours.staff[Role.ADMIN].pk), "_auth_user_hash": "x"}
    yield signing.dumps(told, key="another-key", compress=True)
    yield signing.dumps(told, salt="django.contrib.sessions.backends.signed_cookies")
    yield base64.b64encode(json.dumps(told).encode()).decode()


def test_a_session_that_was_made_up_is_nobodys(ours: Scene) -> None:
    opened = [key for key in forged(ours) if not is_out(with_session(key))]
    assert opened == []


@pytest.mark.both_databases
def test_a_nul_hidden_in_a_cookie_is_refused(ours: Scene) -> None:
    """`\\000` within quotes is one, and PostgreSQL takes none."""
    for name in (SESSION, CSRF, "messages", "other"):
        client = Client(raise_request_exception=False)
        client.defaults["HTTP_COOKIE"] = f'{name}="abcdefgh\\000abcdefgh"'
        assert client.get("/board/").status_code == 400
        assert client.post(reverse("account_login"), {"login": "x"}).status_code == 400


def test_a_session_with_changed_contents_is_nobodys(ours: Scene) -> None:
    """Whoever could write into the table still lacks the key its contents are signed with."""
    client = signed_in(ours.staff[Role.DESK])
    row = Session.objects.get(session_key=key_of(client))
    told: dict[str, Any] = row.get_decoded() | {"_auth_user_id": str(ours.staff[Role.ADMIN].pk)}
    for data in (
        signing.dumps(told, key="another-key", salt="django.contrib.sessions.SessionStore"),
        row.session_data[:-3] + "abc",
        base64.b64encode(json.dumps(told).encode()).decode(),
        "",
    ):
        Session.objects.filter(pk=row.pk).update(session_data=data)
        assert is_out(with_session(row.session_key))


def test_another_users_number_under_ones_own_proof_is_nobodys(ours: Scene) -> None:
    client = signed_in(ours.staff[Role.DESK])
    store = SessionStore(key_of(client))
    store["_auth_user_id"] = str(ours.staff[Role.ADMIN].pk)
    store.save()
    assert is_out(client)


def test_a_session_is_over_after_signing_out_and_cannot_be_used_again(ours: Scene) -> None:
    client = signed_in(ours.staff[Role.ADMIN])
    kept = key_of(client)
    assert not is_out(with_session(kept))
    client.post(reverse("account_logout"))
    assert is_out(with_session(kept))


def test_a_session_is_over_when_the_password_changes(ours: Scene) -> None:
    admin = ours.staff[Role.ADMIN]
    client = signed_in(admin)
    admin.set_password("another-password-of-the-tests")
    admin.save()
    assert is_out(client)


def test_a_session_set_before_signing_in_is_not_the_one_after(ours: Scene) -> None:
    """Fixation: what somebody planted in the browser opens nothing for them."""
    planted = SessionStore()
    planted["x"] = 1
    planted.save()
    client = with_session(str(planted.session_key))
    typed = {"login": "desk@lakeside.example", "password": PASSWORD}
    client.post(reverse("account_login"), typed)
    assert key_of(client) != planted.session_key
    assert is_out(with_session(str(planted.session_key)))


# --- Form tokens --------------------------------------------------------------------------------


def note_with(client: Client, scene: Scene, **sent: Any) -> int:
    return client.post(address("note", scene), {"text": "x"}, **sent).status_code


@pytest.fixture
def checked(ours: Scene) -> Client:
    """Signed in, and held to Django's form tokens as a real browser is."""
    return signed_in(ours.staff[Role.NURSE], enforce_csrf_checks=True)


def token_for(client: Client, scene: Scene) -> str:
    client.get(address("note", scene))
    return str(client.cookies[CSRF].value)


def test_a_form_without_its_token_or_with_a_made_up_one_writes_nothing(
    checked: Client, ours: Scene
) -> None:
    before = Note.objects.count()
    assert note_with(checked, ours) == 403
    real = token_for(checked, ours)
    for token in ("", "x", "0" * 64, real[:-1] + "!", real[::-1], "é" * 32, "\x00" * 32):
        answer = checked.post(address("note", ours), {"text": "x", "csrfmiddlewaretoken": token})
        assert answer.status_code == 403
        assert note_with(checked, ours, HTTP_X_CSRFTOKEN=token.encode().decode("latin-1")) == 403
    assert Note.objects.count() == before


def test_another_visitors_form_token_is_no_token_here(checked: Client, ours: Scene) -> None:
    other = signed_in(ours.staff[Role.DESK], enforce_csrf_checks=True)
    stolen = token_for(other, ours)
    token_for(checked, ours)
    assert note_with(checked, ours, HTTP_X_CSRFTOKEN=stolen) == 403


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example", "file://"]
)
def test_a_form_sent_from_another_site_is_refused(
    checked: Client, ours: Scene, origin: str
) -> None:
    token = token_for(checked, ours)
    assert note_with(checked, ours, HTTP_X_CSRFTOKEN=token) == 302
    assert note_with(checked, ours, HTTP_X_CSRFTOKEN=token, HTTP_ORIGIN=origin) == 403


ACTS = ["recovery-read", "recovery-wrong", "recovery-check-in", "recovery-choices",
        "recovery-not-you"]  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_a_patients_form_without_its_own_seal_does_nothing(
    ours: Scene, theirs: Scene, name: str
) -> None:
    typed = {"sign": "pus", "stop": "1", "channel": "email", "wording": "detailed", "normal": "no"}
    before = (Act.objects.count(), Report.objects.count())
    older = log(patient=make_patient(clinic=ours.clinic, phone="+12025550177"))
    for seal in ("", "x", seal_of(theirs.token), seal_of(links.token_of(older)), "é" * 16):
        answer = Client().post(address(name, ours), typed | {"seal": seal})
        assert answer.status_code == 403
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        right = typed | {"seal": seal_of(ours.token)}
        assert Client().post(address(name, ours), right, headers=headers).status_code == 403
    assert (Act.objects.count(), Report.objects.count()) == before
