"""A list request: which messages, newest first, which page. Twilio's filters, and its gap.

DateSent filters compare date_sent, so a message that is still queued never passes one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import time
from typing import Any, Final

from tests.phone import wire
from tests.phone.messages import Mailbox, Text

_MOST: Final = 1000


def page_of(mailbox: Mailbox, query: dict[str, str], account: str, *, lag: float) -> dict[str, Any]:
    """The page that a query asks for, as Twilio's JSON. lag: seconds before a list shows a text."""
    size = min(_number(query.get("PageSize"), 50) or 50, _MOST)
    number = _number(query.get("Page"), 0)
    latest = time() - lag
    texts = mailbox.texts_newest_first(query.get("To"))
    shown = (text for text in texts if text.created_at <= latest and _matches(text, query))
    token = query.get("PageToken", "")
    rest = _behind(shown, token.removeprefix("PA")) if token else islice(shown, number * size, None)
    found = list(islice(rest, size + 1))
    return wire.page(
        found[:size], account, query, number=number, size=size, has_more=len(found) > size
    )


def _behind(texts: Iterator[Text], sid: str) -> Iterator[Text]:
    for text in texts:
        if text.sid == sid:
            return texts
    return iter(())


def _matches(text: Text, query: dict[str, str]) -> bool:
    if "From" in query and text.sender != query["From"]:
        return False
    for key in ("DateSent", "DateSent>", "DateSent<"):
        if (asked := query.get(key)) and not _is_within(text.sent_at, key[-1], asked):
            return False
    return True


def _is_within(sent_at: float | None, sign: str, asked: str) -> bool:
    """Bounds are inclusive; a bare date is the whole UTC day; an unreadable one matches nothing."""
    if sent_at is None:
        return False
    try:
        start = datetime.fromisoformat(asked)
    except ValueError:
        return False
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    end = start + (timedelta(days=1) if len(asked) == 10 else timedelta(seconds=1))
    if sign == ">":
        return sent_at >= start.timestamp()
    if sign == "<":
        return sent_at < end.timestamp()
    return start.timestamp() <= sent_at < end.timestamp()


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isdecimal() else otherwise
