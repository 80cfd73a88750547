"""The audit trail, for those who answer for the clinic. Reading it leaves a row as well."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct
from patients.models.clinic import Role
from reminders import audit_trail

READERS = frozenset({Role.LEAD, Role.ADMIN})


@never_cache
@require_safe
@staff_only(READERS)
def trail(request: StaffRequest) -> HttpResponse:
    clinic, wanted = request.user.clinic, audit_trail.read_filter(request.GET.dict())
    shown = audit_trail.trail(clinic, wanted)
    audit.shown(request, AuditAct.TRAIL, shown.patients, about=_about(wanted))
    context = {
        "trail": shown,
        "wanted": wanted,
        "people": clinic.staff.order_by("name"),
        "acts": audit_trail.acts(),
        "here": "audit",
    }
    return render(request, "staff/audit.html", context)


@never_cache
@require_safe
@staff_only(READERS)
def as_csv(request: StaffRequest) -> StreamingHttpResponse:
    clinic, wanted = request.user.clinic, audit_trail.read_filter(request.GET.dict())
    whom = [wanted.patient] if wanted.patient else []
    audit.shown(request, AuditAct.TRAIL, whom, about=f"CSV, {_about(wanted)}"[:40])
    response = StreamingHttpResponse(
        audit_trail.csv_lines(clinic, wanted), content_type="text/csv; charset=utf-8"
    )
    today = timezone.now().astimezone(clinic.tz).date().isoformat()
    response["Content-Disposition"] = f'attachment; filename="audit-{today}.csv"'
    return response


def _about(wanted: audit_trail.Filter) -> str:
    return wanted.query.strip("&")[:40]
