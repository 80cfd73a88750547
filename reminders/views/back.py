"""Where a button was pressed, to return to it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def pressed_on(request: HttpRequest, *, otherwise: str) -> str:
    """The page on which it was pressed, if that is one of ours."""
    came_from = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()})
    return came_from if ours else otherwise
