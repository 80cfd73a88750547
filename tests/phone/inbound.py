"""Texts that a patient writes: the carrier's own handling of STOP, then the site's webhook.

What the site answers as TwiML comes back as texts to that phone.
"""

import secrets
from typing import Any, Final
from xml.etree import ElementTree

from tests.phone.exchange import Exchange
from tests.phone.messages import INBOUND, Text
from tests.phone.signing import Overrides

_WORDS: Final = {
    "STOP": {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"},
    "START": {"START", "YES", "UNSTOP"},
    "HELP": {"HELP", "INFO"},
}
_CONFIRMATIONS: Final = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages "
    "from this number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. "
    "Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


class Inbound:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def receive(self, *, sender: str, to: str, body: str) -> dict[str, Any]:
        """A text from a patient to the clinic's number; returns what the site made of it.

        Answers {sid, status, replies}: the webhook's HTTP status (0 where it was not reached)
        and the texts that came back.
        """
        word = keyword(body)
        text = Text(
            sender=sender,
            to=to,
            body=body,
            direction=INBOUND,
            status="received",
            path=(),
            sid="SM" + secrets.token_hex(16),
        )
        self._exchange.mailbox.add(text)
        self._exchange.counts.inbound["texts"] += 1
        self._handle_at_carrier(text, word)
        answer = await self._exchange.posts.post(
            self._exchange.knobs.public_base.rstrip("/") + self._exchange.knobs.inbound_path,
            self._form(text, word),
            Overrides(),
        )
        self._exchange.counts.inbound[str(answer.status or answer.failure)] += 1
        if answer.failure:
            self._exchange.mailbox.move(text, "received", 11200)
        may_pass = word == "STOP" and not self._exchange.knobs.carrier_confirms
        replies = [] if answer.failure else read_twiml(answer.text)
        sent = [self._reply(text, reply, may_pass=may_pass) for reply in replies]
        return {
            "sid": text.sid,
            "status": answer.status,
            "replies": [reply for reply in sent if reply],
        }

    def _handle_at_carrier(self, text: Text, word: str) -> None:
        knobs, block = self._exchange.knobs, (text.sender, text.to)
        if knobs.carrier_stop and word in ("STOP", "START"):
            self._exchange.mailbox.block(block, on=word == "STOP")
        if knobs.carrier_confirms and word:
            self._send(text, _CONFIRMATIONS[word])

    def _reply(self, text: Text, body: str, *, may_pass: bool) -> str:
        """Send an answer unless the block holds it back; the one to STOP itself may pass."""
        if (text.sender, text.to) in self._exchange.mailbox.blocks and not may_pass:
            self._exchange.counts.inbound["replies_blocked"] += 1
            return ""
        self._exchange.counts.inbound["replies"] += 1
        self._send(text, body)
        return body

    def _send(self, answered: Text, body: str) -> None:
        text = Text(sender=answered.to, to=answered.sender, body=body, direction="outbound-reply")
        self._exchange.mailbox.add(text)
        self._exchange.carrier.carry(text)

    def _form(self, text: Text, word: str) -> dict[str, str]:
        form = {
            "AccountSid": self._exchange.account.sid,
            "ApiVersion": "2010-04-01",
            "Body": text.body,
            "From": text.sender,
            "MessageSid": text.sid,
            "NumMedia": "0",
            "NumSegments": str(text.segments),
            "SmsMessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsStatus": "received",
            "To": text.to,
        }
        if word and self._exchange.knobs.opt_out_type:
            form["OptOutType"] = word
        return form


def keyword(body: str) -> str:
    """STOP, START or HELP where the whole text is one of the carrier's words for it, else ""."""
    said = body.strip().upper()
    return next((word for word, words in _WORDS.items() if said in words), "")


def read_twiml(document: str) -> list[str]:
    """Texts of the <Message> verbs. What is not TwiML answers nothing."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - the site under test wrote it
    except ElementTree.ParseError:
        return []
    bodies = [verb.findtext("Body") or verb.text or "" for verb in root.iter("Message")]
    return [body.strip() for body in bodies if body.strip()]
