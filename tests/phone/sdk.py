"""Twilio's own SDK, pointed at a phone."""

from typing import Any

from twilio.http.http_client import (  # type: ignore[import-untyped, unused-ignore]
    TwilioHttpClient,
)
from twilio.http.response import Response  # type: ignore[import-untyped, unused-ignore]


class HttpClientToPhone(TwilioHttpClient):  # type: ignore[misc, unused-ignore]
    """The SDK's client with another base address."""

    def __init__(self, base_url: str, timeout: float = 5.0) -> None:
        super().__init__(timeout=timeout)
        self._base_url = base_url

    def request(self, method: str, url: str, *rest: Any, **named: Any) -> Response:
        address = url.replace("https://api.twilio.com", self._base_url, 1)
        return super().request(method, address, *rest, **named)
