"""What a provider tells us, made fit to keep: its signature says who wrote it, not what."""

from __future__ import annotations


def fit(words: object, limit: int) -> str:
    """At most `limit` characters, without what no database keeps: NUL and halves of a character."""
    text = "" if words is None else str(words)
    return text.encode("utf-8", "ignore").decode().replace("\x00", "")[:limit]
