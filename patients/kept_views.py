"""What a patient takes along from the page. GET and HEAD; nothing changes."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from patients import links
from patients.calendar_file import calendar_file
from patients.page_calls import dead_page
from patients.page_frame import language_of
from patients.views.personal import keep_out, only_clinic, rendered


@login_not_required
@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """Every step still ahead, for the phone's calendar."""
    treatment = links.find(token)
    if treatment is None:
        return rendered("patient/dead.html", dead_page(only_clinic()), status=404)
    file = calendar_file(
        treatment,
        now=timezone.now(),
        language=language_of(treatment, request.GET.get("lang", "")),
        version=treatment.corrections.count(),
    )
    response = HttpResponse(file, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="recovery.ics"'
    return keep_out(response)
