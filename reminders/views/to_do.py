"""The page of open tasks: who does what until when, for which patient."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct
from reminders.to_do import to_dos


@never_cache
@require_safe
@staff_only()
def tasks(request: StaffRequest) -> HttpResponse:
    found = to_dos(request.user, show=request.GET.get("show", ""), now=timezone.now())
    audit.shown(request, AuditAct.TASKS, found.patients, about=found.show)
    return render(request, "staff/tasks.html", {"found": found, "here": "tasks"})
