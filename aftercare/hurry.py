"""Nobody waits for a database that has stopped answering: not a patient, not a provider's call."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from patients.patience import within

# Twilio waits 15 s, of which a new connection may take 5; a person looks for the clinic's number.
SOON = 7.0  # seconds
SOON_AT = ("/r/", "/u/", "/webhooks/", "/readyz", "/metrics")
# Staff save long lists and draw long tables; the proxy gives up after a minute, too.
LATER = 60.0  # seconds


class Hurry:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with within(SOON if request.path_info.startswith(SOON_AT) else LATER):
            return self.get_response(request)
