"""Something wrong? The instruction shows on the phone at once; what is sent here comes after."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from patients.acts import report_signs
from patients.models import Report
from patients.page_frame import Frame
from patients.page_report import sent_page, wrong_page
from patients.signs import WEAK, boxes, tier_of
from patients.views.personal import SAFE, SAFE_OR_POST, personal, rendered, see_other


@personal(SAFE_OR_POST)
def wrong(request: HttpRequest, frame: Frame) -> HttpResponse:
    known = {*boxes(frame.protocol), WEAK}
    ticked = known & {*request.POST.getlist("sign")}
    tier = tier_of(frame.protocol, ticked, weak=WEAK in ticked)
    if tier is not None:
        report_signs(treatment=frame.treatment, tier=tier, signs=ticked, now=frame.now)
        return see_other(frame.doors.sent)
    missing = request.method == "POST"
    page = wrong_page(frame, ticked=ticked, error=missing)
    status = HTTPStatus.BAD_REQUEST if missing else HTTPStatus.OK
    return rendered("patient/wrong.html", page, frame=frame, status=status)


@personal(SAFE)
def sent(request: HttpRequest, frame: Frame) -> HttpResponse:
    """Thanks for the latest report; without an open one there is nothing to thank for."""
    latest = Report.objects.filter(
        treatment__patient=frame.treatment.patient_id, closed_at=None
    ).last()
    if latest is None:
        return see_other(frame.doors.home)
    return rendered("patient/sent.html", sent_page(frame, latest), frame=frame)
