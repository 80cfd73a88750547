"""Signing in: of django-allauth only what a closed site needs.

Nobody signs up or resets a password by themselves. Each address says here whether it opens before
there is a password of one's own or a second factor; see `patients.door`.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkey
from django.urls import URLPattern, path, reverse_lazy
from django.views.decorators.http import require_http_methods

from aftercare.headers import clears_the_browser
from patients.door import View, open_while_lent, open_while_setting_up
from patients.sign_in import only_counted

FACTORS = reverse_lazy("mfa_index")


def page(route: str, view: Any, name: str) -> URLPattern:
    view_of_ours: View = require_http_methods(["GET", "HEAD", "POST"])(only_counted(view))
    return path(route, view_of_ours, name=name)


urlpatterns = [
    page("login/", account.login, "account_login"),
    page("logout/", clears_the_browser(account.logout), "account_logout"),
    page("signup/", account.signup, "account_signup"),  # says that nobody does
    page("inactive/", account.account_inactive, "account_inactive"),
    page("code/", factor.authenticate, "mfa_authenticate"),
    page("passkey/", passkey.login_webauthn, "mfa_login_webauthn"),
    page(
        "password/",
        open_while_lent(open_while_setting_up(account.password_change)),
        "account_change_password",
    ),
    page("again/", open_while_setting_up(account.reauthenticate), "account_reauthenticate"),
    page("again/code/", open_while_setting_up(factor.reauthenticate), "mfa_reauthenticate"),
    page(
        "again/passkey/",
        open_while_setting_up(passkey.reauthenticate_webauthn),
        "mfa_reauthenticate_webauthn",
    ),
    page("factors/", open_while_setting_up(factor.index), "mfa_index"),
    page("factors/app/", open_while_setting_up(app.activate_totp), "mfa_activate_totp"),
    page("factors/app/remove/", app.deactivate_totp, "mfa_deactivate_totp"),
    page("factors/passkey/", open_while_setting_up(passkey.add_webauthn), "mfa_add_webauthn"),
    page(
        "factors/passkey/<int:pk>/name/",
        passkey.EditWebAuthnView.as_view(success_url=FACTORS),
        "mfa_edit_webauthn",
    ),
    page(
        "factors/passkey/<int:pk>/remove/",
        passkey.RemoveWebAuthnView.as_view(success_url=FACTORS),
        "mfa_remove_webauthn",
    ),
    page("factors/codes/", recovery.view_recovery_codes, "mfa_view_recovery_codes"),
    page("factors/codes/new/", recovery.generate_recovery_codes, "mfa_generate_recovery_codes"),
]
