"""The seal of a form on a personal page: in place of Django's CSRF cookie.

The patient's pages set no cookie, and that is kept: a cookie is what cross-site request forgery
rides on, some mail programs' browsers refuse it, and a form that then answers 403 would be a dead
end for somebody frightened. What allows an act is the link itself, which a forger does not have.
Every form still carries a token, as OWASP's signed pattern has it: an HMAC of the link under
SECRET_KEY, so a posted address alone does nothing; and a browser that says the form came from
another site is refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

FIELD = "seal"
FROM_OURS = frozenset({"", "same-origin", "none"})


def seal_of(token: str) -> str:
    return salted_hmac("patients.seal", token, algorithm="sha256").hexdigest()[:32]


def is_sealed(request: HttpRequest, token: str) -> bool:
    """Whether this POST came from a form that we put on the page of `token`."""
    return _from_ours(request) and constant_time_compare(
        request.POST.get(FIELD, ""), seal_of(token)
    )


def _from_ours(request: HttpRequest) -> bool:
    """As the browser says (W3C Fetch Metadata; older ones send only Origin, some neither)."""
    if request.headers.get("Sec-Fetch-Site", "") not in FROM_OURS:
        return False
    origin = request.headers.get("Origin", "")
    # The host decides: behind a TLS proxy we may not know our own scheme.
    return not origin or urlsplit(origin).netloc == request.get_host()
