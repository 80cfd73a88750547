"""The post: an SMTP server that keeps each mail once per recipient.

Recipients that never or only later get mail: `bounce@` 550, `later@` 451, `slow@` waits. A plus
and what follows it does not matter.
"""

import asyncio
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.phone.exchange import Exchange
from tests.phone.messages import Mail


class MailHandler:
    """aiosmtpd finds its hooks by their names."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        counts = self._exchange.counts.mail
        mailbox = address.partition("@")[0].partition("+")[0].lower()
        if mailbox == "bounce":
            counts["550"] += 1
            return "550 5.1.1 There is no such mailbox"
        if mailbox == "later":
            counts["451"] += 1
            return "451 4.3.0 The mailbox is busy, try again later"
        if mailbox == "slow":
            await asyncio.sleep(self._exchange.knobs.slow_mail_s)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
    ) -> str:
        parsed = message_from_bytes(_octets(envelope), policy=default)
        for recipient in envelope.rcpt_tos:
            mail = read_mail(parsed, envelope.mail_from or "", recipient)
            self._exchange.mailbox.add(mail)
            self._exchange.counts.mail_kept(recipient, str(parsed["Message-ID"] or mail.id))
        return "250 2.0.0 Kept"


def read_mail(parsed: EmailMessage, sender: str, recipient: str) -> Mail:
    return Mail(
        sender=str(parsed["From"] or sender),
        to=recipient,
        subject=str(parsed["Subject"] or ""),
        text=_part(parsed, "plain"),
        html=_part(parsed, "html"),
        headers=[(name, str(value)) for name, value in parsed.items()],
    )


async def start_post(exchange: Exchange, port: int) -> asyncio.Server:
    """Listen on 127.0.0.1; raises OSError where the port is taken."""
    handler = MailHandler(exchange)
    return await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname="localhost", enable_SMTPUTF8=True),
        host="127.0.0.1",
        port=port,
    )


def _octets(envelope: Envelope) -> bytes:
    content = envelope.content or b""
    return content.encode() if isinstance(content, str) else content


def _part(parsed: EmailMessage, kind: str) -> str:
    """The text or html part; a charset nobody knows is read as UTF-8 with gaps."""
    part = parsed.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, KeyError):
        octets = part.get_payload(decode=True)
        return octets.decode("utf-8", "replace") if isinstance(octets, bytes) else ""
