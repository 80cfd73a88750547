"""The control API: knobs, counts, reset, and a patient's text. For tests and judges; no auth.

Requests that a browser sends from another site are refused, since there is no password.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.phone.exchange import Exchange
from tests.phone.inbound import Inbound
from tests.phone.state import StateFile
from tests.phone.wire import json_answer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    def __init__(
        self, exchange: Exchange, state: StateFile | None, on_reset: Callable[[], None]
    ) -> None:
        self._exchange = exchange
        self._state = state
        self._on_reset = on_reset
        self._inbound = Inbound(exchange)
        self.routes = [
            web.get("/control", self.show),
            web.post("/control", _own_site_only(self.change)),
            web.post("/control/reset", _own_site_only(self.reset)),
            web.get("/control/stats", self.stats),
            web.post("/control/inbound", _own_site_only(self.inbound)),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """GET /control: every knob as it is set."""
        return json_answer(self._exchange.knobs.as_json())

    async def change(self, request: web.Request) -> web.StreamResponse:
        """POST /control with an object of knobs: sets those, answers all. 400 changes nothing."""
        try:
            self._exchange.knobs.change(await _object(request))
        except ValueError as error:
            return json_answer({"error": str(error)}, 400)
        return json_answer(self._exchange.knobs.as_json())

    async def reset(self, request: web.Request) -> web.StreamResponse:
        """POST /control/reset: empties everything, puts every knob back."""
        self._exchange.reset()
        if self._state:
            self._state.clear()
        self._on_reset()
        return json_answer({})

    async def stats(self, request: web.Request) -> web.StreamResponse:
        """GET /control/stats: all counts; with ?brief=1 the totals only."""
        counts = self._exchange.counts.as_json(brief="brief" in request.query)
        return json_answer({**counts, "callbacks_pending": self._exchange.outbox.pending})

    async def inbound(self, request: web.Request) -> web.StreamResponse:
        """POST /control/inbound {From, To, Body}: a patient writes; answers after the site did."""
        try:
            form = await _object(request)
            words = {name: form.get(name) for name in ("From", "To", "Body")}
            if not all(isinstance(word, str) and word for word in words.values()):
                raise ValueError("From, To and Body are needed, each a string.")
        except ValueError as error:
            return json_answer({"error": str(error)}, 400)
        return json_answer(
            await self._inbound.receive(
                sender=str(words["From"]), to=str(words["To"]), body=str(words["Body"])
            )
        )


def _own_site_only(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            return json_answer({"error": "Only this phone's own page may ask for that."}, 403)
        return await handler(request)

    return guarded


async def _object(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body. Raises ValueError with a plain sentence."""
    try:
        value = json.loads(await request.read())
    except ValueError:
        raise ValueError("The body must be JSON.") from None
    if not isinstance(value, dict):
        raise ValueError("The body must be a JSON object.")
    return value
