"""A phone number that is read from a page, to be dialled or read out, stands on one line.

By the stylesheet and not by other characters: what is copied stays what can be dialled, and texts,
which no template writes, stay in their alphabet.
"""

from __future__ import annotations

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# As any country groups them; an hour has a colon, and a day its month's name.
NUMBER = re.compile(r"(?<![\w.])[+(]?\d[\d ()./-]{5,18}\d(?!\w)")


@register.filter
def in_one_piece(text: str) -> SafeString:
    """Running text, escaped, each number in it kept on one line."""
    whole = NUMBER.sub(r'<span class="number">\g<0></span>', escape(text))
    return mark_safe(whole)  # noqa: S308 - escaped, and what is put around has nothing of the text
