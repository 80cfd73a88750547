"""For machines: is the process alive, can it work, and how is everything? No names, no numbers
of people. Whoever may ask for the metrics knows METRICS_TOKEN; without one nobody may.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from reminders.gauges import Gauges
from reminders.readiness import reasons_not_to_be_well, reasons_not_to_serve


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody, so that no restart is tried for somebody else's fault."""
    return _text("alive", 200)


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when all of the site works, the sending included; 503 with the reasons in plain words."""
    return _answer(reasons_not_to_be_well(now=timezone.now()))


@login_not_required
@never_cache
@require_safe
def readyz_web(request: HttpRequest) -> JsonResponse:
    """For a proxy: 200 when this server can show pages. A dead worker takes no page away."""
    return _answer(reasons_not_to_serve())


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return _text("METRICS_TOKEN is not that.", 403)
    registry = CollectorRegistry()
    registry.register(Gauges(now=timezone.now()))
    try:
        text = generate_latest(registry)
    except DatabaseError:
        return HttpResponse(
            "The database does not answer.\n", status=503, content_type="text/plain; charset=utf-8"
        )
    return HttpResponse(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _text(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", content_type="text/plain; charset=utf-8", status=status)


def _answer(reasons: list[str]) -> JsonResponse:
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)
