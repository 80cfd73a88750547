"""Walks an accepted text along its path, one status after the other, at the knobs' pace.

It moves the text and has the change announced; it posts nothing itself.
"""

import asyncio
from time import time

from tests.phone.callbacks import Outbox
from tests.phone.knobs import Knobs
from tests.phone.messages import Mailbox, Text


class Carrier:
    def __init__(self, mailbox: Mailbox, outbox: Outbox, knobs: Knobs) -> None:
        self._mailbox = mailbox
        self._outbox = outbox
        self._knobs = knobs

    def carry(self, text: Text, step: int = 0) -> None:
        """Set out from a step of the text's path; the rest follows by itself."""
        delay = self._knobs.delays[text.path[step][0]]
        asyncio.get_running_loop().call_later(delay, self._arrive, text, step)

    def resume(self) -> None:
        """Carry on with the texts that a restart found half way."""
        for text in list(self._mailbox.texts_newest_first(None)):
            statuses = [status for status, _ in text.path]
            reached = statuses.index(text.status) + 1 if text.status in statuses else 0
            if reached < len(statuses):
                self.carry(text, reached)

    def _arrive(self, text: Text, step: int) -> None:
        if self._mailbox.text(text.sid) is not text:
            return  # the mailbox was emptied meanwhile
        if text.path[step][0] == "sent" and _expired(text):
            text.path = (*text.path[:step], ("failed", 30036))
        is_last = step + 1 == len(text.path)
        self._mailbox.move(text, *text.path[step])
        self._outbox.announce(text, is_last=is_last)
        if not is_last:
            self.carry(text, step + 1)


def _expired(text: Text) -> bool:
    return text.validity is not None and time() - text.created_at > text.validity
