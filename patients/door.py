"""What stands between a signed-in visitor and a page: time, the lock, a password, a second factor.

Asked for every view that is not open to everybody. A view may say that it is also open while the
screen is locked, or while somebody is still setting up, or that it is only looked at by a page
that asks again and again, and so proves no hand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from patients import sessions
from patients.models import StaffUser

View = Callable[..., HttpResponseBase]

WHILE_LOCKED, WHILE_LENT, WHILE_SETTING_UP, LOOKS_ON = (
    "is_open_while_locked", "is_open_while_lent", "is_open_while_setting_up", "looks_on",
)  # fmt: skip
OVER = "You were signed out: after 15 minutes without a hand on it, or after 12 hours."


def _marks(name: str) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def marked(*args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(*args, **kwargs)

        setattr(marked, name, True)
        return marked

    return decorate


open_while_locked = _marks(WHILE_LOCKED)
open_while_lent = _marks(WHILE_LENT)  # the password is not one's own yet
open_while_setting_up = _marks(WHILE_SETTING_UP)  # there is no second factor yet
looks_on = _marks(LOOKS_ON)


def through_the_door(view: View) -> View:
    """For a view that is open only until it needs to know who asks."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(_back(request))
        return turn_away(request, view) or view(request, *args, **kwargs)

    return guarded


def turn_away(request: HttpRequest, view: View) -> HttpResponse | None:
    """Where somebody signed in must go first; None if the view is open to them now."""
    session, user = request.session, request.user
    if sessions.is_over(session):
        logout(request)
        messages.info(request, OVER)
        return redirect_to_login(_back(request))
    if sessions.is_locked(session) and not getattr(view, WHILE_LOCKED, False):
        sessions.lock(session)
        return redirect(f"{reverse('locked')}?{urlencode({'next': _back(request)})}")
    if isinstance(user, StaffUser) and (first := _first(request, user, view)):
        return first
    if not getattr(view, LOOKS_ON, False) and not sessions.is_locked(session):
        sessions.touch(session)
    return None


def _first(request: HttpRequest, user: StaffUser, view: View) -> HttpResponse | None:
    """A password of one's own, then a second factor."""
    if user.lent_until and not getattr(view, WHILE_LENT, False):
        return redirect("account_change_password")
    if not settings.SECOND_FACTOR_REQUIRED or sessions.has_second_factor(request.session, user):
        return None
    if Authenticator.objects.filter(user=user).exists():
        # Set up elsewhere since: whoever sits here has not shown it.
        logout(request)
        return redirect_to_login(_back(request))
    return None if getattr(view, WHILE_SETTING_UP, False) else redirect("mfa_index")


def _back(request: HttpRequest) -> str:
    """Where to go on afterwards: a page, never the answer to a form or to a page's own question."""
    plain = request.method in ("GET", "HEAD") and "HX-Request" not in request.headers
    return request.get_full_path() if plain else "/"
