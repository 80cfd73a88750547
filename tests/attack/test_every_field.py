"""Every field of every form on every page, filled with what nobody types: never a 5xx, and what
is refused is refused whole.
"""

from __future__ import annotations

import re
from itertools import cycle, product

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients.models.clinic import Role
from tests.attack.forms import Form, forms_of
from tests.attack.scene import Scene, address, signed_in, taken_back
from tests.patients.test_access import TABLE

pytestmark = [pytest.mark.both_databases, pytest.mark.thorough]
ODD = [
    "", "a\x00b", "x" * 20_000, "-1", "9" * 30, "9" * 5000, "1e400", "٣",
    "é😀\u202e\ufeff\ud7ff", "㌖" * 80, "<script>alert(1)</script>", "' OR 1=1 --",
    "0001-01-01T00:00", "9999-12-31T23:59", "0001-01-01", "9999-12-31", "24:61",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "+" + "1" * 200,
    "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
TIME = re.compile(r"_at$|_on$|_starts$|_ends$|^until$|^since$")
TIMES = [odd for odd in ODD if re.match(r"\d{2,4}[-:]", odd)]
ASKED = ("show page until since mark seen lang next day to of by user person patient act from "
         "before after saved thanks q").split()  # fmt: skip
FUZZ = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def every_form(scene: Scene, client: Client) -> dict[str, Form]:
    """By where it goes and what it holds, so that a form on many pages is tried once."""
    found = {}
    for name, (_, methods) in TABLE.items():
        if "get" not in methods:
            continue
        path = address(name, scene)
        for form in forms_of(
            path, client.get(path, follow=True).getvalue().decode("utf-8", "replace")
        ):
            if form.is_post and "logout" not in form.action and "/lock" not in form.action:
                found[f"{re.sub('[0-9]+', '1', form.action)} {sorted(form.fields)}"] = form
    return found


def post(client: Client, form: Form, filled: dict[str, list[str]], *, query: str = "") -> int:
    sent: dict[str, object] = {**filled}
    if form.takes_file:
        sent["file"] = ContentFile(b"First name,Last name\nAna,Lopez\n", name="list.csv")
    return client.post(form.action.split("#")[0] + query, sent).status_code


@pytest.fixture
def admin(ours: Scene) -> Client:
    return signed_in(ours.staff[Role.ADMIN])


def rows() -> dict[str, int]:
    counted = [
        one
        for one in apps.get_models()
        if one is not Session and "audit" not in one.__name__.lower()
    ]
    return {one.__name__: one._default_manager.count() for one in counted}


def test_the_forms_of_the_site_are_found(ours: Scene, admin: Client) -> None:
    forms = every_form(ours, admin).values()
    fields = {name for form in forms for name in form.fields}
    assert len(forms) > 25
    assert {
        "first_name",
        "phone",
        "ended_at",
        "form_key",
        "seal",
        "sign",
        "words",
        "owner",
    } <= fields
    assert {"due_at", "reason", "treated_at", "quiet_starts", "text_price", "new-email"} <= fields


def test_no_field_of_any_form_is_a_server_error_whatever_it_holds(
    ours: Scene, admin: Client
) -> None:
    """All fields of a form at once, since each is judged by itself; then some one by one."""
    wrong, next_odd = {}, cycle(ODD)
    for form in every_form(ours, admin).values():
        open_ = [name for name in form.fields if name not in ("csrfmiddlewaretoken", "seal")]
        tries = [{key: [odd] for key in open_} for odd in ODD]
        for name in open_:
            some = TIMES if TIME.search(name) else [next(next_odd)]
            tries += [{name: [odd]} for odd in some]
        tries += [dict.fromkeys(open_, several) for several in (["1", "x", ""], [])]
        for odd_ones in tries:
            with taken_back():
                status = post(admin, form, form.fields | odd_ones)
            if status >= 500:
                wrong[form.action, str(odd_ones)[:60]] = status
    assert wrong == {}


@FUZZ
@given(data=st.data())
def test_no_form_breaks_with_many_odd_fields_at_once(data: st.DataObject, ours: Scene) -> None:
    admin = signed_in(ours.staff[Role.ADMIN])
    forms = every_form_once(ours, admin)
    form = forms[data.draw(st.sampled_from(sorted(forms)))]
    odd = st.one_of(st.sampled_from(ODD), st.text(max_size=60), st.integers().map(str),
                    st.floats().map(str), st.datetimes().map(str), st.emails())  # fmt: skip
    filled = {
        name: data.draw(st.one_of(st.just(kept), st.lists(odd, max_size=2)))
        for name, kept in form.fields.items()
        if name != "csrfmiddlewaretoken"
    }
    with taken_back():
        assert post(admin, form, filled) < 500


_forms: dict[int, dict[str, Form]] = {}


def every_form_once(scene: Scene, client: Client) -> dict[str, Form]:
    """The rows of a scene have other numbers in every test, the forms of one test do not change."""
    if scene.treatment.pk not in _forms:
        _forms.clear()
        _forms[scene.treatment.pk] = every_form(scene, client)
    return _forms[scene.treatment.pk]


def test_no_question_in_an_address_is_a_server_error(ours: Scene, admin: Client) -> None:
    wrong = {}
    for name, odd in product(TABLE, [*TIMES, "", "a\x00b", "9" * 30, "<script>"]):
        # Without a beat for two minutes /readyz rightly says 503.
        if "get" in TABLE[name][1] and name != "readyz":
            status = admin.get(address(name, ours), dict.fromkeys(ASKED, odd)).status_code
            if status >= 500:
                wrong[name, odd[:30]] = status
    assert wrong == {}


def test_a_body_that_is_no_form_breaks_nothing_and_writes_nothing(
    ours: Scene, admin: Client
) -> None:
    bodies = [
        (b"{}", "application/json"),
        (b'{"text": ["x", {"a": 1}]}', "application/json"),
        (b"[" * 10_000, "application/json"),
        (b"<x/>", "text/xml"),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"text=%ff%00%zz&text", "application/x-www-form-urlencoded; charset=nonsense"),
        (b"a=1&" * 1500, "application/x-www-form-urlencoded"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", ""),
    ]
    before, wrong = rows(), {}
    for name in ("note", "task", "void", "correct", "contact", "answer", "desk", "clinic-add",
                 "clinic", "erase", "concern-close", "story-email"):  # fmt: skip
        for body, sort in bodies:
            path = address(name, ours)
            status = admin.generic("POST", path, body, content_type=sort).status_code
            if status >= 500:
                wrong[name, body[:20]] = status
    assert wrong == {}
    assert rows() == before
