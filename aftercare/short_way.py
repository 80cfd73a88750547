"""A provider's call goes straight to its view: it has no session, no form of ours and no page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve

WEBHOOKS = "/webhooks/"


class ShortWay:
    """What every answer needs stands before it, what only people need behind it.

    Three receipts come for each text, and what stands behind cost a third of each. A view that is
    not open to visitors, or that wants a form's token, is reached by the long way alone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(WEBHOOKS):
            return self.get_response(request)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)  # which knows how to say so
        view = match.func
        if getattr(view, "login_required", True) or not getattr(view, "csrf_exempt", False):
            return self.get_response(request)
        request.resolver_match = match
        answer: HttpResponseBase = view(request, *match.args, **match.kwargs)
        return answer
