"""What a provider's code means for what happens next. Data: the words for people stand elsewhere.

Twilio's codes (https://www.twilio.com/docs/api/errors), and SMTP replies (RFC 5321) by their class.
A code that is not here is tried once more, and somebody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Means(StrEnum):
    TRY_AGAIN = "try again"  # certainly not sent: wait a little
    ACCOUNT = "account"  # nobody's fault but the account's: nothing leaves until it is put right
    SENDER = "sender"  # the same for one sender number
    COUNTRY = "country"  # the same for one country
    NUMBER = "number"  # this address will never work
    OPTED_OUT = "opted out"
    ONCE_MORE = "once more"  # one more try later, if it is still useful
    NEVER_SAME = "never the same"  # the words were refused: do not send them again
    NOT_KNOWN = "not known"


NO_CONNECTION = "no connection"
SENDER_REFUSED = "sender"  # and the mail server's code: "sender 550"
TOLD_LATER = ("30002", "30034")  # refusals of the account that come after the message was accepted
GLOBAL = frozenset({Means.ACCOUNT, Means.SENDER, Means.COUNTRY})

CODES: Mapping[str, Means] = {
    **dict.fromkeys(("429", "20429", NO_CONNECTION, "lease", "absent"), Means.TRY_AGAIN),
    **dict.fromkeys(("401", "403", "20003", *TOLD_LATER), Means.ACCOUNT),
    **dict.fromkeys(("21606", "21611"), Means.SENDER),
    "21408": Means.COUNTRY,
    **dict.fromkeys(("21211", "21214", "21217", "21265", "21614", "21635"), Means.NUMBER),
    **dict.fromkeys(("21612", "30005", "30006"), Means.NUMBER),
    "21610": Means.OPTED_OUT,
    **dict.fromkeys(("30001", "30003", "30008", "30036", "30500"), Means.ONCE_MORE),
    "30007": Means.NEVER_SAME,
    # What email providers say, in django-anymail's words.
    **dict.fromkeys(("bounced", "rejected"), Means.NUMBER),
}


def meaning_of(code: str) -> Means:
    return CODES.get(code, Means.NOT_KNOWN)


def meaning_of_smtp(code: int) -> Means:
    """4xx is for now, 5xx is for good (RFC 5321, 4.2.1); 530, 535: our own sign-in is refused."""
    if code in (530, 534, 535):
        return Means.ACCOUNT
    return Means.NUMBER if code >= 500 else Means.TRY_AGAIN
