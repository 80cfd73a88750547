"""What a browser sends about a passkey: whatever is in it, a mistake is said and never breaks.

The library raises a different error for each way in which a forged answer is no answer.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms

BROKEN = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)


class AddPasskey(forms.AddWebAuthnForm):  # type: ignore[misc]
    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except BROKEN as error:
            raise get_adapter().validation_error("incorrect_code") from error
        return cleaned


class _ShowPasskey:
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except BROKEN as error:
            raise get_adapter().validation_error("incorrect_code") from error


class EnterWithPasskey(_ShowPasskey, forms.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """After the password."""


class SignInWithPasskey(_ShowPasskey, forms.LoginWebAuthnForm):  # type: ignore[misc]
    """Instead of it."""


class AgainWithPasskey(_ShowPasskey, forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Somebody signed in shows it once more."""
