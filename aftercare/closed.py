"""Every view is closed to visitors unless it says otherwise (`login_not_required`)."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase

from patients.door import turn_away


class ClosedByDefault(LoginRequiredMiddleware):
    """Django's own, but an open view is not even asked who the visitor is.

    So the patient's page reads no session, and needs no `Vary: Cookie`. Whoever is signed in is
    let through by `patients.door`.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        refused = super().process_view(request, view_func, view_args, view_kwargs)
        return refused or turn_away(request, view_func)
