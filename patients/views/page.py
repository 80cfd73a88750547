"""The recovery page. GET and HEAD may come from a mail scanner or a chat's preview; only a
deliberate press counts as read.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from patients.acts import mark_read
from patients.page import page_of, told_by
from patients.page_frame import Frame
from patients.views.personal import SAFE, SAFE_OR_POST, personal, rendered, see_other


@personal(SAFE)
def recovery_page(request: HttpRequest, frame: Frame) -> HttpResponse:
    return rendered("patient/page.html", page_of(frame, told_by(frame.treatment, now=frame.now)))


@personal(SAFE_OR_POST)
def read(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Looking at the address is no press: it only leads back."""
    if request.method == "POST":
        mark_read(treatment=frame.treatment, now=frame.now)
    return see_other(f"{frame.doors.home}#read")
