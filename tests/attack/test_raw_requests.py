"""Bytes that no client library sends, to a real gunicorn: an answer below 500, and it lives on."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from patients.models.clinic import Role
from tests.attack.scene import Scene, make_scene, signed_in

pytestmark = pytest.mark.thorough

HOST = b"Host: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
LOGIN = b"GET /accounts/login/ HTTP/1.1\r\n"
SECRETS = ("SECRET_KEY", "Traceback", "BEGIN", "root:", "INSTALLED_APPS")


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return make_scene(slug="lakeside", number=1)


@pytest.fixture
def port(scene: Scene, site: Callable[..., str]) -> int:
    return urlsplit(site()).port or 0


def ask(port: int, *sent: bytes, wait: float = 0.0) -> bytes:
    """All that comes back; half-open requests are left after some seconds."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        with contextlib.suppress(ConnectionError):
            for piece in sent:
                line.sendall(piece)
                time.sleep(wait)
            line.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while piece := line.recv(65536):
                answer += piece
    return answer


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer)]


def lines() -> Iterator[bytes]:
    """Request lines."""
    close = HOST + b"Connection: close\r\n\r\n"
    yield b"GET http://evil.example/board/ HTTP/1.1\r\n" + close
    yield b"GET //evil.example/board/ HTTP/1.1\r\n" + close
    yield b"GET \\\\evil.example\\ HTTP/1.1\r\n" + close
    yield b"GET /board/../accounts/login/ HTTP/1.1\r\n" + close
    yield b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + close
    yield b"GET /board/%0d%0aSet-Cookie:%20x=1 HTTP/1.1\r\n" + close
    yield b"GET /accounts/login/?next=%0d%0aX-Evil:%201 HTTP/1.1\r\n" + close
    yield b"GET /board/\x00 HTTP/1.1\r\n" + close
    yield b"GET /r/\xff\xfe\xfd HTTP/1.1\r\n" + close
    yield b"GET /r/%ff%fe%00%c0%ae HTTP/1.1\r\n" + close
    yield b"GET /board/%00?show=%00&page=%ff HTTP/1.1\r\n" + close
    yield b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + close
    yield b"GET /?" + b"a=1&" * 900 + b" HTTP/1.1\r\n" + close
    yield b"GET /;/board/ HTTP/1.1\r\n" + close
    yield b"GET /board/. HTTP/1.1\r\n" + close
    yield b"GET /BOARD/ HTTP/1.1\r\n" + close
    yield b"GET /board%2f HTTP/1.1\r\n" + close
    yield b"GET * HTTP/1.1\r\n" + close
    yield b"OPTIONS * HTTP/1.1\r\n" + close
    yield b"TRACE / HTTP/1.1\r\nX-Secret: 1\r\n" + close
    yield b"CONNECT evil.example:443 HTTP/1.1\r\n" + close
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield b"get / HTTP/1.1\r\n" + close
    yield b"GET / HTTP/9.9\r\n" + close
    yield b"GET /\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # TLS to a plain port
    yield b"\r\n\r\n\r\n"
    yield b"\x00" * 4000
    yield b"GET / HTTP/1.1\r\n\r\n"  # no Host at all


def heads() -> Iterator[bytes]:
    """Header fields."""
    yield LOGIN + b"Host: evil.example\r\n\r\n"
    yield LOGIN + HOST + b"Host: evil.example\r\nConnection: close\r\n\r\n"
    yield LOGIN + HOST + b"X: " + b"a" * 100_000 + b"\r\n\r\n"
    yield LOGIN + HOST + b"X: 1\r\n" * 500 + b"\r\n"
    yield LOGIN + HOST + b"X: a\x00b\r\n\r\n"
    yield LOGIN + HOST + b"X: a\rSet-Cookie: x\r\n\r\n"
    yield LOGIN + HOST + b"X : a\r\n\r\n"
    yield LOGIN + HOST + b" folded: a\r\n\r\n"
    yield LOGIN + HOST + b"X\r\n\r\n"
    yield LOGIN + b"Host : localhost\r\n\r\n"
    yield LOGIN + b"Host: localhost\tevil.example\r\n\r\n"
    yield LOGIN + HOST + b"Cookie: session=" + b"a" * 7000 + b"\r\nConnection: close\r\n\r\n"
    yield LOGIN + HOST + b'Cookie: session="abcdefgh\\000"\r\nConnection: close\r\n\r\n'
    yield LOGIN + HOST + b"Cookie: \xff\xfe=\x80; ;;=;\r\nConnection: close\r\n\r\n"
    yield LOGIN + HOST + b"Host_: evil.example\r\nX_Forwarded_Proto: https\r\n\r\n"
    yield LOGIN + HOST + b"Expect: 100-continue\r\nConnection: close\r\n\r\n"
    yield LOGIN + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"


