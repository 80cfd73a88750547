"""The mailbox: every text and mail, by whom it reaches, in memory.

It holds and finds. It sends nothing and knows no HTTP; who wants to hear of changes listens.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from time import time
from typing import Any, Final

from tests.phone.faults import CODES, DELIVERED, LATER, Path
from tests.phone.segments import count_segments

INBOUND: Final = "inbound"


@dataclass(slots=True)
class Text:
    """One text. Times are seconds since 1970; sent_at is None until a carrier took it."""

    sender: str
    to: str
    body: str
    direction: str = "outbound-api"
    status: str = "queued"
    error_code: int | None = None
    callback: str = ""
    service: str = ""
    validity: int | None = None
    path: Path = DELIVERED
    sid: str = field(default_factory=lambda: "SM" + secrets.token_hex(16))
    created_at: float = field(default_factory=time)
    updated_at: float = 0.0
    sent_at: float | None = None
    segments: int = 0

    def __post_init__(self) -> None:
        self.updated_at = self.updated_at or self.created_at
        self.segments = self.segments or count_segments(self.body)

    @property
    def key(self) -> str:
        return self.sid

    @property
    def address(self) -> str:
        """The patient's number: whose phone shows this."""
        return self.sender if self.direction == INBOUND else self.to

    def as_json(self) -> dict[str, Any]:
        record = asdict(self)
        del record["path"]
        error = error_sentence(self.error_code)
        return record | {
            "kind": "text",
            "id": self.sid,
            "address": self.address,
            "at": self.created_at,
            "error": error,
        }


@dataclass(slots=True)
class Mail:
    """One mail to one recipient, already parsed."""

    sender: str
    to: str
    subject: str
    text: str
    html: str
    headers: list[tuple[str, str]]
    id: str = field(default_factory=lambda: "MA" + secrets.token_hex(16))
    created_at: float = field(default_factory=time)

    @property
    def key(self) -> str:
        return self.id

    @property
    def address(self) -> str:
        return self.to

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"kind": "mail", "address": self.to, "at": self.created_at}


Item = Text | Mail
Block = tuple[str, str]


class Mailbox:
    """All items in order of arrival, with the carrier's blocks (patient, sender)."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Item], None]] = []
        self.block_listeners: list[Callable[[Block, bool], None]] = []
        self.empty()

    def empty(self) -> None:
        self.items: dict[str, Item] = {}
        self.texts_to: dict[str, list[Text]] = {}
        self.threads: dict[str, list[Item]] = {}
        self.blocks: set[Block] = set()

    def add(self, item: Item) -> None:
        self.items[item.key] = item
        self.threads.setdefault(item.address, []).append(item)
        if isinstance(item, Text):
            self.texts_to.setdefault(item.to, []).append(item)
        self._tell(item)

    def move(self, text: Text, status: str, error_code: int | None = None) -> None:
        """Give a text its next status; its first `sent` is when it was sent."""
        text.status, text.error_code, text.updated_at = status, error_code, time()
        if status == "sent":
            text.sent_at = text.updated_at
        self._tell(text)

    def block(self, block: Block, *, on: bool) -> None:
        if on:
            self.blocks.add(block)
        else:
            self.blocks.discard(block)
        for listener in self.block_listeners:
            listener(block, on)

    def text(self, sid: str) -> Text | None:
        item = self.items.get(sid)
        return item if isinstance(item, Text) else None

    def texts_newest_first(self, to: str | None) -> Iterator[Text]:
        if to is not None:
            return reversed(self.texts_to.get(to, []))
        return (item for item in reversed(self.items.values()) if isinstance(item, Text))

    def thread(self, address: str) -> list[Item]:
        return self.threads.get(address, [])

    def _tell(self, item: Item) -> None:
        for listener in self.listeners:
            listener(item)


def error_sentence(code: int | None) -> str:
    if code is None:
        return ""
    return LATER.get(code) or CODES.get(code, (0, ""))[1].replace(": {}", "")
