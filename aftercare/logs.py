"""Log lines say what happened and to which row, never to whom.

Our own code logs row numbers only. Libraries do not know better: Django logs the path of a dead
link, a mail error names its recipient. So every line is masked on its way out.
"""

import logging
import re

_MASKS = (
    (re.compile(r"(/[ru]/)[0-9A-Za-z]{8,}"), r"\1…"),
    (re.compile(r"\+\d{8,15}\b"), "+…"),
    (re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"), "…@…"),
)


def masked(text: str) -> str:
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


class MaskingFormatter(logging.Formatter):
    """Masks link tokens, phone numbers and email addresses, in tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
