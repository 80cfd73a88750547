"""What each member of staff decides for themselves."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct


@require_POST
@staff_only()
@transaction.atomic
def summary(request: StaffRequest) -> HttpResponse:
    """Be mailed the day's summary, or not any more. Pressed twice it is the same."""
    user = request.user
    user.wants_summary = "wants" in request.POST
    user.save(update_fields=["wants_summary"])
    wants = "wanted" if user.wants_summary else "not wanted"
    audit.did(request, AuditAct.STAFF_CHANGED, about=f"user {user.pk}, summary {wants}")
    return redirect("mfa_index")
