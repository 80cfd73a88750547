"""What can go wrong, as data: Twilio's codes, the faults made of them, and the magic numbers.

Nothing here does anything; `server` acts on a Fault, `carrier` walks its path.
Codes and sentences: https://www.twilio.com/docs/api/errors
"""

from dataclasses import dataclass
from typing import Final, Literal

Path = tuple[tuple[str, int | None], ...]
Ending = Literal["answer", "garbage", "hang", "reset"]

# Twilio code -> HTTP status of the answer, sentence. {} takes the number at fault.
CODES: Final[dict[int, tuple[int, str]]] = {
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource {} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21211: (400, "Invalid 'To' Phone Number: {}"),
    21212: (400, "Invalid From Number (caller ID): {}"),
    21266: (400, "'To' and 'From' number cannot be the same: {}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region of {}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided is not a message-capable number"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' and 'From'"),
    21614: (400, "'To' number is not a valid mobile number: {}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    30002: (400, "Account suspended"),
}

# Codes that come later, on a message that was accepted.
LATER: Final[dict[int, str]] = {
    11200: "The site did not take this text",
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30034: "Message from an unregistered number",
    30036: "Validity period expired",
}

DELIVERED: Final[Path] = (("queued", None), ("sent", None), ("delivered", None))


def _undelivered(code: int) -> Path:
    return (("queued", None), ("sent", None), ("undelivered", code))


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for a create call to end.

    code: Twilio's code in the answer, 0 for the ordinary 201. creates: whether the message
    exists afterwards. ending: how the answer leaves. path: what becomes of a created message.
    """

    code: int = 0
    creates: bool = True
    ending: Ending = "answer"
    path: Path = DELIVERED


ORDINARY: Final = Fault()

FAULTS: Final[dict[str, Fault]] = {
    "429": Fault(code=20429, creates=False),
    "500": Fault(code=20500, creates=False),
    "500_after": Fault(code=20500),
    "timeout": Fault(ending="hang"),
    "reset": Fault(ending="reset"),
    "reset_before": Fault(creates=False, ending="reset"),
    "garbage": Fault(ending="garbage"),
    "sent_only": Fault(path=DELIVERED[:2]),
    "two_words": Fault(path=(*DELIVERED, ("undelivered", 30008))),
    "failed_30005": Fault(path=(("queued", None), ("failed", 30005))),
    **{
        f"undelivered_{code}": Fault(path=_undelivered(code))
        for code in (30003, 30005, 30006, 30007, 30008, 30034)
    },
    **{str(code): Fault(code=code, creates=False) for code in CODES},
}

# Last four digits of a +1 202 555 01xx number -> the fault every text to it meets.
MAGIC: Final[dict[str, str]] = {
    "0180": "21408",
    "0181": "21612",
    "0182": "two_words",
    "0183": "undelivered_30034",
    "0184": "undelivered_30006",
    "0185": "undelivered_30008",
    "0186": "reset_before",
    "0187": "garbage",
    "0188": "reset",
    "0189": "timeout",
    "0190": "21211",
    "0191": "21610",
    "0192": "21614",
    "0193": "undelivered_30003",
    "0194": "failed_30005",
    "0195": "undelivered_30007",
    "0196": "sent_only",
    "0197": "429",
    "0198": "500",
    "0199": "500_after",
}
BY_NUMBER: Final = {f"+1202555{digits}": FAULTS[name] for digits, name in MAGIC.items()}
