"""Text messages by Twilio's own SDK. Twilio's words are translated here and nowhere else.

One call, no retries, short timeouts, keep-alive connections. The codes are Twilio's
(https://www.twilio.com/docs/api/errors); what they mean for us stands below.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import urllib3
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from reminders.channels import Accepted, Message, NotSent, Outcome, Rejected, Unknown

CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
VALIDITY_LIMIT = 36_000  # seconds; Twilio's own upper bound for ValidityPeriod
OPTED_OUT = "21610"
# Refused, and nobody's fault but ours or the account's: nothing was sent, the message waits.
TRY_AGAIN = frozenset({"429", "20429", "20003", "401", "403", "30002", "30034", "21606", "21611"})


class PooledHttp(HttpClient):  # type: ignore[misc]
    """The SDK's HTTP client on one urllib3 pool: a fraction of the CPU of a requests session."""

    def __init__(self, connections: int) -> None:
        super().__init__(None, False, READ_SECONDS)
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )

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
            sent.update(urllib3.make_headers(basic_auth=":".join(auth)))
        body = urlencode(data, doseq=True) if data else None
        answer = self._pool.request(method, url, body=body, headers=sent, redirect=False)
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)


@lru_cache(maxsize=1)
def client() -> Client:
    """One client a process, so that connections are kept alive between messages."""
    made = Client(
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=PooledHttp(100)
    )
    made.api.base_url = settings.TWILIO_API_BASE
    return made


def send(message: Message) -> Outcome:
    """Hand one text to Twilio; says what is known of it, and never raises for Twilio's sake."""
    try:
        created = client().messages.create(
            to=message.to,
            from_=message.sender,
            body=message.text,
            status_callback=message.callback_url,
            validity_period=max(1, min(VALIDITY_LIMIT, message.valid_for)),
        )
    except TwilioRestException as error:
        return _refused(error)
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
        return NotSent("no connection")
    except (urllib3.exceptions.HTTPError, TwilioException, ValueError, KeyError):
        # A time-out while reading, a connection cut after writing, an answer we cannot read.
        return Unknown("no answer")
    return Accepted(created.sid, created.status) if created.sid else Unknown("no answer")


def _refused(error: TwilioRestException) -> Outcome:
    code = str(error.code or error.status)
    if error.status >= 500:
        return Unknown(code)
    if code in TRY_AGAIN or error.status in (401, 403, 429):
        return NotSent(code)
    return Rejected(code, opted_out=code == OPTED_OUT)


# --- what comes back later ------------------------------------------------------------------------


def is_signed(url: str, form: Mapping[str, Any], signature: str) -> bool:
    """Whether Twilio signed this form for this public address, with either token of a rotation."""
    tokens = [settings.TWILIO_AUTH_TOKEN, settings.TWILIO_AUTH_TOKEN_NEXT]
    return bool(signature) and any(
        RequestValidator(token).validate(url, form, signature) for token in tokens if token
    )
