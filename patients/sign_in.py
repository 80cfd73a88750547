"""How staff sign in, where it differs from django-allauth: closed, lent passwords, our words."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from redis import RedisError

from patients.address import client_address
from patients.models import StaffUser

TOO_MANY = "Too many tries. Wait five minutes, or use your passkey."
ERRORS = {
    "email_password_mismatch": "The email address and the password are not correct.",
    "incorrect_password": "That is not your password.",
    "enter_current_password": "That is not the password you signed in with.",
    "too_many_login_attempts": TOO_MANY,
    "rate_limited": TOO_MANY,
}
# What allauth would say, by its templates; the rest of what it says is plain from the page itself.
SAID = {
    "account/messages/password_changed.txt": (
        "Your password is changed. Other places where you were signed in are signed out."
    ),
    "mfa/messages/totp_activated.txt": "Your app is set up.",
    "mfa/messages/totp_deactivated.txt": "Your app no longer opens the door.",
    "mfa/messages/webauthn_added.txt": "Your passkey is set up.",
    "mfa/messages/webauthn_removed.txt": "That passkey no longer opens the door.",
}
logger = logging.getLogger(__name__)
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104 - a label: whose address is unknown share one limit


class StaffSignIn(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs themselves up: an admin adds them."""

    error_messages = {**DefaultAccountAdapter.error_messages, **ERRORS}

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        said = message or SAID.get(message_template or "")
        if said:
            messages.add_message(request, level, said, extra_tags=extra_tags)

    def pre_login(
        self, request: HttpRequest, user: StaffUser, **kwargs: Any
    ) -> HttpResponse | None:
        """A closed account, or a lent password that has run out, goes no further."""
        refused: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if refused is None and user.lent_until and user.lent_until < timezone.now():
            return render(request, "account/lent_password_over.html", status=403)
        return refused

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def set_password(self, user: StaffUser, password: str) -> None:
        """One's own from now on."""
        user.lent_until = None
        super().set_password(user, password)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not again within minutes of having signed in: allauth would ask at once."""
        request = context.request
        records = get_authentication_records(request, request.user)
        fresh = bool(records) and time.time() - records[-1]["at"] < (
            app_settings.REAUTHENTICATION_TIMEOUT
        )
        return not fresh and bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits count by; where there is none, all share one limit."""
        return client_address(request) or UNKNOWN_ADDRESS


def only_counted(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Tries are counted in the shared cache: while that is away nobody can try, and is told so."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except RedisError:
            logger.exception("The shared cache does not answer: nobody can sign in until it does.")
            return render(request, "account/cannot_count.html", status=503)

    return guarded
