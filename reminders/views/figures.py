"""The board in numbers, as a file, and on paper."""

from __future__ import annotations

from datetime import datetime, time

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct, Treatment
from reminders import export as exported
from reminders import figures as counted
from reminders.asking import asking
from reminders.day_sheet import sheet
from reminders.drawing import Bar, draw
from reminders.grid import list_rows
from reminders.views.board import asked_day


@never_cache
@require_safe
@staff_only()
def figures(request: StaffRequest) -> HttpResponse:
    clinic, now = request.user.clinic, timezone.now()
    days = counted.delivery(clinic, now=now)
    feelings = counted.feelings(clinic, now=now)
    pairs = [days[one : one + 2] for one in range(0, len(days), 2)]
    context = {
        "days": [day for day in days if day.total],
        "feelings": feelings,
        "delivery_bars": draw(
            [[_delivery_bar(day) for day in pair] for pair in pairs],
            title="Messages by day, texts and emails side by side; the table has the numbers",
        ),
        "feeling_bars": draw(
            [[_feeling_bar(one)] for one in feelings],
            title="Check-ins by day of recovery; the table has the numbers",
        ),
        "here": "figures",
    }
    return render(request, "staff/figures.html", context)


@never_cache
@require_safe
@staff_only()
def export(request: StaffRequest) -> StreamingHttpResponse:
    """What the board shows with the same filter, as CSV."""
    clinic, now = request.user.clinic, timezone.now()
    until = asked_day(request)
    ends = datetime.combine(until, time(), clinic.tz) if until else None
    found = asking(clinic, now=now)
    listed = list_rows(clinic, found, show=request.GET.get("show", ""), ends=ends, now=now)
    audit.shown(request, AuditAct.EXPORT, _patients(listed), about=request.GET.get("show", "")[:40])
    response = StreamingHttpResponse(
        exported.lines(clinic, listed), content_type="text/csv; charset=utf-8"
    )
    today = now.astimezone(clinic.tz).date().isoformat()
    response["Content-Disposition"] = f'attachment; filename="reminders-{today}.csv"'
    return response


@never_cache
@require_safe
@staff_only()
def day_sheet(request: StaffRequest) -> HttpResponse:
    """Today on paper: concerns, tasks, what failed, who was treated, what still leaves."""
    shown = sheet(request.user.clinic, now=timezone.now())
    audit.shown(request, AuditAct.DAY_SHEET, audit.patients_read())
    return render(request, "staff/day_sheet.html", {"sheet": shown, "here": "board"})


def _patients(treatments: list[int]) -> set[int]:
    rows = Treatment.objects.filter(pk__in=treatments)
    return set(rows.values_list("patient", flat=True))


def _delivery_bar(day: counted.Day) -> Bar:
    parts = [("delivered", day.delivered), ("open", day.open), ("failed", day.failed)]
    return Bar(day.name.rpartition(" ")[2], parts)


def _feeling_bar(one: counted.Feeling) -> Bar:
    parts = [("delivered", one.normal), ("open", one.not_yet), ("failed", one.worse)]
    return Bar(str(one.day), parts)
