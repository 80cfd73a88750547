"""How many segments a text costs: GSM 03.38 where every character fits, else UCS-2."""

from math import ceil
from typing import Final

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SIGNS: Final = "@£$¥_ !\"#¤%&'()*+,-./:;<=>?¡§¿\n\r"
_FOREIGN: Final = "èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜäöñüà"
_BASIC: Final = frozenset(_LETTERS + _SIGNS + _FOREIGN)
_DOUBLE: Final = frozenset("^{}\\[~]|€\f")
_ALL: Final = _BASIC | _DOUBLE


def count_segments(body: str) -> int:
    """Segments of a text: 160 or 153 GSM-7 septets each, or 70 or 67 UTF-16 units each."""
    used = set(body)
    if used <= _ALL:
        septets = len(body) + sum(body.count(sign) for sign in used & _DOUBLE)
        return 1 if septets <= 160 else ceil(septets / 153)
    units = len(body.encode("utf-16-le")) // 2
    return 1 if units <= 70 else ceil(units / 67)
