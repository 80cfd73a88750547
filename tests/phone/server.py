"""Twilio's message API: create, fetch, list. Refuses what Twilio refuses, in Twilio's words.

What becomes of an accepted message is the carrier's business.
"""

import asyncio
import re
import socket
import struct
from base64 import b64encode
from typing import Final
from urllib.parse import unquote_plus

from aiohttp import web

from tests.phone import listing, wire
from tests.phone.counts import Tally
from tests.phone.exchange import Exchange
from tests.phone.faults import ORDINARY, Fault
from tests.phone.messages import Text

_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_SENDER: Final = re.compile(r"\+[1-9]\d{6,14}|\d{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_NEEDED: Final = {"To": 21604, "Body": 21602, "From|MessagingServiceSid": 21603}
_LONGEST: Final = 1600
_RST: Final = struct.pack("ii", 1, 0)  # linger for 0 s: closing sends a reset


class TwilioApi:
    def __init__(self, exchange: Exchange) -> None:
        account = exchange.account
        self._exchange = exchange
        pair = f"{account.sid}:{account.auth_token}".encode()
        self._authorization = "Basic " + b64encode(pair).decode()
        stem = f"/{wire.VERSION}/Accounts/{account.sid}"
        self.routes = [
            web.post(f"{stem}/Messages.json", self.create),
            web.get(f"{stem}/Messages.json", self.list),
            web.get(f"{stem}/Messages/{{sid}}.json", self.fetch),
            web.route("*", f"/{wire.VERSION}/{{rest:.*}}", self.elsewhere),
        ]

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST Messages.json. Half of the latency passes before the message exists."""
        form = _read_form((await request.read()).decode("utf-8", "replace"))
        counts, knobs = self._exchange.counts, self._exchange.knobs
        tallies = counts.call(form)
        await _pass_time(knobs.latency_ms / 2)
        code, about = self._refusal(request, form)
        fault = ORDINARY if code else knobs.fault_for(form["To"])
        response = wire.error_answer(code, about) if code else self._act(form, fault, tallies)
        await _pass_time(knobs.latency_ms / 2)
        return await self._end(request, response, fault.ending)

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """GET Messages/{sid}.json."""
        self._exchange.counts.lookups["fetch"] += 1
        if not self._is_authorized(request):
            return wire.error_answer(20003)
        text = self._exchange.mailbox.text(request.match_info["sid"])
        if text is None:
            return wire.error_answer(20404, request.path)
        return wire.json_answer(wire.message(text, self._exchange.account.sid))

    async def list(self, request: web.Request) -> web.StreamResponse:
        """GET Messages.json with Twilio's filters and paging."""
        self._exchange.counts.lookups["list"] += 1
        if not self._is_authorized(request):
            return wire.error_answer(20003)
        payload = listing.page_of(
            self._exchange.mailbox,
            dict(request.query),
            self._exchange.account.sid,
            lag=self._exchange.knobs.list_lag_s,
        )
        return wire.json_answer(payload)

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        if not self._is_authorized(request):
            return wire.error_answer(20003)
        return wire.error_answer(20404, request.path)

    def _is_authorized(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization")
        return given == self._authorization and not self._exchange.knobs.auth_fails

    def _refusal(self, request: web.Request, form: dict[str, str]) -> tuple[int, str]:
        """Twilio's code and the number at fault, or 0 where the message may be created."""
        if not self._is_authorized(request):
            return 20003, ""
        to, sender = form.get("To", ""), form.get("From", "")
        for name, code in _NEEDED.items():
            if not any(form.get(key) for key in name.split("|")):
                return code, ""
        if len(form["Body"]) > _LONGEST:
            return 21617, ""
        if not _E164.fullmatch(to):
            return 21211, to
        if sender and not _SENDER.fullmatch(sender):
            return 21212, sender
        if to == sender:
            return 21266, to
        sender = sender or self._exchange.knobs.service_number
        return (21610 if (to, sender) in self._exchange.mailbox.blocks else 0), ""

    def _act(self, form: dict[str, str], fault: Fault, tallies: tuple[Tally, ...]) -> web.Response:
        """Create the message unless the fault forbids it; the answer the fault asks for."""
        response = web.Response()
        if fault.creates:
            text = self._accept(form, fault)
            self._exchange.counts.create(tallies)
            response = wire.json_answer(wire.message(text, self._exchange.account.sid), 201)
        return wire.error_answer(fault.code, form["To"]) if fault.code else response

    def _accept(self, form: dict[str, str], fault: Fault) -> Text:
        service = form.get("MessagingServiceSid", "")
        validity = form.get("ValidityPeriod", "")
        text = Text(
            sender=form.get("From") or self._exchange.knobs.service_number,
            to=form["To"],
            body=form["Body"],
            callback=form.get("StatusCallback", ""),
            status="accepted" if service else "queued",
            service=service,
            validity=int(validity) if validity.isdecimal() else None,
            path=fault.path,
        )
        self._exchange.mailbox.add(text)
        self._exchange.carrier.carry(text)
        return text

    async def _end(
        self, request: web.Request, response: web.Response, ending: str
    ) -> web.StreamResponse:
        """Let the answer leave in the fault's way, and count which way that was."""
        answers = self._exchange.counts.answers
        if ending == "answer":
            answers[str(response.status)] += 1
            return response
        answers[ending] += 1
        if ending == "garbage":
            return web.Response(body=b"<html>Bad gateway", status=201, content_type="text/html")
        if ending == "hang":
            await asyncio.sleep(self._exchange.knobs.hang_s)
        _reset(request)
        return response


def _read_form(body: str) -> dict[str, str]:
    """Like `parse_qsl`, which takes a third of a call's time; what is empty is left out."""
    pairs = (pair.partition("=") for pair in body.split("&"))
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs if value}


async def _pass_time(milliseconds: float) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)


def _reset(request: web.Request) -> None:
    """Close the connection so that the client sees a reset and no answer."""
    transport = request.transport
    if transport is None:
        return
    if (connection := transport.get_extra_info("socket")) is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    transport.abort()
