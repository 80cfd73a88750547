"""The phone one can look at: the page and its files, the mailbox as JSON, and live events."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from tests.phone.messages import Item, Mail, Mailbox
from tests.phone.wire import json_answer

_FOLDER: Final = Path(__file__).parent
_HERE_ONLY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_MAIL_ONLY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_PULSE_S: Final = 15.0
_BACKLOG: Final = 2000  # a listener that is further behind has to read the mailbox anew

Line = asyncio.Queue[str | None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Page:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._lines: set[Line] = set()
        mailbox.listeners.append(self._publish)
        self.routes = [
            web.get("/", _file("page.html", "text/html")),
            web.get("/page.css", _file("page.css", "text/css")),
            web.get("/page.js", _file("page.js", "text/javascript")),
            web.get("/draw.js", _file("draw.js", "text/javascript")),
            web.get("/messages.json", self.messages),
            web.get("/mail/{id}.html", self.mail),
            web.get("/events", self.events),
        ]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """GET /messages.json: oldest first; ?to= one person's, ?limit= only the newest so many."""
        mailbox, address = self._mailbox, request.query.get("to")
        items = list(mailbox.items.values()) if address is None else mailbox.thread(address)
        limit = request.query.get("limit", "")
        if limit.isdecimal():
            items = items[-int(limit) :] if int(limit) else []
        response = json_answer([item.as_json() for item in items])
        response.headers["Cache-Control"] = "no-store"
        return response

    async def mail(self, request: web.Request) -> web.StreamResponse:
        """GET /mail/{id}.html: a mail's own page for its frame; runs and fetches nothing."""
        item = self._mailbox.items.get(request.match_info["id"])
        if not isinstance(item, Mail):
            raise web.HTTPNotFound(text="There is no such mail.")
        return web.Response(
            text='<base target="_blank">' + item.html,
            content_type="text/html",
            headers={"Content-Security-Policy": _MAIL_ONLY, "X-Content-Type-Options": "nosniff"},
        )

    async def events(self, request: web.Request) -> web.StreamResponse:
        """GET /events: server-sent events, each a JSON list of items that are new or changed."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        line: Line = asyncio.Queue(_BACKLOG)
        self._lines.add(line)
        try:
            await response.write(b"retry: 500\n\n")
            while (event := await _next_event(line)) is not None:
                await response.write(event)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._lines.discard(line)
        return response

    def hang_up(self) -> None:
        """End every stream; pages connect again and read the mailbox anew."""
        for line in list(self._lines):
            self._end(line)

    def _publish(self, item: Item) -> None:
        if not self._lines:
            return
        event = json.dumps(item.as_json(), separators=(",", ":"))
        for line in list(self._lines):
            if line.full():
                self._end(line)
            else:
                line.put_nowait(event)

    def _end(self, line: Line) -> None:
        self._lines.discard(line)
        while not line.empty():
            line.get_nowait()
        line.put_nowait(None)


async def _next_event(line: Line) -> bytes | None:
    """Everything that waits, as one event; a comment when nothing came; None at the end."""
    try:
        items = [await asyncio.wait_for(line.get(), _PULSE_S)]
    except TimeoutError:
        return b": still here\n\n"
    while not line.empty():
        items.append(line.get_nowait())
    if None in items:
        return None
    return f"data: [{','.join(item for item in items if item)}]\n\n".encode()


def _file(name: str, content_type: str) -> Handler:
    body = (_FOLDER / name).read_bytes()
    headers = {
        "Content-Security-Policy": _HERE_ONLY,
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }

    async def serve(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    return serve
