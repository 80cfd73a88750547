"""What a nurse must see: every open concern of the clinic; take it on, act, close it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct, Treatment
from reminders.answering import answering_of
from reminders.bell import ring
from reminders.check_ins import close_report
from reminders.concern_words import most_urgent, show, whom_to_call, with_words
from reminders.corrections import send_correction
from reminders.models import Concern
from reminders.views.back import pressed_on
from reminders.work_forms import CloseForm

MANY = 200


@never_cache
@require_safe
@staff_only()
def concerns(request: StaffRequest) -> HttpResponse:
    clinic, now = request.user.clinic, timezone.now()
    open_ = most_urgent(_open(request), MANY)
    more = _open(request).count() - MANY if len(open_) == MANY else 0
    patients = {one.patient.pk: one.patient for one in open_ if one.patient}
    stories, standing = _treatments(patients)
    answers = answering_of([patients[pk] for pk in standing])
    rows = [
        show(one, clinic, now=now, treatment=stories.get(pk), answering=answers.get(pk))
        for one in open_
        for pk in [one.patient_id or 0]
    ]
    audit.shown(request, AuditAct.CONCERNS, patients)
    return render(request, "staff/concerns.html", {"rows": rows, "more": more, "here": "concerns"})


def _treatments(patients: Iterable[int]) -> tuple[dict[int, int], set[int]]:
    """By patient the newest treatment, one that stands before one that was voided; who has one
    that stands.
    """
    rows = list(
        Treatment.objects.filter(patient__in=list(patients))
        .order_by(F("voided_at").desc(nulls_last=True), "treated_at")
        .values_list("patient", "pk", "voided_at")
    )
    return {patient: pk for patient, pk, _ in rows}, {one for one, _, void in rows if not void}


@require_POST
@staff_only()
def acknowledge(request: StaffRequest, pk: int) -> HttpResponse:
    """One person takes it on; whoever comes second is told who has."""
    concern = get_object_or_404(_concerns(request), pk=pk)
    if not _take(request, concern):
        concern.refresh_from_db()
        who = concern.acknowledged_by
        mine = who is not None and who.pk == request.user.pk
        said = "You are on it already." if mine else f"{who or 'A colleague'} is on it already."
        messages.warning(request, "It has been closed already." if concern.closed_at else said)
    return redirect(pressed_on(request, otherwise=reverse("concerns")))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def close(request: StaffRequest, pk: int) -> HttpResponse:
    """With a reason. One person closes it; whoever comes second is told."""
    concern = get_object_or_404(with_words(_concerns(request)), pk=pk)
    now = timezone.now()
    form = CloseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        ended = {"closed_at": now, "closed_by": request.user, "closed_reason": form.reason()}
        if not _close(request, concern, ended):
            concern.refresh_from_db(fields=["closed_by"])
            who = "You" if concern.closed_by_id == request.user.pk else "A colleague"
            messages.warning(request, f"{who} had closed it already.")
        return redirect("concerns")
    shown = show(concern, request.user.clinic, now=now)
    audit.shown(request, AuditAct.FORM, _whom(concern), about=f"concern {pk}")
    return render(request, "staff/close.html", {"one": shown, "form": form, "here": "concerns"})


@require_POST
@staff_only()
def correct_text(request: StaffRequest, pk: int) -> HttpResponse:
    """Send the new hour of a permission that was announced too early."""
    concern = get_object_or_404(_concerns(request), pk=pk, kind=Concern.Kind.MOVED)
    planned = send_correction(concern, by=request.user, now=timezone.now())
    if planned is None:
        messages.warning(request, "Nothing was sent: a colleague was quicker, or the hour is past.")
    else:
        ring()
        messages.success(request, "The correction leaves now, outside quiet hours.")
    return redirect("concerns")


@never_cache
@require_POST
@staff_only()
def number(request: StaffRequest, pk: int) -> HttpResponse:
    """The number it came from, or the patient's, in full: because somebody is about to call."""
    concern = get_object_or_404(_concerns(request).select_related("patient", "text"), pk=pk)
    audit.shown(request, AuditAct.NUMBER, _whom(concern), about=f"concern {pk}")
    template = "staff/number.html" if request.htmx else "staff/number_page.html"
    context = {"reached": whom_to_call(concern), "back": reverse("concerns")}
    return render(request, template, context)


@transaction.atomic
def _take(request: StaffRequest, concern: Concern) -> bool:
    free = _open(request).filter(pk=concern.pk, acknowledged_at=None)
    taken = free.update(acknowledged_at=timezone.now(), acknowledged_by=request.user)
    if taken:
        audit.did(request, AuditAct.TAKEN, _whom(concern), about=f"concern {concern.pk}")
    return bool(taken)


@transaction.atomic
def _close(request: StaffRequest, concern: Concern, ended: dict[str, Any]) -> bool:
    closed = _open(request).filter(pk=concern.pk).update(**ended)
    if closed and concern.report is not None:
        close_report(report=concern.report, by=request.user, now=ended["closed_at"])
    if closed:
        audit.did(request, AuditAct.CLOSED, _whom(concern), about=f"concern {concern.pk}")
    return bool(closed)


def _whom(concern: Concern) -> list[int]:
    return [concern.patient_id] if concern.patient_id else []


def _concerns(request: StaffRequest) -> QuerySet[Concern]:
    return Concern.objects.filter(clinic=request.user.clinic)


def _open(request: StaffRequest) -> QuerySet[Concern]:
    return _concerns(request).filter(closed_at=None)
