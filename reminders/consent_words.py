"""The words a patient agrees to, by version. A consent row names its version, so none is edited:
new words are a new version, and `READ_OUT` says which one the desk reads out in which language.
"""

from __future__ import annotations

from collections.abc import Mapping

from patients.protocol import ConsentScope

WORDS: Mapping[str, Mapping[str, str]] = {
    "2026-11": {
        ConsentScope.RECOVERY.value: (
            "{clinic} may text or email me about my recovery: about five messages in the first "
            "week. Message and data rates may apply. I can stop at any time by answering STOP. "
            "My care does not depend on it."
        ),
        ConsentScope.REBOOKING.value: (
            "{clinic} may also remind me by text or email when my next session is due. "
            "I can stop at any time by answering STOP. My care does not depend on it."
        ),
    },
    # As the recovery plan's, this Spanish waits for a review by somebody who treats in it.
    "2026-11-es": {
        ConsentScope.RECOVERY.value: (
            "{clinic} puede enviarme mensajes de texto o correos sobre mi recuperación: unos cinco "
            "en la primera semana. Pueden aplicarse tarifas de mensajes y datos. Puedo pararlos "
            "cuando quiera respondiendo STOP. Mi atención no depende de ello."
        ),
        ConsentScope.REBOOKING.value: (
            "{clinic} también puede recordarme por mensaje de texto o correo cuándo toca mi "
            "próxima sesión. Puedo pararlo cuando quiera respondiendo STOP. "
            "Mi atención no depende de ello."
        ),
    },
}
READ_OUT = {"en": "2026-11", "es": "2026-11-es"}


def wording_in(language: str) -> str:
    """The version read out to somebody who speaks it; English where we have no words in it."""
    return READ_OUT.get(language, READ_OUT["en"])


def consent_words(wording: str, scope: str, *, clinic: str) -> str:
    """The sentence of one scope in one version."""
    return WORDS[wording][scope].format(clinic=clinic)
