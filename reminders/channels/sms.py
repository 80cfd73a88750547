"""Text messages by Twilio's own SDK. Twilio's words are translated here and nowhere else.

One call, no retries, short timeouts, keep-alive connections. Twilio can also be asked what it has:
`fetch` one message, or `listed` to a number, which is how an unknown outcome is resolved.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hmac import compare_digest
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from reminders.channels import Accepted, Listed, Message, NotSent, Outcome, Rejected, Unknown
from reminders.channels.codes import GLOBAL, Means, meaning_of
from reminders.channels.kept import Kept, NoReply, NotConnected
from reminders.channels.told import fit

CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
VALIDITY_LIMIT = 36_000  # seconds; Twilio's own upper bound for ValidityPeriod
LIST_PAGE = 100
SID_LIMIT, WORD_LIMIT = 64, 16  # characters, as of what comes by webhook
# What comes of an answer that is none, or not what it should be.
UNREADABLE = (
    NoReply,
    TwilioException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
)
_SPECIAL = re.compile(r"[^A-Za-z0-9_.~ -]+")


class KeptHttp(HttpClient):  # type: ignore[misc]
    """The SDK's HTTP client, on connections of our own: a tenth of a requests session's CPU."""

    def __init__(self, connections: int) -> None:
        super().__init__(None, False, READ_SECONDS)
        self._kept = Kept(connections, connect=CONNECT_SECONDS, read=READ_SECONDS)

    def close(self) -> None:
        self._kept.close()

    def request(  # the SDK's signature
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        if params:
            url = f"{url}?{urlencode(params, doseq=True)}"
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = _basic(*auth)
        body = urlencode(data, doseq=True, quote_via=_quoted).encode() if data else b""
        reply = self._kept.request(method, url, sent, body)
        return Response(reply.status, reply.body.decode("utf-8", "replace"))


def _quoted(text: Any, *_: Any) -> str:
    """What `quote_plus` makes of it, which looks at every byte by itself."""
    return _SPECIAL.sub(lambda found: _escaped(found[0]), text).replace(" ", "+")


@lru_cache(maxsize=1024)
def _escaped(signs: str) -> str:
    return quote(signs, safe="")


@lru_cache(maxsize=1)
def _basic(name: str, password: str) -> str:
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


@lru_cache(maxsize=1)
def client() -> Client:
    """One client a process, so that connections are kept alive between messages."""
    made = Client(
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=KeptHttp(100)
    )
    made.api.base_url = settings.TWILIO_API_BASE
    return made


def send(message: Message) -> Outcome:
    """Hand one text to Twilio; says what is known of it, and never raises for Twilio's sake."""
    form = {
        "To": message.to,
        "From": message.sender,
        "Body": message.text,
        "StatusCallback": message.callback_url,
        "ValidityPeriod": max(1, min(VALIDITY_LIMIT, message.valid_for)),
    }
    try:
        # Its `messages.create` does the same, and reads twenty fields of the answer for our two.
        created = client().api.v2010.create(
            "POST", f"/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages.json", data=form
        )
        return Accepted(_sid(created["sid"]), _status(created["status"]))
    except (TwilioRestException, TwilioServiceException) as error:
        return _refused(error)
    except NotConnected:
        return NotSent("no connection")
    except UNREADABLE:
        # A time-out while reading, a connection cut after writing, an answer we cannot read.
        return Unknown("no answer")


def _sid(said: object) -> str:
    """The provider's name for a message. Raises ValueError for what cannot be kept as it is."""
    if not isinstance(said, str) or not said or fit(said, SID_LIMIT) != said:
        raise ValueError("That is no name for a message.")
    return said


def _status(said: object) -> str:
    if not isinstance(said, str):
        raise ValueError("That is no status.")
    return fit(said, WORD_LIMIT)


def _refused(error: TwilioRestException | TwilioServiceException) -> Outcome:
    if not isinstance(error.status, int):  # the second kind has it from the answer's own words
        return Unknown("no answer")
    code = fit(error.code or error.status, WORD_LIMIT) or str(error.status)
    means = meaning_of(code)
    if error.status >= 500:
        return Unknown(code)
    if means in GLOBAL or means is Means.TRY_AGAIN:
        return NotSent(code, means)
    if error.status in (401, 403):
        return NotSent(code, Means.ACCOUNT)
    return NotSent(code) if error.status == 429 else Rejected(code, means)


# --- asking ---------------------------------------------------------------------------------------


class NoAnswer(Exception):
    """The provider did not answer, or not in a way we can read: ask again later."""


def fetch(provider_id: str) -> Listed | None:
    """What Twilio now says of one message; None if it has none by that name. Raises `NoAnswer`."""
    try:
        return _listed(client().messages(provider_id).fetch())
    except (TwilioRestException, TwilioServiceException) as error:
        if error.status == 404:
            return None
        raise NoAnswer from error
    except (NotConnected, *UNREADABLE) as error:
        raise NoAnswer from error


def listed(*, to: str, since: datetime) -> list[Listed]:
    """The messages Twilio has to a number, created since. Raises `NoAnswer`.

    Twilio's own date filter looks at DateSent, which a queued message lacks; so the date of
    creation is compared here. Newest first, as Twilio lists them; reading stops at older ones.
    """
    found = []
    try:
        for message in client().messages.stream(to=to, page_size=LIST_PAGE):
            one = _listed(message)
            if one.created_at < since:
                break
            found.append(one)
    except (NotConnected, *UNREADABLE) as error:
        raise NoAnswer from error
    return found


def _listed(message: MessageInstance) -> Listed:
    """Raises ValueError: a message that cannot be read could be the one that is looked for."""
    if not isinstance(message.body, str) or not isinstance(message.date_created, datetime):
        raise ValueError("That is no message.")
    return Listed(
        provider_id=_sid(message.sid),
        status=_status(message.status),
        error_code=fit(message.error_code or "", WORD_LIMIT),
        text=message.body,
        created_at=message.date_created,
    )


# --- what comes back later ------------------------------------------------------------------------


def is_signed(url: str, form: Mapping[str, Any], signature: str) -> bool:
    """Whether Twilio signed this form for this public address, with either token of a rotation."""
    tokens = [settings.TWILIO_AUTH_TOKEN, settings.TWILIO_AUTH_TOKEN_NEXT]
    return bool(signature) and any(
        # As it stands, which is how it nearly always comes; else with a port and without.
        compare_digest(one.compute_signature(url, form).encode(), signature.encode())
        or one.validate(url, form, signature)
        for one in map(_validator, filter(None, tokens))
    )


@lru_cache(maxsize=8)
def _validator(token: str) -> RequestValidator:
    return RequestValidator(token)
