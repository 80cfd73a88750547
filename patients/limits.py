"""How often one address may open personal links: enough for a full waiting room on one Wi-Fi.

Counted a minute at a time in the shared cache. Guessing is hopeless (128 bits), so this is about
load: an unknown link is counted by itself, and once there were too many, only unknown ones are
put off. A link that opens still opens, whoever else is guessing on the same Wi-Fi.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from patients.address import client_address

WINDOW = 60  # seconds
# A cache that is away would cost every opening its time-out: it is left alone for a moment.
LEFT_ALONE = 5.0  # seconds

logger = logging.getLogger(__name__)


@dataclass
class _Rest:
    """Until when the cache is left alone, by this process's own clock."""

    ends_at: float = 0.0


_rest = _Rest()


def is_too_often(request: HttpRequest) -> bool:
    """Whether this address has opened more than anybody needs to; counts this one."""
    return _count("openings", request) > settings.LINK_OPENINGS_A_MINUTE


def is_too_wrong(request: HttpRequest) -> bool:
    """Whether this address has tried too many links that open nothing; counts this one."""
    return _count("misses", request) > settings.LINK_MISSES_A_MINUTE


def seconds_left() -> int:
    """Until it may be tried again, whole seconds."""
    return WINDOW - int(time.time()) % WINDOW


def _count(what: str, request: HttpRequest) -> int:
    """How often in this minute; 0 where nobody can tell, so that a page never waits for a cache."""
    address = _neighbourhood(client_address(request))
    if not address or time.monotonic() < _rest.ends_at:
        return 0
    key = f"{what}-{int(time.time()) // WINDOW}-{address}"
    try:
        return _one_more(key)
    except Exception:  # noqa: BLE001 - whatever its server lacks
        _rest.ends_at = time.monotonic() + LEFT_ALONE
        logger.warning("The cache did not answer; links are opened uncounted.")
        return 0


def _one_more(key: str) -> int:
    """Counted on first: only the first of a minute costs the cache another question."""
    try:
        return int(cache.incr(key))
    except ValueError:  # the first, or two at once were
        return 1 if cache.add(key, 1, timeout=2 * WINDOW) else int(cache.incr(key))


def _neighbourhood(address: str) -> str:
    """One household of IPv6 has 2^64 addresses: they count as one."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)
