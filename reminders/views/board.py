"""The board: who got which reminders. Rows move only when somebody asks for the changes."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.door import looks_on, through_the_door
from patients.models import AuditAct
from reminders import changes as changed
from reminders import grid
from reminders.fields import COMMON_YEARS
from reminders.refusals import refused_now

NOTHING_NEW = 204  # htmx leaves the page as it is


@never_cache
@require_safe
@staff_only()
def board(request: StaffRequest) -> HttpResponse:
    clinic, now = request.user.clinic, timezone.now()
    mark = changed.mark(clinic.pk)  # before the rows: what comes in between is offered, not lost
    found = grid.board(
        clinic,
        show=request.GET.get("show", ""),
        page=request.GET.get("page", ""),
        until=asked_day(request),
        now=now,
    )
    audit.shown(request, AuditAct.BOARD, found.patients, about=found.show)
    context = {
        "board": found,
        "refused": refused_now(clinic, now=now),
        "here": "board",
        **_look(now, mark),
    }
    return render(request, "staff/board.html", context)


@never_cache
@login_not_required
@require_safe
def changes(request: HttpRequest) -> HttpResponseBase:
    """How much has changed since the page was made: `?since=` an ISO time, `?mark=` what it showed.

    While nothing has, no user is fetched: the session was let in a moment ago.
    """
    clinic = changed.clinic_of_looker(_session(request))
    if clinic and changed.mark(clinic) == request.GET.get("mark"):
        return HttpResponse(status=NOTHING_NEW)
    return _count_changes(request)


@through_the_door
@looks_on
@staff_only()
def _count_changes(request: StaffRequest) -> HttpResponse:
    clinic = request.user.clinic
    changed.remember_looker(_session(request), clinic.pk)
    mark = changed.mark(clinic.pk)
    since = _moment(request.GET.get("since", ""))
    if since is None or mark == request.GET.get("mark"):
        return HttpResponse(status=NOTHING_NEW)
    number = changed.changed_since(clinic, since)
    return render(request, "staff/changes.html", {"number": number, **_look(since, mark)})


def _look(since: datetime, mark: str) -> dict[str, object]:
    """What the next look asks with."""
    return {"since": since, "mark": mark, "every": f"{int(changed.EVERY * 1000)}ms"}


def _session(request: HttpRequest) -> str:
    return request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")


def _moment(typed: str) -> datetime | None:
    try:
        at = parse_datetime(typed)
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):  # in the first and the last year there is a day too few
        return None


def asked_day(request: HttpRequest) -> date | None:
    """`?until=`, if that is a day that somebody could mean."""
    try:
        day = parse_date(request.GET.get("until", ""))
    except ValueError:
        return None
    return day if day is not None and day.year in COMMON_YEARS else None
