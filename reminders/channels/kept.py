"""HTTP on kept connections: one request, one answer, and nothing is ever sent twice.

A client that does more costs more processor time than all else about a text together (urllib3:
0.35 ms a call with a hundred in flight, this: 0.03). Answers are read by llhttp, Node's parser.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from functools import lru_cache
from select import POLLIN, poll
from typing import NamedTuple
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

PORTS = {"http": 80, "https": 443}
# A server closes what has been idle; one that does so while we write leaves a call in doubt.
IDLE_SECONDS = 20.0
CHUNK = 65_536  # bytes
LARGEST = 8_000_000  # bytes of one answer


class NotConnected(Exception):
    """Not a byte of the request has left."""


class NoReply(Exception):
    """The request has left, or some of it, and no whole answer came: only the server knows more."""


class Reply(NamedTuple):
    status: int
    body: bytes


class Kept:
    """Requests to whatever hosts are asked for, over at most `connections` kept ones.

    `connect`, `read`: seconds for the connection, whatever of its host's addresses are tried (the
    name server has times of its own), and then for the whole answer. Several threads
    may ask at once; each has a connection to itself meanwhile.
    """

    def __init__(self, connections: int, *, connect: float, read: float) -> None:
        self._idle: deque[_Connection] = deque(maxlen=connections)
        self._connect = connect
        self._read = read

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Ask once. Raises `NotConnected` or `NoReply`."""
        origin, head = _opening(method, url)
        request = head + _lines(headers) + b"Content-Length: %d\r\n\r\n" % len(body) + body
        connection = self._take(origin)
        try:
            reply = connection.ask(request, self._read)
        except (OSError, HttpParserError) as error:
            connection.close()
            raise NoReply from error
        except BaseException:
            connection.close()
            raise
        if connection.lasts:
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self, origin: _Origin) -> _Connection:
        """The connection used last, so that those too many grow old; or a new one."""
        try:
            while True:
                connection = self._idle.pop()
                if connection.origin == origin and connection.is_fresh():
                    return connection
                connection.close()
        except IndexError:
            return _Connection(origin, self._connect)


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int


@lru_cache(maxsize=64)
def _opening(method: str, url: str) -> tuple[_Origin, bytes]:
    """Where to, and the request's first lines; a client asks for the same few again and again."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    origin = _Origin(parts.scheme, host, parts.port or PORTS[parts.scheme])
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: identity\r\n"
    return origin, _safe(lines, breaks=3)


def _lines(headers: Mapping[str, str]) -> bytes:
    return _safe("".join(f"{name}: {value}\r\n" for name, value in headers.items()), len(headers))


def _safe(lines: str, breaks: int) -> bytes:
    """No value may smuggle in a line of its own."""
    if lines.count("\n") != breaks or lines.count("\r") != breaks:
        raise ValueError("A header must not contain a line break.")
    return lines.encode("latin-1")


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _reached(origin: _Origin, until: float) -> socket.socket:
    """Raises OSError. One of the host's addresses that is silent leaves the next its share."""
    addresses = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    failed: OSError = TimeoutError("No address could be reached in time.")
    for tried, (*_, address) in enumerate(addresses):
        share = (until - time.monotonic()) / (len(addresses) - tried)
        try:
            return socket.create_connection((str(address[0]), origin.port), max(0.001, share))
        except OSError as error:
            failed = error
    raise failed


class _Connection:
    """One connection, and the answer that is being read from it."""

    def __init__(self, origin: _Origin, seconds: float) -> None:
        self.origin = origin
        until = time.monotonic() + seconds
        try:
            self._socket = _reached(origin, until)
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if origin.scheme == "https":
                self._socket = _tls().wrap_socket(self._socket, server_hostname=origin.host)
        except OSError as error:  # names, time-outs and certificates, too
            raise NotConnected from error
        self._poll = poll()
        self._poll.register(self._socket, POLLIN)
        self._used_at = time.monotonic()
        self.lasts = True

    def is_fresh(self) -> bool:
        """Still open as far as we can tell: an end or stray bytes can be read, silence cannot."""
        return time.monotonic() < self._used_at + IDLE_SECONDS and not self._poll.poll(0)

    def ask(self, request: bytes, seconds: float) -> Reply:
        """Raises OSError or HttpParserError."""
        until = time.monotonic() + seconds
        reading = _Reading()
        self._socket.settimeout(seconds)
        self._socket.sendall(request)
        left = LARGEST
        while reading.reply is None:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            chunk = self._socket.recv(CHUNK)
            left -= len(chunk)
            if not chunk or left < 0:
                raise ConnectionError("The answer has no end.")
            reading.feed(chunk)
        self.lasts = reading.lasts
        self._used_at = time.monotonic()
        return reading.reply

    def close(self) -> None:
        self._socket.close()


class _Reading:
    """What the parser tells of one answer."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._body: list[bytes] = []
        self.reply: Reply | None = None
        self.lasts = True

    def feed(self, chunk: bytes) -> None:
        """Raises HttpParserError for what is no answer; not for what follows a whole one."""
        try:
            self._parser.feed_data(chunk)
        except HttpParserError:
            if self.reply is None:
                raise
            self.lasts = False

    def on_message_begin(self) -> None:
        self.lasts = self.reply is None  # another answer, to a question nobody asked

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 and self.reply is None:  # before it may come "100 Continue"
            self.reply = Reply(status, b"".join(self._body))
            self.lasts = self._parser.should_keep_alive()
