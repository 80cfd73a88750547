"""Signed form posts as Twilio makes them: one shared session, X-Twilio-Signature on each."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urldefrag, urlencode

import aiohttp
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped, unused-ignore]
from yarl import URL

_FORM: Final = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Overrides:
    """Connection overrides from a URL's fragment, `#rc=5&rp=all`. Times in milliseconds.

    https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    """

    retries: int = 1
    retry_on: frozenset[str] = frozenset({"ct"})
    connect_ms: int = 5000
    read_ms: int = 15000
    total_ms: int = 15000

    def allows_retry(self, failure: str, tries: int) -> bool:
        return tries <= self.retries and ("all" in self.retry_on or failure in self.retry_on)


def split_overrides(url: str) -> tuple[str, Overrides]:
    """The URL without its fragment, and what the fragment asked for. Nonsense is ignored."""
    bare, fragment = urldefrag(url)
    if not fragment:
        return bare, Overrides()
    asked = {key: values[-1] for key, values in parse_qs(fragment).items()}
    usual = Overrides()

    def number(key: str, otherwise: int, most: int) -> int:
        value = asked.get(key, "")
        return min(int(value), most) if value.isdecimal() else otherwise

    return bare, Overrides(
        retries=number("rc", usual.retries, 5),
        retry_on=frozenset(asked["rp"].split(",")) if "rp" in asked else usual.retry_on,
        connect_ms=number("ct", usual.connect_ms, 10_000),
        read_ms=number("rt", usual.read_ms, 15_000),
        total_ms=number("tt", usual.total_ms, 15_000),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said: its status and text, or how the call failed.

    failure: "" for 2xx and 3xx, else one of Twilio's words 4xx, 5xx, ct (connecting), rt (reading).
    """

    status: int
    text: str
    failure: str


class SignedPosts:
    """Posts forms in Twilio's name. Made inside a running loop; close() when done."""

    def __init__(self, auth_token: str, *, at_once: int) -> None:
        self._validator = RequestValidator(auth_token)
        connector = aiohttp.TCPConnector(limit=at_once)
        self._session = aiohttp.ClientSession(
            connector=connector, headers={"User-Agent": "TwilioProxy/1.1"}
        )

    async def post(
        self, url: str, form: dict[str, str], overrides: Overrides, token: str = ""
    ) -> Answer:
        """Post once. Never raises for what the network or the other side does."""
        signature = self._validator.compute_signature(url, form)
        headers = {"Content-Type": _FORM, "X-Twilio-Signature": signature}
        if token:
            headers["I-Twilio-Idempotency-Token"] = token
        timeout = aiohttp.ClientTimeout(
            total=overrides.total_ms / 1000,
            sock_connect=overrides.connect_ms / 1000,
            sock_read=overrides.read_ms / 1000,
        )
        try:
            async with self._session.post(
                URL(url, encoded=True),
                data=urlencode(form).encode(),
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                return Answer(response.status, await response.text(), _class_of(response.status))
        except aiohttp.ConnectionTimeoutError:
            return Answer(0, "", "ct")
        except TimeoutError:
            return Answer(0, "", "rt")
        except (aiohttp.ClientError, OSError, ValueError):
            return Answer(0, "", "ct")

    async def close(self) -> None:
        await self._session.close()


def _class_of(status: int) -> str:
    return "" if status < 400 else "4xx" if status < 500 else "5xx"
