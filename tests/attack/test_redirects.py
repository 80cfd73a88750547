"""Open redirects: nothing that somebody writes into a request leads away from this site."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from patients.models.clinic import Role
from patients.seal import seal_of
from tests.attack.scene import ADDRESSES, Scene, address, signed_in, taken_back
from tests.builders import PASSWORD
from tests.patients.test_access import TABLE

pytestmark = pytest.mark.thorough

AWAY = [
    "https://evil.example/", "//evil.example/", "///evil.example", "\\\\evil.example",
    "/\\evil.example", "http:evil.example", "https:///evil.example", "javascript:alert(1)",
    "data:text/html,x", "//evil.example\\@testserver/", "http://testserver@evil.example/",
    "http://testserver.evil.example/", "\thttps://evil.example", "/\t/evil.example",
    "https://evil.example%00testserver/", "%2f%2fevil.example", "/%5cevil.example", "//[::1]/",
    "http://testserver:80@evil.example", "\x00//evil.example", "/\r\nLocation: //evil.example",
]  # fmt: skip
NAMES = ("next", "url", "to", "return", "returnUrl", "redirect", "redirect_to", "continue", "goto",
         "back", "r", "u", "lang", "since", "find", "show", "until", "page", "seen")  # fmt: skip


def leads_away(location: str) -> bool:
    parts = urlsplit(location.replace("\\", "/"))
    return bool(parts.netloc and parts.netloc != "testserver") or parts.scheme not in ("", "http")


@pytest.mark.parametrize("away", AWAY)
def test_signing_in_and_out_stays_here(ours: Scene, away: str) -> None:
    typed = {"login": "desk@lakeside.example", "password": PASSWORD, "next": away}
    client = Client(raise_request_exception=False)
    for answer in (
        client.get(reverse("account_login"), {"next": away}),
        client.post(reverse("account_login"), typed),
        client.get(reverse("account_login"), {"next": away}),  # signed in already
        client.post(reverse("account_logout"), {"next": away}),
        Client(raise_request_exception=False).get("/board/", {"next": away}),
    ):
        assert answer.status_code in (200, 302, 400)
        assert not leads_away(answer.get("Location", ""))


def test_no_parameter_of_any_address_leads_away(ours: Scene) -> None:
    wrong = {}
    for name in sorted(ADDRESSES):
        admin = signed_in(ours.staff[Role.ADMIN])
        for away in (AWAY[1], AWAY[-1]):
            sent = dict.fromkeys(NAMES, away)
            for method in TABLE[name][1] - {"head"}:
                seal = {"seal": seal_of(ours.token)} if method == "post" else {}
                with taken_back():
                    answer = getattr(admin, method)(address(name, ours), sent | seal)
                if leads_away(answer.get("Location", "")) or (
                    answer.status_code >= 500 and not name.startswith("readyz")
                ):
                    wrong[name, away, method] = answer.status_code
    assert wrong == {}


@pytest.mark.parametrize("away", AWAY)
def test_where_the_button_was_pressed_is_believed_only_of_our_own_pages(
    ours: Scene, away: str
) -> None:
    nurse = signed_in(ours.staff[Role.NURSE])
    told = away.replace("\r\n", "")
    answer = nurse.post(address("concern-take", ours), headers={"Referer": told})
    assert answer.status_code == 302
    assert not leads_away(answer["Location"])


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/", "/\\evil.example/%2e%2e"])
def test_a_missing_slash_is_added_on_this_site_only(ours: Scene, path: str) -> None:
    answer = signed_in(ours.staff[Role.ADMIN]).get(path)
    assert not leads_away(answer.get("Location", ""))
