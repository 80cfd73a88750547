"""Keeps the mailbox over restarts: JSON lines, one per change, the last line about a key wins.

Writing is gathered and done a moment later, so a change costs the caller one append to a list.
"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.phone.messages import Block, Item, Mail, Mailbox, Text

_GATHER_S: Final = 0.05


class StateFile:
    def __init__(self, path: Path, mailbox: Mailbox) -> None:
        self._path = path
        self._mailbox = mailbox
        self._lines: list[str] = []

    def load(self) -> None:
        """Fill the mailbox, write the file anew without what is outdated, then listen."""
        records: dict[str, dict[str, Any]] = {}
        for record in _read(self._path):
            records[record["key"]] = record
        for record in records.values():
            self._restore(record)
        self._rewrite()
        self._mailbox.listeners.append(self._on_item)
        self._mailbox.block_listeners.append(self._on_block)

    def clear(self) -> None:
        self._lines.clear()
        self._path.write_text("")

    def flush(self) -> None:
        if self._lines:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(self._lines))
            self._lines.clear()

    def _restore(self, record: dict[str, Any]) -> None:
        match record:
            case {"text": fields}:
                fields["path"] = tuple((status, code) for status, code in fields["path"])
                self._mailbox.add(Text(**fields))
            case {"mail": fields}:
                fields["headers"] = [(name, value) for name, value in fields["headers"]]
                self._mailbox.add(Mail(**fields))
            case {"block": (patient, sender), "on": True}:
                self._mailbox.blocks.add((patient, sender))

    def _rewrite(self) -> None:
        """Atomically, so that a crash leaves the old file or the new one."""
        lines = [_item_line(item) for item in self._mailbox.items.values()]
        lines += [_block_line(block, on=True) for block in self._mailbox.blocks]
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text("".join(lines), encoding="utf-8")
        fresh.replace(self._path)

    def _on_item(self, item: Item) -> None:
        self._write(_item_line(item))

    def _on_block(self, block: Block, on: bool) -> None:
        self._write(_block_line(block, on=on))

    def _write(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(_GATHER_S, self.flush)
        self._lines.append(line)


def _read(path: Path) -> list[dict[str, Any]]:
    """The file's records; a line that a crash cut short is left out."""
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def _item_line(item: Item) -> str:
    kind = "text" if isinstance(item, Text) else "mail"
    return json.dumps({"key": item.key, kind: asdict(item)}) + "\n"


def _block_line(block: Block, *, on: bool) -> str:
    return json.dumps({"key": "/".join(block), "block": block, "on": on}) + "\n"
