"""Tricks with the Host and other headers: no page believes them, and no link follows them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from pytest_django import Settings

from patients.models.clinic import Role
from tests.attack.scene import Scene, address, make_scene, signed_in
from tests.patients.test_access import TABLE
from tests.services.environment import process_environment

pytestmark = pytest.mark.thorough

FOREIGN = [
    "evil.example", "localhost.evil.example", "evil.example:80", "localhost@evil.example",
    "localhost:80@evil.example", "", " ", "[::1]", "127.0.0.1", "localhost, evil.example", ".",
    "LOCALHOST.evil.example", "localhost\\.evil.example", "xn--lcalhost-x1a", "localhost/evil",
    "localhost:x", "*", "é.example",
]  # fmt: skip
FORWARDED = {
    "X-Forwarded-Host": "evil.example",
    "X-Host": "evil.example",
    "X-Forwarded-Server": "evil.example",
    "Forwarded": "host=evil.example;proto=http;for=127.0.0.1",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Script-Name": "/evil",
}


@pytest.fixture
def public(settings: Settings) -> Settings:
    settings.ALLOWED_HOSTS = ["localhost"]
    return settings


@pytest.mark.usefixtures("public")
def test_a_foreign_host_is_answered_with_400_on_every_kind_of_page(ours: Scene) -> None:
    admin, wrong = signed_in(ours.staff[Role.ADMIN]), {}
    pages = ["/", "/board/", f"/r/{ours.token}", "/accounts/login/", "/health", "/worker.js",
             "/static/favicon.svg", "/nowhere", "/webhooks/twilio/inbound"]  # fmt: skip
    for host in FOREIGN:
        for path in pages:
            for client in (admin, Client()):
                status = client.get(path, HTTP_HOST=host.encode().decode("latin-1")).status_code
                if status != 400:
                    wrong[host, path] = status
    assert wrong == {}


def test_a_foreign_host_is_not_repeated_in_the_answer(ours: Scene, public: Settings) -> None:
    page = Client().get("/", HTTP_HOST="evil.example")
    assert "evil" not in page.content.decode()
    assert page["Content-Security-Policy"]
    assert page["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("header", FORWARDED)
def test_a_forwarded_host_changes_no_address_on_any_page(ours: Scene, header: str) -> None:
    admin, sent = signed_in(ours.staff[Role.ADMIN]), {header: FORWARDED[header]}
    for path in ("/", address("story", ours), f"/r/{ours.token}", f"/r/{ours.token}/print"):
        response = admin.get(path, headers=sent)
        assert "evil" not in response.content.decode()
        assert "evil" not in response.get("Location", "")
        links = re.findall(r"https?://[\w.:-]+/[ru]/", response.content.decode())
        assert set(links) <= {f"{settings.PUBLIC_BASE_URL}/r/", f"{settings.PUBLIC_BASE_URL}/u/"}
    assert mail.outbox == []


@pytest.mark.parametrize("header", ["X-Original-URL", "X-Rewrite-URL", "X-Override-URL"])
def test_an_address_in_a_header_is_not_followed(ours: Scene, header: str) -> None:
    visitor = Client()
    assert visitor.get("/accounts/login/", headers={header: "/board/"}).status_code == 200
    assert visitor.get("/nowhere", headers={header: f"/r/{ours.token}"}).status_code == 404
    assert visitor.get("/board/", headers={header: "/accounts/login/"}).status_code == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-User": "admin@lakeside.example"},
        {"Remote-User": "admin@lakeside.example"},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": "Bearer x"},
        {"X-Forwarded-Proto": "https"},
    ],
)
def test_no_header_signs_anybody_in(ours: Scene, headers: dict[str, str]) -> None:
    assert Client().get("/board/", headers=headers).status_code == 302


def test_a_proxy_we_were_not_told_of_cannot_say_that_it_is_https(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["localhost"]
    answer = Client().get("/", headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
    assert answer.status_code == 301
    assert answer["Location"] == "https://localhost/"


def test_odd_headers_of_htmx_and_the_browser_break_nothing(ours: Scene) -> None:
    nurse = signed_in(ours.staff[Role.NURSE])
    for name in ("HX-Request", "HX-Current-URL", "HX-Target", "HX-Prompt", "Accept-Language",
                 "Accept", "Accept-Encoding", "If-None-Match", "If-Modified-Since", "Range",
                 "Referer", "User-Agent", "Sec-Fetch-Site", "Content-Type"):  # fmt: skip
        for value in ("true", "x" * 8000, "é\x80", "\x00", "javascript:alert(1)"):
            told = value.encode().decode("latin-1")
            for path in (f"/r/{ours.token}", "/worker.js", "/desk/lists/"):
                assert nurse.get(path, headers={name: told}).status_code < 500, (name, value)


def test_every_text_says_its_letters_and_no_other_site_may_read_it(ours: Scene) -> None:
    admin, wrong = signed_in(ours.staff[Role.ADMIN]), {}
    for name, (_, methods) in TABLE.items():
        if "get" in methods:
            answer = admin.get(address(name, ours))
            sort = answer.get("Content-Type", "")
            if (sort.startswith("text/") and "charset=utf-8" not in sort) or (
                "Access-Control-Allow-Origin" in answer
            ):
                wrong[name] = sort
    assert wrong == {}


def test_every_download_has_a_name_of_ours_with_nothing_in_it_that_was_typed(db: None) -> None:
    scene = make_scene(slug="lakeside", number=1, words="x\".exe; filename*=UTF-8''évil")
    admin, named = signed_in(scene.staff[Role.ADMIN]), {}
    for name, (_, methods) in TABLE.items():
        if "get" in methods:
            answer = admin.get(address(name, scene))
            if sort := answer.get("Content-Disposition", ""):
                named[name] = sort
    assert set(named) >= {"export", "audit-csv", "import-bad", "person-json", "calendar"}
    ours = re.compile(r'(inline|attachment); filename="[a-z0-9-]+\.(csv|json|ics)"')
    assert [one for one in named.items() if not ours.fullmatch(one[1])] == []


def test_at_an_https_address_browsers_are_told_to_come_by_https_only() -> None:
    """In a process of its own, since the settings follow the address at the start."""
    asked = (
        "import django; django.setup(); from django.test import Client; "
        "print(Client().get('/healthz', secure=True, headers={'Host': 'care.example.com'})"
        "['Strict-Transport-Security'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", asked],
        env={**process_environment({"PUBLIC_BASE_URL": "https://care.example.com"}),
             "DJANGO_SETTINGS_MODULE": "aftercare.settings"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == "max-age=31536000; includeSubDomains; preload"
