"""Who of the staff may do what. A view is closed to everyone unless it says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from patients.models.clinic import Role, StaffUser

View = Callable[..., HttpResponseBase]

EVERYONE = frozenset(Role)


class StaffRequest(HttpRequest):
    """A request whose user has been found to be staff."""

    user: StaffUser
    htmx: Any


def staff_only(roles: frozenset[Role] = EVERYONE) -> Callable[[View], View]:
    """Open a view to these roles; anyone else who is signed in gets 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, StaffUser) or user.role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
