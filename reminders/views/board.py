"""The board: who got which reminders. Rows move only when somebody asks for the changes."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from patients.access import StaffRequest, staff_only
from reminders import grid

NOTHING_NEW = 204  # htmx leaves the page as it is


@never_cache
@require_safe
@staff_only()
def board(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    shown = grid.board(
        request.user.clinic,
        show=request.GET.get("show", ""),
        page=request.GET.get("page", ""),
        now=now,
    )
    return render(request, "staff/board.html", {"board": shown, "now": now, "here": "board"})


@never_cache
@require_safe
@staff_only()
def changes(request: StaffRequest) -> HttpResponse:
    """How much has changed since the page was made: `?since=` and an ISO time."""
    since = _moment(request.GET.get("since", ""))
    number = grid.changed_since(request.user.clinic, since) if since else 0
    if not number:
        return HttpResponse(status=NOTHING_NEW)
    return render(request, "staff/changes.html", {"number": number})


def _moment(typed: str) -> datetime | None:
    try:
        at = parse_datetime(typed)
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