def bodies() -> Iterator[bytes]:
    """Bodies that are longer, shorter or other than they say."""
    post = b"POST /webhooks/twilio/inbound HTTP/1.1\r\n" + HOST + FORM
    smuggled = b"GET /board/ HTTP/1.1\r\n" + HOST + b"\r\n"
    yield post + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\na=1" + smuggled
    yield post + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled
    yield post + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + smuggled
    yield post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled
    yield post + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\na=1\r\n0\r\n\r\n"
    yield post + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"
    yield post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\na\r\n"
    yield post + b"Content-Length: -1\r\n\r\n"
    yield post + b"Content-Length: 1e3\r\n\r\na=1"
    yield post + b"Content-Length: 99999999999999999999\r\n\r\na=1"
    yield post + b"Content-Length: 10\r\n\r\na=1"  # breaks off
    yield post + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"
    broken = b"Content-Type: multipart/form-data; boundary=x\r\n"
    login = b"POST /accounts/login/ HTTP/1.1\r\n" + HOST
    yield login + broken + b"Content-Length: 20\r\n\r\n--x\r\nContent-Disposi"
    yield login + b"Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\na=1"
    yield login + b"Content-Type: multipart/form-data; boundary=\r\nContent-Length: 0\r\n\r\n"


def test_no_bytes_on_the_wire_are_a_server_error(port: int) -> None:
    wrong = {}
    for sent in (*lines(), *heads(), *bodies()):
        answer = ask(port, sent)
        told = answer.decode("latin-1")
        # 501 and 505 are how a server says that it does not speak like this.
        broken = [one for one in statuses(answer) if one >= 500 and one not in (501, 505)]
        head = told.partition("\r\n\r\n")[0]
        opened = "Sign out" in told or "Set-Cookie: x" in head or "X-Evil" in head
        if broken or opened or any(word in told for word in SECRETS):
            wrong[sent[:90]] = told[:300]
    assert wrong == {}
    assert statuses(ask(port, LOGIN + HOST + b"Connection: close\r\n\r\n")) == [200]


def test_whatever_host_is_claimed_on_the_wire_no_answer_repeats_it(scene: Scene, port: int) -> None:
    for claim in (
        b"Host: evil.example\r\n",
        b"Host: localhost\r\nX-Forwarded-Host: evil.example\r\n",
        b"Host: localhost\r\nForwarded: host=evil.example\r\n",
    ):
        for path in (b"/", b"/board/", f"/r/{scene.token}".encode(), b"/static/favicon.svg"):
            request = b"GET " + path + b" HTTP/1.1\r\n" + claim + b"Connection: close\r\n\r\n"
            answer = ask(port, request)
            assert b"evil" not in answer
            if claim.startswith(b"Host: evil"):
                assert statuses(answer) == [400], path


ABOVE = [
    "/static/../aftercare/settings.py", "/static/%2e%2e/manage.py", "/static/..%2fmanage.py",
    "/static/..%5c..%5cmanage.py", "/static/%252e%252e/manage.py", "/static/....//manage.py",
    "/static//etc/passwd", "/static/css/../../../.env", "/static/%c0%ae%c0%ae/.env", "/static/",
    "/static/css/", "/static", "/.env", "/.git/config", "/manage.py", "/static/staticfiles.json%00",
    "/static/css/%00", "/media/", "/admin/", "/robots.txt.bak", "/aftercare.sqlite3",
    "/static/../aftercare.sqlite3", "/static/..;/aftercare.sqlite3",
]  # fmt: skip


def test_no_file_beside_the_static_ones_is_served_and_no_folder_listed(port: int) -> None:
    served = {}
    for path in ABOVE:
        answer = ask(
            port, f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n"
        )
        if not all(one in (301, 400, 404) for one in statuses(answer)) or b"import os" in answer:
            served[path] = answer[:200]
    assert served == {}


def test_only_the_real_session_opens_on_the_wire(scene: Scene, port: int) -> None:
    key = signed_in(scene.staff[Role.DESK]).cookies[settings.SESSION_COOKIE_NAME].value

    def board(cookie: str) -> list[int]:
        told = f"Cookie: session={cookie}\r\nConnection: close\r\n\r\n".encode()
        return statuses(ask(port, b"GET /board/ HTTP/1.1\r\n" + HOST + told))

    assert board(key) == [200]
    assert board(key[:-1]) == [302]
    assert board(key + "; session=x") == [302]
