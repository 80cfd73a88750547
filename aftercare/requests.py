"""Every request has an id: in the answer, in each log line of its time, and in the audit trail."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from aftercare.logs import set_about

HEADER = "X-Request-ID"
# As proxies make them (32 hex digits or a UUID). Anything else could smuggle words into the logs.
_WELL_FORMED = re.compile(r"[0-9a-fA-F-]{16,36}")
SLOW = 2.0  # seconds

logger = logging.getLogger(__name__)


class RequestId:
    """Takes the proxy's id if it is one, else makes one; sets `request.request_id`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        its_id = given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex
        request.request_id = its_id  # type: ignore[attr-defined]
        began = time.monotonic()
        # Not taken back afterwards: Django logs a failed request when all middleware is through.
        set_about(request=its_id)
        response = self._get_response(request)
        took = time.monotonic() - began
        if took > SLOW:
            match = request.resolver_match
            logger.warning("%s took %.1f s.", match.view_name if match else "Nothing", took)
        response[HEADER] = its_id
        return response
