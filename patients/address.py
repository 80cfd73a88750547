"""From where a request comes: an IP address that nobody can make up."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's IP address, or empty where there is none, as on a unix socket.

    Each proxy of ours (`TRUSTED_PROXIES` says how many) adds what it saw at the end of
    X-Forwarded-For: counted from there, the first that they did not write is not believed.
    """
    seen = request.META.get("REMOTE_ADDR", "")
    hops: int = settings.TRUSTED_PROXIES
    forwarded = [one for one in request.headers.get("X-Forwarded-For", "").split(",") if one]
    if hops and len(forwarded) >= hops:
        seen = forwarded[-hops]
    try:
        return str(ipaddress.ip_address(seen.strip()))
    except ValueError:
        return ""
