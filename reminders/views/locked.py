"""The screen nobody's hand is on: the board's counters, no name, and a way back in.

`lock` is what an idle page (or its button) posts; `locked` is what is seen then, and opens with
the password or a passkey of whoever was signed in; `still_here` is how a page tells of a hand.
"""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.forms import ReauthenticateForm
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients import sessions
from patients.access import StaffRequest, staff_only
from patients.door import looks_on, open_while_locked
from patients.passkey_forms import AgainWithPasskey
from patients.sign_in import only_counted
from reminders import changes
from reminders.grid import counters


@never_cache
@open_while_locked
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
@only_counted
def locked(request: StaffRequest) -> HttpResponse:
    """`?next=`: where to go on afterwards."""
    back = _back(request)
    if not sessions.is_locked(request.session):
        return redirect(back)
    form = _form(request)
    if form is not None and form.is_valid():
        if isinstance(form, AgainWithPasskey):
            form.save()
        else:
            reauthenticate_by_password(request)
        sessions.unlock(request.session)
        return redirect(back)
    return render(request, "staff/locked.html", _page(request, form, back))


@never_cache
@looks_on
@open_while_locked
@require_safe
@staff_only()
def locked_counters(request: StaffRequest) -> HttpResponse:
    """Asked for again and again by a locked screen."""
    return render(request, "staff/locked_counters.html", _counters(request))


@never_cache
@open_while_locked
@require_POST
@staff_only()
def lock(request: StaffRequest) -> HttpResponse:
    sessions.lock(request.session)
    sessions.keep_typed(request.session, _back(request), request.POST.get("typed", ""))
    changes.forget_looker(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    return redirect(f"{reverse('locked')}?{urlencode({'next': _back(request)})}")


@never_cache
@require_POST
@staff_only()
def still_here(request: StaffRequest) -> HttpResponse:
    """The door has noted the hand."""
    return HttpResponse(status=204)


def _form(request: StaffRequest) -> forms.Form | None:
    if request.method != "POST":
        return None
    kind = AgainWithPasskey if "credential" in request.POST else ReauthenticateForm
    form: forms.Form = kind(data=request.POST, user=request.user)
    return form


def _page(request: StaffRequest, form: forms.Form | None, back: str) -> dict[str, object]:
    page = {
        "back": back,
        "password": form if isinstance(form, ReauthenticateForm) else _bare(request),
        "form": form if isinstance(form, AgainWithPasskey) else None,
        **_counters(request),
    }
    if Authenticator.objects.filter(user=request.user, type=Authenticator.Type.WEBAUTHN).exists():
        page["js_data"] = {"request_options": begin_authentication(request.user)}
    return page


def _bare(request: StaffRequest) -> forms.Form:
    form: forms.Form = ReauthenticateForm(user=request.user)
    return form


def _counters(request: StaffRequest) -> dict[str, object]:
    return {"counters": counters(request.user.clinic, now=timezone.now())}


def _back(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next") or ""
    safe = asked.startswith("/") and get_adapter(request).is_safe_url(asked)
    return asked if safe else reverse("home")
