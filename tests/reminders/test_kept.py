"""The HTTP client that texts leave by: nothing is sent twice, and what is not known is said so."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from reminders.channels.kept import Kept, NoReply, NotConnected, Reply

OK = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
HEADERS = {"Authorization": "Basic x"}
READ_SECONDS = 0.5


class Server:
    """Answers each request with the next script; remembers what came, by connection."""

    def __init__(self) -> None:
        self.scripts: list[bytes | None] = []
        self.requests: list[tuple[int, bytes]] = []
        self.then: Callable[[socket.socket], None] = lambda _: None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/messages?to=%2B1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            threading.Thread(target=self._talk, args=(connection, number), daemon=True).start()

    def _talk(self, connection: socket.socket, number: int) -> None:
        with closing(connection):
            while request := connection.recv(65536):
                self.requests.append((number, request))
                script = self.scripts.pop(0)
                if script is None:
                    return  # hangs up without a word
                connection.sendall(script)
                self.then(connection)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with closing(server.listener):
        yield server


@pytest.fixture
def kept() -> Iterator[Kept]:
    with closing(Kept(4, connect=1.0, read=READ_SECONDS)) as client:
        yield client


def ask(kept: Kept, server: Server) -> Reply:
    return kept.request("POST", server.url, HEADERS, b"To=%2B1")


def test_two_requests_share_one_connection(server: Server, kept: Kept) -> None:
    server.scripts = [OK, OK]
    assert [ask(kept, server), ask(kept, server)] == [Reply(201, b"ok")] * 2
    (first, request), (second, _) = server.requests
    assert first == second == 1
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /messages?to=%2B1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert (b"Content-Length: 7" in head, body) == (True, b"To=%2B1")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
)
def test_any_whole_answer_is_read_and_its_connection_kept(
    server: Server, kept: Kept, answer: bytes
) -> None:
    server.scripts = [answer, OK]
    assert [ask(kept, server), ask(kept, server)] == [Reply(201, b"ok")] * 2
    assert [connection for connection, _ in server.requests] == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK + b"more", OK + OK],
    ids=["it says so", "stray bytes follow", "a second answer follows"],
)
def test_a_connection_that_ends_or_lies_is_not_used_again(
    server: Server, kept: Kept, answer: bytes
) -> None:
    server.scripts = [answer, OK]
    assert [ask(kept, server), ask(kept, server)] == [Reply(201, b"ok")] * 2
    assert [connection for connection, _ in server.requests] == [1, 2]


def test_a_connection_the_server_has_closed_meanwhile_is_replaced_before_anything_is_sent(
    server: Server, kept: Kept
) -> None:
    closed = threading.Event()

    def close(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    server.scripts, server.then = [OK, OK], close
    ask(kept, server)
    assert closed.wait(5)
    assert ask(kept, server) == Reply(201, b"ok")
    assert [connection for connection, _ in server.requests] == [1, 2]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"HTTP/1.1 201 Cre",
        b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nok",
        b"<html>Bad gateway</html>",
    ],
    ids=["none", "half a line", "half a body: it never ends", "not HTTP"],
)
def test_without_a_whole_answer_nobody_knows_and_nothing_is_sent_again(
    server: Server, kept: Kept, answer: bytes | None
) -> None:
    server.scripts = [answer]
    with pytest.raises(NoReply):
        ask(kept, server)
    assert len(server.requests) == 1


def test_the_second_request_on_a_kept_connection_is_not_repeated_either(
    server: Server, kept: Kept
) -> None:
    server.scripts = [OK, None]
    ask(kept, server)
    with pytest.raises(NoReply):
        ask(kept, server)
    assert [connection for connection, _ in server.requests] == [1, 1]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_whoever_sends_us_elsewhere_is_not_followed(
    server: Server, kept: Kept, status: int
) -> None:
    elsewhere = Server()
    with closing(elsewhere.listener):
        there = f"Location: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n"
        server.scripts = [f"HTTP/1.1 {status} There\r\n{there}".encode()]
        assert ask(kept, server).status == status
    assert elsewhere.requests == []
    assert len(server.requests) == 1


def test_where_nobody_listens_nothing_has_left(kept: Kept) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(NotConnected):
        kept.request("POST", f"http://127.0.0.1:{port}/", HEADERS, b"")


def test_a_host_that_cannot_prove_its_name_is_told_nothing(server: Server, kept: Kept) -> None:
    server.scripts = [None]  # it answers a greeting in TLS with an end
    with pytest.raises(NotConnected):
        kept.request("POST", server.url.replace("http:", "https:"), HEADERS, b"secret")
    assert not any(b"secret" in request or b"Basic" in request for _, request in server.requests)


def test_no_header_can_bring_a_second_one(server: Server, kept: Kept) -> None:
    with pytest.raises(ValueError, match="line break"):
        kept.request("POST", server.url, {"User-Agent": "x\r\nHost: elsewhere"}, b"")
    assert server.requests == []


# --- The time for a connection ------------------------------------------------------------------


@contextmanager
def nobody_let_in(host: str, port: int = 0) -> Iterator[int]:
    """A port at which whoever knocks is dropped without a word."""
    with socket.create_server((host, port), backlog=0) as listener, ExitStack() as knocking:
        address = (host.replace("0.0.0.0", "127.0.0.1"), listener.getsockname()[1])  # noqa: S104
        for _ in range(4):
            one = knocking.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(address)
        yield address[1]


def known_as(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **named: (
            found if host == "several.example" else real(host, *more, **named)
        ),
    )


def test_a_host_of_many_silent_addresses_has_the_time_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with nobody_let_in("0.0.0.0") as port, closing(Kept(1, connect=1.0, read=1.0)) as client:  # noqa: S104
        known_as(monkeypatch, *((f"127.0.0.{number}", port) for number in range(1, 9)))
        began = time.monotonic()
        with pytest.raises(NotConnected):
            client.request("GET", f"http://several.example:{port}/", {}, b"")
        assert time.monotonic() - began < 5  # it was a second for each of the eight


def test_behind_a_silent_address_the_next_one_is_tried(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.listener.getsockname()[1]
    server.scripts = [OK]
    with nobody_let_in("127.0.0.2", port), closing(Kept(1, connect=2.0, read=5.0)) as client:
        known_as(monkeypatch, ("127.0.0.2", port), ("127.0.0.1", port))
        url = f"http://several.example:{port}/messages"
        assert client.request("POST", url, HEADERS, b"To=%2B1") == Reply(201, b"ok")


def test_a_server_that_never_greets_has_that_time_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with closing(Kept(1, connect=0.3, read=1.0)) as client, pytest.raises(NotConnected):
            client.request("GET", url, {}, b"")
