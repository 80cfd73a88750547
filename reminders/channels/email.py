"""Email through Django's backends (SMTP, or whatever `EMAIL_BACKEND` names).

Connecting is a step of its own, because a failure there is the one case in which certainly
nothing was sent.
"""

from __future__ import annotations

import smtplib

from django.core.mail import EmailMultiAlternatives, get_connection

from reminders.channels import Accepted, Message, NotSent, Outcome, Rejected, Unknown


def send(message: Message) -> Outcome:
    """Hand one email to the mail server; says what is known of it."""
    connection = get_connection()
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        from_email=message.sender,
        to=[message.to],
        headers={"Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
        connection=connection,
    )
    mail.attach_alternative(message.html, "text/html")
    try:
        connection.open()
    except (OSError, smtplib.SMTPException):
        return NotSent("no connection")
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(max(code for code, _ in error.recipients.values()))
    except smtplib.SMTPSenderRefused as error:
        return NotSent(str(error.smtp_code))  # our address, not the patient's: it waits
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code)
    except (OSError, smtplib.SMTPException):
        return Unknown("no answer")
    finally:
        connection.close()
    return Accepted(message.message_id, "sent")


def _refused(code: int) -> Outcome:
    """RFC 5321: 4xx is for now, 5xx is for good; either way the server has not taken it."""
    return Rejected(str(code)) if code >= 500 else NotSent(str(code))
