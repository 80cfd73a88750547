"""What every answer tells the browser, beyond Django's own security headers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.utils import build_policy
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import add_never_cache_headers

# Nothing of the machine is wanted but a passkey, and that by our own pages.
REFUSED = (
    "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation "
    "gyroscope magnetometer microphone midi payment picture-in-picture screen-wake-lock serial "
    "usb xr-spatial-tracking"
).split()
OURS = ("publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS = ", ".join([*(f"{one}=()" for one in REFUSED), *(f"{one}=(self)" for one in OURS)])
HEADERS = {
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


class BrowserRules:
    """Nobody embeds us, indexes us or keeps a copy, unless a view has said something else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # The same on every page, so that it is put together once and not once an answer.
        self.headers = {**HEADERS, "Content-Security-Policy": build_policy()}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        if "Cache-Control" not in response.headers:
            add_never_cache_headers(response)
        return response


def clears_the_browser(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For signing out: what the browser has cached of this site goes, too.

    Only that. A patient may keep her page on the same machine, which "storage" would remove, and
    "cookies" reaches every site of the clinic's domain.
    """

    @wraps(view)
    def leaving(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            response["Clear-Site-Data"] = '"cache"'
        return response

    return leaving
