"""The words a patient agrees to, by version. A consent row names its version, so none is edited:
new words are a new version, and `treatments.CONSENT_WORDING` says which one the desk reads out.
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
    }
}


def consent_words(wording: str, scope: str, *, clinic: str) -> str:
    """The sentence of one scope in one version."""
    return WORDS[wording][scope].format(clinic=clinic)
