"""Status callbacks: what is said to the site about a text, in order, a bounded number at once.

Each text has a line of its own, so its callbacks keep their order and a slow or dead site holds
up no other text. With the scramble knob every callback is a line of its own.
"""

import asyncio
import random
import secrets
from collections import deque
from dataclasses import dataclass, field
from time import gmtime, strftime
from typing import Final

from tests.phone.counts import Counts
from tests.phone.knobs import Knobs
from tests.phone.messages import Text
from tests.phone.signing import Answer, Overrides, SignedPosts, split_overrides

AT_ONCE: Final = 32
_FINAL: Final = frozenset({"delivered", "undelivered"})


@dataclass(slots=True)
class Callback:
    url: str
    form: dict[str, str]
    overrides: Overrides
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    tries: int = 0


@dataclass(slots=True)
class Line:
    """Callbacks that leave one after the other. A line of an earlier era ends without a trace."""

    key: str
    era: object
    waiting: deque[Callback] = field(default_factory=deque)


class Outbox:
    """Callbacks waiting to leave. `pending` is how many have not found their end."""

    def __init__(self, posts: SignedPosts, knobs: Knobs, counts: Counts, account: str) -> None:
        self._posts = posts
        self._knobs = knobs
        self._counts = counts
        self._account = account
        self._ready: asyncio.Queue[Line] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self.empty()

    def empty(self) -> None:
        self.pending = 0
        self._era = object()
        self._lines: dict[str, Line] = {}
        self._held: dict[str, list[Callback]] = {}

    def start(self) -> None:
        self._workers = [asyncio.create_task(self._work()) for _ in range(AT_ONCE)]

    def stop(self) -> None:
        for worker in self._workers:
            worker.cancel()

    def announce(self, text: Text, *, is_last: bool) -> None:
        """Have the site told of a text's status, unless the knobs say otherwise."""
        if not text.callback or not self._knobs.receipts:
            return
        copies = self._copies(text)
        if self._knobs.scramble or text.sid in self._held:
            self._hold(text.sid, copies, is_last=is_last)
            return
        for copy in copies:
            self._queue(text.sid, copy)

    def _copies(self, text: Text) -> list[Callback]:
        url, overrides = split_overrides(text.callback)
        form = status_form(text, self._account)
        copies = [Callback(url, form, overrides) for _ in range(self._knobs.repeat)]
        kept = [copy for copy in copies if random.random() >= self._knobs.drop]
        self._counts.callbacks["dropped"] += len(copies) - len(kept)
        self.pending += len(kept)
        return kept

    def _hold(self, sid: str, copies: list[Callback], *, is_last: bool) -> None:
        held = self._held.setdefault(sid, [])
        held.extend(copies)
        if is_last:
            del self._held[sid]
            random.shuffle(held)
            for number, copy in enumerate(held):
                self._queue(f"{sid}/{number}", copy)

    def _queue(self, key: str, callback: Callback) -> None:
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line(key, self._era)
            self._ready.put_nowait(line)
        line.waiting.append(callback)

    async def _work(self) -> None:
        while True:
            line = await self._ready.get()
            if line.era is not self._era:
                continue
            callback = line.waiting[0]
            answer = await self._posts.post(
                callback.url, callback.form, callback.overrides, callback.token
            )
            if line.era is self._era:
                self._settle(line, callback, answer)

    def _settle(self, line: Line, callback: Callback, answer: Answer) -> None:
        callback.tries += 1
        self._counts.callbacks["sent"] += 1
        self._counts.callback_answers[str(answer.status or answer.failure)] += 1
        if answer.failure and callback.overrides.allows_retry(answer.failure, callback.tries):
            self._counts.callbacks["retried"] += 1
            wait = self._knobs.retry_wait_s * 2 ** (callback.tries - 1)
            asyncio.get_running_loop().call_later(wait, self._ready.put_nowait, line)
            return
        self._counts.callbacks["given_up" if answer.failure else "taken"] += 1
        self.pending -= 1
        line.waiting.popleft()
        if line.waiting:
            self._ready.put_nowait(line)
        else:
            del self._lines[line.key]


def status_form(text: Text, account: str) -> dict[str, str]:
    """The form of a status callback for the status the text has now."""
    form = {
        "AccountSid": account,
        "ApiVersion": "2010-04-01",
        "From": text.sender,
        "MessageSid": text.sid,
        "MessageStatus": text.status,
        "SmsSid": text.sid,
        "SmsStatus": text.status,
        "To": text.to,
    }
    if text.service:
        form["MessagingServiceSid"] = text.service
    if text.error_code is not None:
        form["ErrorCode"] = str(text.error_code)
    if text.status in _FINAL:
        form["RawDlrDoneDate"] = strftime("%y%m%d%H%M", gmtime(text.updated_at))
    return form
