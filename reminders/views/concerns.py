"""What a nurse must see: every open concern of the clinic, the oldest first; close it, or act."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from patients import words
from patients.access import StaffRequest, staff_only
from patients.models import Treatment
from patients.page_report import signs_said
from reminders.bell import ring
from reminders.check_ins import close_report
from reminders.corrections import send_correction
from reminders.models import Concern
from reminders.provider_errors import explain

MANY = 200
ROWS = ("patient", "reminder", "text", "report__treatment__version")
SOURCE = "report__treatment__version__source"


@dataclass(frozen=True, slots=True)
class Shown:
    """One concern in words. `said`: the patient's own text; `do`: what usually helps."""

    pk: int
    title: str
    who: str
    treatment: int | None
    when: str
    said: str
    do: str
    can_correct: bool


@never_cache
@require_safe
@staff_only()
def concerns(request: StaffRequest) -> HttpResponse:
    open_ = list(_open(request).select_related(*ROWS).defer(SOURCE).order_by("id")[:MANY])
    treatments = dict(
        Treatment.objects.filter(patient__in=[one.patient_id for one in open_ if one.patient_id])
        .order_by("treated_at")
        .values_list("patient", "pk")
    )
    rows = [_shown(request, one, treatments.get(one.patient_id or 0)) for one in open_]
    return render(request, "staff/concerns.html", {"rows": rows, "here": "concerns"})


@require_POST
@staff_only()
def close(request: StaffRequest, pk: int) -> HttpResponse:
    """One person closes it; whoever comes second is told."""
    concern = get_object_or_404(
        Concern.objects.select_related("report__treatment"), pk=pk, clinic=request.user.clinic
    )
    now = timezone.now()
    closed = _open(request).filter(pk=pk).update(closed_at=now, closed_by=request.user)
    if closed and concern.report is not None:
        close_report(report=concern.report, by=request.user, now=now)
    elif not closed:
        messages.warning(request, "A colleague had closed it already.")
    return redirect("concerns")


@require_POST
@staff_only()
def correct_text(request: StaffRequest, pk: int) -> HttpResponse:
    """Send the new hour of a permission that was announced too early."""
    concern = get_object_or_404(Concern, pk=pk, clinic=request.user.clinic, kind=Concern.Kind.MOVED)
    planned = send_correction(concern, by=request.user, now=timezone.now())
    if planned is None:
        messages.warning(request, "Nothing was sent: a colleague was quicker, or the hour is past.")
    else:
        ring()
        messages.success(request, "The correction leaves now, outside quiet hours.")
    return redirect("concerns")


def _open(request: StaffRequest) -> QuerySet[Concern]:
    return Concern.objects.filter(clinic=request.user.clinic, closed_at=None)


def _shown(request: StaffRequest, one: Concern, treatment: int | None) -> Shown:
    zone = request.user.clinic.tz
    at, now = one.opened_at.astimezone(zone), timezone.now().astimezone(zone)
    channel = one.reminder.channel if one.reminder else "sms"
    return Shown(
        pk=one.pk,
        title=one.report.get_tier_display() if one.report else one.get_kind_display(),
        who=one.patient.full_name if one.patient else "A number we do not know",
        treatment=treatment,
        when=words.moment(at, now, "en"),
        said=_said(request, one),
        do=explain(one.detail, channel).do if one.kind == Concern.Kind.FAILED else "",
        can_correct=one.kind == Concern.Kind.MOVED,
    )


def _said(request: StaffRequest, one: Concern) -> str:
    """The patient's own text, or the signs that were ticked, a line each."""
    if one.report is not None:
        protocol = one.report.treatment.version.protocol
        return "\n".join(signs_said(protocol, one.report.signs, "en", request.user.clinic.words))
    if one.kind == Concern.Kind.CHECK_IN:
        return one.detail
    return one.text.body if one.text else ""
