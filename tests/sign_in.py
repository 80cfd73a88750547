"""What the tests of the door share: typing a password, an app's code, and how it stands now."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse

from patients.models import StaffUser
from tests.builders import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def type_password(
    client: Client, email: str, password: str = PASSWORD, **more: str
) -> HttpResponseBase:
    return client.post(reverse("account_login"), {"login": email, "password": password, **more})


def code_now(secret: str = SECRET) -> str:
    """What the app shows at this moment."""
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return code


def give_app(user: StaffUser, secret: str = SECRET) -> Authenticator:
    """An authenticator app, and the recovery codes that come with it."""
    RecoveryCodes.activate(user)
    app: Authenticator = TOTP.activate(user, secret).instance
    return app


def sign_in(client: Client, user: StaffUser) -> None:
    """With password and app, as far as they are set up."""
    answer = type_password(client, user.email)
    if answer["Location"] == reverse("mfa_authenticate"):
        client.post(reverse("mfa_authenticate"), {"code": code_now()})


def is_in(client: Client) -> bool:
    """Whether the board opens."""
    return client.get(reverse("board")).status_code == 200


def led_to(client: Client, name: str = "board") -> str:
    """Where somebody is sent who asks for a page; empty if it opens."""
    answer = client.get(reverse(name))
    return answer.get("Location", "").split("?")[0]
