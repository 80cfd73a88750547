"""What a provider's error code means for the person reading the board: what happened, what to do.

Data, not rules: what a code does to a reminder is decided in `channels`. The numbers of five digits
are Twilio's (https://www.twilio.com/docs/api/errors), those of three are SMTP replies (RFC 5321),
the words are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProviderError:
    happened: str
    do: str

    @property
    def is_wrong_address(self) -> bool:
        """The number or the email itself is to be put right."""
        return self.do in (CHECK_NUMBER, CHECK_EMAIL)


CHECK_NUMBER = "Ask for the right number and correct it: what is still to come goes there."
CALL = "Call the patient, or show the code at the desk."
WAIT = "Nothing to do: it is tried again by itself."
ADMIN = "Tell your admin: messages wait until this is put right."
CHECK_EMAIL = "Ask for the right email and correct it: what is still to come goes there."

ERRORS: Mapping[str, ProviderError] = {
    # What the phone or its carrier said.
    "30003": ProviderError("The phone is switched off or out of reach.", CALL),
    "30004": ProviderError("The phone or its carrier blocks our texts.", CALL),
    "30005": ProviderError("This number is not in use.", CHECK_NUMBER),
    "30006": ProviderError("This is a landline or cannot get texts.", CHECK_NUMBER),
    "30007": ProviderError("The carrier took the text for spam.", CALL),
    "30008": ProviderError("The carrier did not say why it failed.", CALL),
    "30010": ProviderError("The text costs more than the account allows.", ADMIN),
    "30036": ProviderError("It could not be delivered before it stopped being useful.", CALL),
    "30410": ProviderError("The carrier did not answer in time.", CALL),
    "21610": ProviderError(
        "The patient has texted STOP.", "Respect it. Texting START turns messages on again."
    ),
    # What Twilio refused at once.
    "21211": ProviderError("This is not a phone number that can exist.", CHECK_NUMBER),
    "21214": ProviderError("This number cannot be reached.", CHECK_NUMBER),
    "21217": ProviderError("This is not a phone number that can exist.", CHECK_NUMBER),
    "21265": ProviderError("A short code cannot get our texts.", CHECK_NUMBER),
    "21408": ProviderError("The account may not text that country.", ADMIN),
    "21606": ProviderError("The clinic's sender number may not send texts.", ADMIN),
    "21608": ProviderError("A trial account texts only numbers verified with Twilio.", ADMIN),
    "21611": ProviderError("The clinic's sender number has too many texts waiting.", WAIT),
    "21612": ProviderError("The clinic's sender number cannot text this number.", ADMIN),
    "21614": ProviderError("This is not a mobile number.", CHECK_NUMBER),
    "21635": ProviderError("This is a landline: no text reaches it.", CHECK_NUMBER),
    "21617": ProviderError("The text is too long to be sent.", ADMIN),
    # Ours or the account's: nothing was sent, the message waits.
    "20003": ProviderError("Twilio did not accept our account's key.", ADMIN),
    "401": ProviderError("Twilio did not accept our account's key.", ADMIN),
    "403": ProviderError("Twilio did not allow our account to send.", ADMIN),
    "429": ProviderError("Twilio asked us to slow down.", WAIT),
    "20429": ProviderError("Twilio asked us to slow down.", WAIT),
    "30001": ProviderError("Too many texts were waiting at Twilio.", CALL),
    "30002": ProviderError("Twilio has suspended the account.", ADMIN),
    "30032": ProviderError("The toll-free sender number is not verified yet.", ADMIN),
    "30034": ProviderError("The sender number is not registered for texts in the US.", ADMIN),
    "30500": ProviderError("Twilio had a fault of its own.", CALL),
    "absent": ProviderError("The provider never had it; nothing was sent.", WAIT),
    "no connection": ProviderError("The provider could not be reached; nothing was sent.", WAIT),
    "lease": ProviderError(
        "The computer that was sending it stopped.",
        "If it stays unknown, ask the patient whether it came.",
    ),
    "no answer": ProviderError(
        "The provider did not answer: it may have been sent.",
        "Ask the patient whether it came. It is never sent twice by guessing.",
    ),
    "broken call": ProviderError(
        "Something broke while it was sent: it may have gone out.",
        "Ask the patient whether it came, and tell your admin.",
    ),
    "unrepeated": ProviderError("It failed, and a second try came too late.", CALL),
    "contradicted": ProviderError("The provider said both: delivered and failed.", CALL),
    "unwritten": ProviderError("The text could not be written.", ADMIN),
    "unchecked": ProviderError("The record is broken: nobody can say if it may go.", ADMIN),
    # What a mail server said.
    **dict.fromkeys(
        ("530", "534", "535"), ProviderError("The mail server did not accept our sign-in.", ADMIN)
    ),
    "550": ProviderError("The mailbox does not exist or refuses us.", CHECK_EMAIL),
    "551": ProviderError("The mailbox is not on that server.", CHECK_EMAIL),
    "552": ProviderError("The mailbox is full.", CALL),
    "553": ProviderError("The email address is not written correctly.", CHECK_EMAIL),
    "554": ProviderError("The mail server refused the message.", CALL),
    # What an email provider said later.
    "bounced": ProviderError("The email came back: no such mailbox, or it is full.", CHECK_EMAIL),
    "rejected": ProviderError("The email provider refused to send to this address.", CHECK_EMAIL),
}

# Of "sender 550" and its like.
_SENDER_REFUSED = ProviderError(
    "The mail server refuses the address the clinic's emails come from.", ADMIN
)
_MAIL_LATER = ProviderError("The mail server asked us to come back later.", WAIT)
_MAIL_REFUSED = ProviderError("The mail server refused the message.", CALL)
_TWILIO_UNWELL = ProviderError(
    "Twilio had a fault of its own: it may have been sent.", ERRORS["no answer"].do
)
_OTHER = ProviderError("The provider gave a code we have no words for.", CALL)


def explain(code: str, channel: str) -> ProviderError:
    """The words for `code`; there are always some."""
    if found := ERRORS.get(code):
        return found
    if code.startswith("sender "):
        return _SENDER_REFUSED
    if len(code) == 3 and code.isdigit():
        if channel == "email":
            return _MAIL_LATER if code.startswith("4") else _MAIL_REFUSED
        return _TWILIO_UNWELL if code.startswith("5") else _OTHER
    return _OTHER
