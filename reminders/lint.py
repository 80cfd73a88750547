"""What a protocol's words must keep to before it is published, beyond being well formed.

Every English text fits one GSM-7 segment (160 characters) and every other language two UCS-2
segments, with the longest clinic name, link, phone number and hour: one character more and each
text costs double.
"""

from __future__ import annotations

from datetime import UTC, datetime

from patients import words
from patients.models.clinic import SMS_NAME_LIMIT
from patients.protocol import Protocol
from patients.timeline import fill_text

# GSM 03.38, the basic alphabet and the extension that costs two characters each.
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_7_EXTENDED = frozenset("^{}\\[~]|€")
NOON = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)  # no clock time takes more letters
LONGEST = {
    "clinic": "X" * SMS_NAME_LIMIT,
    "link": "x" * 60,
    "office_phone": "(855) 383-7546",
    "after_hours_phone": "(855) 383-7546",
    "emergency_number": "911",
    "first_name": "X" * 12,
    "date": "Wed, Sept 30",
}


def segments(text: str) -> int:
    """How many SMS segments `text` takes (3GPP TS 23.038: 160/153 in GSM-7, 70/67 in UCS-2)."""
    if all(letter in GSM_7 or letter in GSM_7_EXTENDED for letter in text):
        length, one, each = sum(2 if c in GSM_7_EXTENDED else 1 for c in text), 160, 153
    else:
        length, one, each = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= one else -(-length // each)


def long_texts(protocol: Protocol) -> list[str]:
    """A sentence for each text message that would take too many segments; empty when all fit."""
    found = []
    for language, texts in protocol.texts.items():
        allowed = 1 if language == "en" else 2
        fill = {**LONGEST, "gate_time": words.hour(NOON, language)}
        for key, reminder in texts.reminders.items():
            for variant, message in (("plain", reminder.plain), ("ahead", reminder.ahead)):
                if message is None:
                    continue
                for name in ("sms", "sms_detailed"):
                    needed = segments(fill_text(getattr(message, name), fill))
                    if needed > allowed:
                        found.append(
                            f"{language}: reminder: {key}: {variant}: {name} takes {needed} text"
                            f" segments; {allowed} allowed. Shorten it or use plain letters."
                        )
    return found
