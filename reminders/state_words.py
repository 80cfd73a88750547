"""The states and the reasons for not sending, as staff read them: one word, one sentence each.

A state is a word and a shape before it is a colour: `icon` and `tone` name classes of `staff.css`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reminders.models import State
from reminders.moments import Skip


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks. `rank`: of several rows for one rule the highest is the best reached."""

    word: str
    icon: str
    tone: str
    rank: int


LOOKS: Mapping[State, Look] = {
    State.DELIVERED: Look("Delivered", "check", "good", 7),
    State.SENT: Look("Sent", "arrow", "info", 6),
    State.NO_RECEIPT: Look("No receipt", "dots", "warn", 5),
    State.SENDING: Look("Sending", "arrow", "info", 4),
    State.UNKNOWN: Look("Unknown", "ask", "warn", 3),
    State.FAILED: Look("Failed", "cross", "bad", 2),
    State.PLANNED: Look("Planned", "clock", "plain", 1),
    State.SKIPPED: Look("Skipped", "dash", "plain", 0),
}
# "I have read this" was pressed: more than a phone can confirm.
SEEN = Look("Seen", "eye", "good", 8)
# What an open concern is, wherever it stands: an emergency looks like nothing else on a page.
EMERGENCY = Look("Emergency", "alarm", "emergency", 0)
URGENT = Look("Urgent", "alarm", "bad", 0)
CONCERN = Look("Concern", "bang", "bad", 0)
CHANNELS: Mapping[str, str] = {"sms": "by text", "email": "by email"}

# In a cell there is room for two words.
SKIPPED_SHORT: Mapping[Skip, str] = {
    Skip.PASSED: "time passed",
    Skip.LOGGED_LATE: "logged late",
    Skip.QUIET_HOURS: "quiet hours",
    Skip.TOLD_AT_HANDOVER: "in handover",
    Skip.NOT_THIS_SESSION: "other session",
    Skip.NO_HANDOVER: "not wanted",
    Skip.NO_CONSENT: "no consent",
    Skip.NO_CONTACT: "no contact",
    Skip.OPTED_OUT: "opted out",
    Skip.LATER_TREATMENT: "later visit",
    Skip.VOIDED: "voided",
    Skip.NOT_USEFUL: "too late",
    Skip.OTHER_CHANNEL: "other channel",
    Skip.CONCERN_OPEN: "concern open",
    Skip.CORRECTED: "time corrected",
}
SKIPPED_WHY: Mapping[Skip, str] = {
    Skip.PASSED: "Its moment had passed when the treatment was logged or corrected.",
    Skip.LOGGED_LATE: "The treatment was logged too late for it.",
    Skip.QUIET_HOURS: "It fell into quiet hours and would have come too late after them.",
    Skip.TOLD_AT_HANDOVER: "The handover message says it already.",
    Skip.NOT_THIS_SESSION: "It does not belong to this session of the series.",
    Skip.NO_HANDOVER: "No handover message was wanted.",
    Skip.NO_CONSENT: "The patient has not agreed to this kind of message.",
    Skip.NO_CONTACT: "There is no phone number or email address to send it to.",
    Skip.OPTED_OUT: "The patient has stopped messages. Only they can start them again: with START"
    " by text, or on their page.",
    Skip.LATER_TREATMENT: "A later treatment has taken over with a plan of its own.",
    Skip.VOIDED: "The treatment was voided.",
    Skip.NOT_USEFUL: "It could not leave in time and is no longer useful.",
    Skip.OTHER_CHANNEL: "It goes by another channel now.",
    Skip.CONCERN_OPEN: "A concern about this patient was open.",
    Skip.CORRECTED: "It was meant for the time before the correction.",
}
# What to do about it, for those who should have had it.
SKIPPED_DO: Mapping[Skip, str] = {
    Skip.PASSED: "Nothing: the patient’s page shows what counts now.",
    Skip.LOGGED_LATE: "Nothing: the patient’s page shows what counts now.",
    Skip.QUIET_HOURS: "Nothing: the page says it too. Call if it matters.",
    Skip.NO_CONSENT: "Give the page at the desk. Ask about messages at the next visit.",
    Skip.NO_CONTACT: "Ask for a mobile number or an email address.",
    Skip.OPTED_OUT: "Respect it. The page stays open for the patient.",
    Skip.NOT_USEFUL: "Call, if it still matters.",
    Skip.CONCERN_OPEN: "Deal with the concern first; then send it.",
}
