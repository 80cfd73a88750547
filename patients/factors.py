"""The second factor's secrets: sealed in the database, drawn as a code for the phone.

django-allauth keeps an authenticator app's secret and the recovery codes' seed in the clear unless
its adapter seals them. The key is derived from SECRET_KEY alone, so a stolen database gives no
codes. After SECRET_KEY was changed the old one goes into SECRET_KEY_FALLBACKS until
`manage.py reseal_factors` has sealed everything anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken, MultiFernet
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.safestring import SafeString

from patients.qr import code_of
from patients.sealing import sealer

SEALED = ("secret", "seed")  # of an authenticator's data: an app's, the recovery codes'


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's adapter, with the secrets sealed and the words ours."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That did not match. Try once more.",
    }

    def encrypt(self, text: str) -> str:
        return _sealer().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises InvalidToken for what another key has sealed."""
        return _sealer().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Aftercare"

    def build_totp_svg(self, url: str) -> SafeString:
        return code_of(url)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: str) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {count + 1}"


def _sealer() -> MultiFernet:
    return sealer("second factors")


def reseal(authenticators: Iterable[Authenticator]) -> tuple[int, int]:
    """Seal with the newest key: how many were, and how many no key opens any more."""
    sealed = lost = 0
    for one in authenticators:
        try:
            changed = {
                name: _sealer().rotate(one.data[name].encode()).decode()
                for name in SEALED
                if name in one.data
            }
        except InvalidToken:
            lost += 1
            continue
        if changed:
            one.data |= changed
            one.save(update_fields=["data"])
            sealed += 1
    return sealed, lost
