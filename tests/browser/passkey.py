"""Chromium's virtual authenticator: a passkey without a finger."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page


@dataclass(frozen=True, slots=True)
class Authenticator:
    """One that is built in, such as a fingerprint reader, with its owner beside it."""

    session: CDPSession
    id: str

    def refuse(self, *, refused: bool = True) -> None:
        """The owner's finger is not recognised, or is again."""
        self.session.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": self.id, "isUserVerified": not refused},
        )

    def credentials(self) -> int:
        got = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return len(got["credentials"])


def authenticator(page: Page) -> Authenticator:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return Authenticator(session, made["authenticatorId"])
