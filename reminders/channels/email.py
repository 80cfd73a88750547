"""Email through Django's backends (SMTP, or whatever `EMAIL_BACKEND` names).

Connecting is a step of its own, because a failure there is the one case in which certainly
nothing was sent.
"""

from __future__ import annotations

import re
import smtplib

import requests
from anymail.exceptions import AnymailAPIError, AnymailRecipientsRefused
from django.core.mail import EmailMultiAlternatives, get_connection
from urllib3.exceptions import NewConnectionError

from reminders.channels import Accepted, Message, NotSent, Outcome, Rejected, Unknown
from reminders.channels.codes import NO_CONNECTION, SENDER_REFUSED, Means, meaning_of_smtp
from reminders.channels.told import fit

NAME_LIMIT = 255  # characters, as of what comes by webhook
# How SendGrid, SES and Microsoft say so: only after the mail, with the code of a missing mailbox.
ABOUT_SENDER = re.compile(
    rb"verified sender identity|email address is not verified|sendasdenied|send as this sender",
    re.IGNORECASE,
)


def send(message: Message) -> Outcome:
    """Hand one email to the mail server; says what is known of it."""
    connection = get_connection()
    mail = EmailMultiAlternatives(
        subject=" ".join(message.subject.split()),  # a line end in a name would refuse the mail
        body=message.text,
        from_email=message.sender,
        to=[message.to],
        headers=_headers(message),
        connection=connection,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    try:
        connection.open()
    except smtplib.SMTPResponseException as error:
        connection.close()  # it answered, and refused our sign-in
        return NotSent(str(error.smtp_code), meaning_of_smtp(error.smtp_code))
    except (OSError, smtplib.SMTPException):
        connection.close()
        return NotSent(NO_CONNECTION)
    try:
        mail.send()
    except AnymailRecipientsRefused:
        return Rejected("rejected")
    except AnymailAPIError as error:  # by HTTP; before OSError, which it is as well
        return _refused_by_api(error)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(max(code for code, _ in error.recipients.values()))
    except (smtplib.SMTPSenderRefused, smtplib.SMTPHeloError) as error:
        return _refused_sender(error.smtp_code)
    except smtplib.SMTPResponseException as error:
        return _refused_after_data(error)
    except (OSError, smtplib.SMTPException):
        return Unknown("no answer")
    finally:
        connection.close()
    # Providers behind an API have their own name for the message; their webhooks use it.
    status = getattr(mail, "anymail_status", None)
    name = fit(getattr(status, "message_id", None), NAME_LIMIT)
    return Accepted(name or message.message_id, "sent")


def _headers(message: Message) -> dict[str, str]:
    headers = {"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"}
    if message.unsubscribe_url:  # RFC 8058: one press in the mail program, no page
        headers["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _refused(code: int) -> Outcome:
    """Either way the server has not taken it."""
    means = meaning_of_smtp(code)
    return Rejected(str(code), means) if means is Means.NUMBER else NotSent(str(code), means)


def _refused_after_data(error: smtplib.SMTPResponseException) -> Outcome:
    said = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
    is_ours = ABOUT_SENDER.search(said)
    return _refused_sender(error.smtp_code) if is_ours else _refused(error.smtp_code)


def _refused_sender(code: int) -> Outcome:
    """Our address, not the patient's: for good, all mail from it waits until that is put right."""
    means = meaning_of_smtp(code)
    if means is Means.NUMBER:
        return NotSent(f"{SENDER_REFUSED} {code}", Means.SENDER)
    return NotSent(str(code), means)


def _never_left(cause: BaseException | None) -> bool:
    """Whether there was no connection at all, so that not a byte of the mail has left."""
    if isinstance(cause, requests.ConnectTimeout):
        return True
    told = cause.args[0] if isinstance(cause, requests.ConnectionError) and cause.args else None
    return isinstance(getattr(told, "reason", None), NewConnectionError)


def _refused_by_api(error: AnymailAPIError) -> Outcome:
    """What a provider's HTTP status says; without one, or with 5xx, only it can tell."""
    status: int | None = error.status_code
    if _never_left(error.__cause__):
        return NotSent(NO_CONNECTION)
    if status is None or status >= 500:
        return Unknown("no answer" if status is None else str(status))
    if status == 429:
        return NotSent("429")
    if status in (401, 403):
        return NotSent(str(status), Means.ACCOUNT)
    return Rejected(str(status), Means.NOT_KNOWN)
