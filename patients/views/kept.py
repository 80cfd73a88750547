"""What a patient takes along from the page. GET and HEAD; nothing changes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from patients.calendar_file import calendar_file
from patients.page_frame import Frame
from patients.paper import paper_of
from patients.views.personal import SAFE, keep_out, personal, rendered


@personal(SAFE)
def calendar(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Every step still ahead, for the phone's calendar."""
    response = HttpResponse(calendar_file(frame), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="recovery.ics"'
    return keep_out(response)


@personal(SAFE)
def paper(request: HttpRequest, frame: Frame) -> HttpResponse:
    """The whole recovery on one sheet."""
    return rendered("patient/paper.html", paper_of(frame))
