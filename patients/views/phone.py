"""What makes the page open without a network: its copy, its name as an app, its service worker."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from patients.kept_page import kept_page
from patients.kept_wrong import kept_unsent_page, kept_wrong_page
from patients.page import told_by
from patients.page_frame import Frame
from patients.views.personal import SAFE, keep_out, personal, rendered

ICONS = {"any": ("192", "512"), "maskable": ("512",)}


@personal(SAFE)
def kept(request: HttpRequest, frame: Frame) -> HttpResponse:
    return rendered("patient/kept.html", kept_page(frame, told_by(frame.treatment, now=frame.now)))


@personal(SAFE)
def kept_wrong(request: HttpRequest, frame: Frame) -> HttpResponse:
    return rendered("patient/kept_wrong.html", kept_wrong_page(frame), frame=frame)


@personal(SAFE)
def kept_unsent(request: HttpRequest, frame: Frame) -> HttpResponse:
    return rendered("patient/kept_wrong.html", kept_unsent_page(frame), frame=frame)


@personal(SAFE)
def manifest(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Neutral: a home screen is seen by others."""
    home = f"/r/{frame.doors.token}"
    icons = [
        {
            "src": staticfiles_storage.url(f"icons/{purpose}-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for purpose, sizes in ICONS.items()
        for size in sizes
    ]
    app = {
        "name": frame.say.title,
        "short_name": frame.say.app,
        "lang": frame.language,
        "start_url": frame.doors.home,
        "scope": home,
        "display": "standalone",
        "background_color": "#faf8f4",
        "theme_color": "#faf8f4",
        "icons": icons,
    }
    return keep_out(JsonResponse(app, content_type="application/manifest+json"))


@login_not_required
@gzip_page
@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """At the root, so that a link's own address can be its whole scope."""
    response = HttpResponse(_worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@cache
def _worker() -> bytes:
    return Path(str(finders.find("js/worker.js"))).read_bytes()
