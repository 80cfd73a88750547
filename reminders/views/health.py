"""For an alarm outside: does the site tick, and is anything late? No names, only seconds."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reminders.heartbeat import last_tick, oldest_overdue


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when all is well; 503 when ticks have stopped or something is late by minutes."""
    now = timezone.now()
    tick = last_tick()
    silent = None if tick is None else round((now - tick).total_seconds(), 1)
    overdue = round(oldest_overdue(now=now).total_seconds(), 1)
    well = silent is not None and silent <= settings.ALARM_SECONDS >= overdue
    return JsonResponse(
        {"well": well, "seconds_since_tick": silent, "oldest_overdue_seconds": overdue},
        status=200 if well else 503,
    )
