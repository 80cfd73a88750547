"""The desk: find a patient or add one, log the treatment.

A search is a POST, so that no name, number or address ends up in an address bar or a log.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct, Clinic, Patient, Treatment
from patients.models.patient import stopped_addresses
from reminders.fields import grouped, read_phone, region_of
from reminders.finding import LEAST_LETTERS, find_patients, same_contact, same_name
from reminders.forms import StillToAsk, TreatmentForm
from reminders.refusals import refused_at_desk

JUST_LOGGED = 6
SHOWN_OF_NAME = 3
NO_PLAN = (
    "This clinic has no plan yet, so nothing can be logged. Whoever runs the site publishes one "
    "with: manage.py publish_protocol."
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def desk(request: StaffRequest) -> HttpResponse:
    """Log a treatment of somebody new."""
    return _log(request, None)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def returning(request: StaffRequest, pk: int) -> HttpResponse:
    """Log a treatment of a patient who has been here before; an erased one begins anew."""
    patients = request.user.clinic.patients.filter(erasure=None).select_related("clinic")
    return _log(request, get_object_or_404(patients, pk=pk))


@never_cache
@require_POST
@staff_only()
def search(request: StaffRequest) -> HttpResponse:
    """The patients found: a fragment for htmx, the whole desk without it."""
    typed = request.POST.get("find", "")[:80].strip()
    clinic = request.user.clinic
    context: dict[str, Any] = {
        "typed": typed,
        "found": find_patients(clinic, typed),
        "enough": len(typed) >= LEAST_LETTERS,
    }
    found = context["found"]
    audit.shown(request, AuditAct.SEARCH, [*found.patients, *found.almost])
    if request.htmx:
        return render(request, "staff/found.html", context)
    form = TreatmentForm(clinic=clinic, now=timezone.now())
    return _desk(request, form, context)


@never_cache
@require_POST
@staff_only()
def check(request: StaffRequest) -> HttpResponse:
    """Reads a phone number back in groups, and says who is already known by what was typed."""
    clinic, typed = request.user.clinic, request.POST
    region = region_of(clinic)
    try:
        phone = read_phone(typed.get("phone", "")[:32], region)
    except ValidationError:
        phone = ""
    reached = same_contact(clinic, phone=phone, email=typed.get("email", "")[:254].strip())
    named = []
    if not (known := typed.get("patient", "")):
        first_name, last_name = (typed.get(f"{which}_name", "")[:60] for which in ("first", "last"))
        named = same_name(clinic, first_name=first_name, last_name=last_name)
    context = {
        "read_back": grouped(phone, region) if phone else "",
        "reached": [one for one in reached if str(one.pk) != known],
        "named": [one for one in named if one not in reached][:SHOWN_OF_NAME],
    }
    audit.shown(request, AuditAct.SEARCH, [*reached, *named])
    return render(request, "staff/checked.html", context)


def _log(request: StaffRequest, patient: Patient | None) -> HttpResponse:
    clinic, now = request.user.clinic, timezone.now()
    if request.method != "POST":
        return _desk(request, TreatmentForm(clinic=clinic, now=now, patient=patient), {})
    if earlier := _logged_before(clinic, request.POST.get("form_key", "")):
        return redirect("story", earlier.pk)
    form = TreatmentForm(request.POST, clinic=clinic, now=now, patient=patient)
    if not form.is_valid():
        return _desk(request, form, {})
    try:
        treatment = form.log(by=request.user, confirmed=request.POST.get("confirmed", ""))
    except StillToAsk as open_:
        return _desk(request, form, {"asked": open_.asked, "alike": open_.alike})
    return redirect("story", treatment.pk)


def _logged_before(clinic: Clinic, form_key: str) -> Treatment | None:
    """The treatment that the same form has made, if its button was pressed twice."""
    try:
        key = UUID(form_key)
    except ValueError:
        return None
    return Treatment.objects.filter(form_key=key, patient__clinic=clinic).first()


def _desk(request: StaffRequest, form: TreatmentForm, more: dict[str, object]) -> HttpResponse:
    clinic, patient = request.user.clinic, form.patient
    recent = list(
        Treatment.objects.filter(patient__clinic=clinic, voided_at=None)
        .select_related("patient")
        .order_by("-logged_at")[:JUST_LOGGED]
    )
    first_run = not recent and "typed" not in more and not clinic.patients.exists()
    if first_run:
        form.fields["first_name"].widget.attrs["autofocus"] = True
    context = {
        "form": form,
        "patient": patient,
        "stopped": _has_stopped(patient),
        "recent": recent,
        "first_run": first_run,
        "now": form.now,
        "clinic_zone": clinic.zone,
        "notes": [*([] if form.versions else [NO_PLAN]), *refused_at_desk(clinic, now=form.now)],
        "here": "desk",
        **more,
    }
    seen = [treatment.patient_id for treatment in recent] + ([patient.pk] if patient else [])
    audit.shown(request, AuditAct.DESK, seen)
    # What a form comes back with is an answer to it, not a page that is missing or broken.
    return render(request, "staff/desk.html", context)


def _has_stopped(patient: Patient | None) -> bool:
    if patient is None:
        return False
    address = patient.address(patient.channel)
    return bool(address and stopped_addresses([patient.clinic_id], [address]))
