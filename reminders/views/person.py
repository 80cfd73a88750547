"""One person's data, to hand out or to end; for those who answer for the clinic."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct, Erasure, LegalHold, Patient
from patients.patient_index import sweep
from reminders.person_data import data_of, readable
from reminders.person_forms import EraseForm, HoldForm
from reminders.redaction import NotErased, redact
from reminders.views.audit import READERS

ERASED = "The record is erased. What had to stay names nobody."


@never_cache
@require_safe
@staff_only(READERS)
def data(request: StaffRequest, pk: int) -> HttpResponse:
    """To be read and printed."""
    patient, now = _find(request, pk), timezone.now()
    parts = readable(data_of(patient), patient)
    audit.shown(request, AuditAct.PERSON, [pk], about="page")
    context = {"patient": patient, "parts": parts, "treatment": _newest(patient), "now": now}
    return render(request, "staff/person.html", context)


@never_cache
@require_safe
@staff_only(READERS)
def as_json(request: StaffRequest, pk: int) -> JsonResponse:
    patient = _find(request, pk)
    audit.shown(request, AuditAct.PERSON, [pk], about="JSON")
    response = JsonResponse(
        {"exported_at": timezone.now(), **data_of(patient)}, json_dumps_params={"indent": 2}
    )
    response["Content-Disposition"] = f'attachment; filename="record-{pk}.json"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only(READERS)
def erase(request: StaffRequest, pk: int) -> HttpResponse:
    patient = _find(request, pk)
    form = EraseForm(request.POST if request.method == "POST" else None, patient=patient)
    if form.is_valid():
        why = Erasure.Why(form.cleaned_data["why"])
        try:
            redact(pk, why=why, now=timezone.now(), by=request.user)
        except NotErased as refused:
            form.add_error(None, str(refused))
        else:
            sweep()
            messages.success(request, ERASED)
            return redirect("audit")
    return _page(request, patient, form, HoldForm())


@require_POST
@staff_only(READERS)
def hold(request: StaffRequest, pk: int) -> HttpResponse:
    """Put the record on hold, or lift the hold it is on."""
    patient = _find(request, pk)
    form = HoldForm(request.POST)
    if "lift" in request.POST:
        _lift(request, patient)
    elif form.is_valid():
        _hold(request, patient, form.cleaned_data["hold"])
    else:
        return _page(request, patient, EraseForm(patient=patient), form)
    return redirect("erase", pk)


@transaction.atomic
def _hold(request: StaffRequest, patient: Patient, why: str) -> None:
    _, is_new = LegalHold.objects.get_or_create(
        patient=patient,
        lifted_at=None,
        defaults={"why": why, "set_by": request.user, "set_at": timezone.now()},
    )
    if is_new:
        audit.did(request, AuditAct.HELD, [patient], about=why)


@transaction.atomic
def _lift(request: StaffRequest, patient: Patient) -> None:
    holds = patient.holds.filter(lifted_at=None)
    if holds.update(lifted_at=timezone.now(), lifted_by=request.user):
        audit.did(request, AuditAct.HOLD_LIFTED, [patient])


def _page(
    request: StaffRequest, patient: Patient, form: EraseForm, hold_form: HoldForm
) -> HttpResponse:
    audit.shown(request, AuditAct.FORM, [patient], about="erase")
    context = {
        "patient": patient,
        "treatment": _newest(patient),
        "form": form,
        "hold_form": hold_form,
        "hold": patient.holds.filter(lifted_at=None).select_related("set_by").first(),
        "erasure": Erasure.objects.filter(patient=patient).select_related("erased_by").first(),
    }
    return render(request, "staff/erase.html", context)


def _newest(patient: Patient) -> int | None:
    return patient.treatments.order_by("-treated_at").values_list("pk", flat=True).first()


def _find(request: StaffRequest, pk: int) -> Patient:
    rows: QuerySet[Patient] = Patient.objects.select_related("clinic")
    return get_object_or_404(rows, pk=pk, clinic=request.user.clinic_id)
