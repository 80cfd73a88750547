"""Posts to our webhooks, as the provider or as somebody who would like to be it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import local
from urllib.parse import urldefrag, urlencode, urlsplit

from django.conf import settings
from twilio.request_validator import RequestValidator

FORM = "application/x-www-form-urlencoded"
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Post:
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


def signed(path: str, form: Mapping[str, str], *, token: str | None = None) -> Post:
    """As Twilio would post it: signed for our public address with the account's token."""
    signature = RequestValidator(token or settings.TWILIO_AUTH_TOKEN).compute_signature(
        settings.PUBLIC_BASE_URL + path, form
    )
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
    return Post(path, urlencode(form).encode(), headers)


def status_form(sid: str, status: str) -> dict[str, str]:
    return {
        "AccountSid": settings.TWILIO_ACCOUNT_SID,
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsStatus": status,
    }


def signed_status(callback: str, sid: str, status: str) -> Post:
    form = status_form(sid, status)
    if status in ("undelivered", "failed"):
        form["ErrorCode"] = "30005"
    return signed(urlsplit(urldefrag(callback).url).path, form)


class Poster:
    """Sends posts to one web server, several at once, on kept connections."""

    def __init__(self, base_url: str) -> None:
        self._netloc = urlsplit(base_url).netloc
        self._local = local()

    def send_all(self, posts: Iterable[Post]) -> Counter[int]:
        """How often each status was answered; 0 stands for no answer."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return Counter(pool.map(self._send, posts))

    def _send(self, post: Post) -> int:
        for _ in range(2):  # the server may have closed a kept connection meanwhile
            try:
                return self._ask(post)
            except (OSError, HTTPException):
                self._local.connection = None
        return 0

    def _ask(self, post: Post) -> int:
        if getattr(self._local, "connection", None) is None:
            address = self._netloc.replace("localhost", "127.0.0.1")
            self._local.connection = HTTPConnection(address, timeout=30)
        connection: HTTPConnection = self._local.connection
        headers = {"Host": self._netloc, **post.headers}
        connection.request(post.method, post.path, post.body or None, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
