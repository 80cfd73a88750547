"""What no page of this site asks for is refused before any of them is reached."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.template.loader import render_to_string

METHODS = ["GET", "HEAD", "POST"]


class Gate:
    """405 for another method, 400 for another host's name and for a NUL.

    A NUL belongs in no address and no cookie, and PostgreSQL takes none. Static files are behind
    the gate, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()  # raises DisallowedHost, which is answered with 400
        if request.method not in METHODS:
            return _with_a_page(HttpResponseNotAllowed(METHODS))
        named = [request.path, *request.COOKIES.values()]
        asked = [word for pair in request.GET.lists() for word in (pair[0], *pair[1])]
        if any("\0" in word for word in named + asked):
            raise BadRequest("There is a NUL in the address or in a cookie.")
        return _with_a_page(self.get_response(request))


def _with_a_page(answer: HttpResponseBase) -> HttpResponseBase:
    """Who reloads a form's own address meets a 405, which Django leaves empty."""
    if (
        answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        and isinstance(answer, HttpResponse)
        and not answer.content
    ):
        answer.content = render_to_string("405.html").encode()
        answer["Content-Length"] = str(len(answer.content))  # where it was counted while empty
    return answer
