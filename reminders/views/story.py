"""One treatment: the handover, the link, every reminder; correct its time, void it."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from patients import audit, links
from patients.access import StaffRequest, staff_only
from patients.door import looks_on
from patients.models import AuditAct, Treatment
from patients.models.patient import consents_and_stops
from patients.qr import code_of
from reminders import story as told
from reminders.amending import correct_time, void_treatment
from reminders.answering import answering
from reminders.checks import reach_of_one
from reminders.concern_words import of_patient
from reminders.correction_forms import CorrectionForm, VoidForm
from reminders.handover import handover_of, undo_seconds
from reminders.handover_form import PageByEmailForm
from reminders.models import Attempt, Reminder
from reminders.trail import trail
from reminders.treatments import TreatmentRefused

CORRECTED = "The time is corrected, and what was still to be sent has moved."
NOTHING_NEW = 204  # htmx leaves the page as it is
VISITS = 12


@never_cache
@require_safe
@staff_only()
def story(request: StaffRequest, pk: int) -> HttpResponse:
    return render_story(request, pk)


def render_story(
    request: StaffRequest, pk: int, *, email_form: PageByEmailForm | None = None
) -> HttpResponse:
    treatment, visits = _with_visits(request, pk)
    erasure = getattr(treatment.patient, "erasure", None)
    now = timezone.now()
    audit.shown(request, AuditAct.STORY, [treatment.patient_id], about=f"treatment {pk}")
    reminders = list(_reminders(treatment).select_related("asked_by"))
    address = links.address_of(treatment)
    consents = list(consents_and_stops(treatment.patient).select_related("recorded_by"))
    reach = reach_of_one(treatment.patient, consents)
    context = {
        "treatment": treatment,
        "patient": treatment.patient,
        "erasure": erasure,
        "closed": bool(treatment.voided_at or erasure),
        "addresses": told.addresses(treatment.patient),
        "handover": handover_of(treatment, reminders, now=now),
        "undo_seconds": undo_seconds(treatment, by=request.user, now=now),
        "email_form": email_form or PageByEmailForm(patient=treatment.patient),
        "lines": told.lines(treatment, reminders, now=now, reach=reach),
        "facts": told.facts(treatment, now=now),
        "consents": consents,
        "answering": answering(treatment.patient, reach),
        "visits": visits,
        "concerns": of_patient(treatment.patient_id, treatment.patient.clinic, now=now),
        "trail": trail(treatment.patient, now=now),
        "link": address,
        "qr": code_of(address),
    }
    return render(request, "staff/story.html", context)


@looks_on
@never_cache
@require_safe
@staff_only()
def handover(request: StaffRequest, pk: int) -> HttpResponse:
    """The handover's state, asked for every few seconds while it is unsettled."""
    treatment, now = find_treatment(request, pk), timezone.now()
    reminders = list(_reminders(treatment).select_related("asked_by"))
    state = handover_of(treatment, reminders, now=now)
    if state.key == request.GET.get("seen"):
        return HttpResponse(status=NOTHING_NEW)
    audit.shown(request, AuditAct.STORY, [treatment.patient_id], about=f"treatment {pk}")
    lines = told.lines(treatment, reminders, now=now)
    context = {"treatment": treatment, "handover": state, "lines": lines}
    return render(request, "staff/handover_live.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def correct(request: StaffRequest, pk: int) -> HttpResponse:
    """First what would move, then the same once more to save it."""
    treatment = find_treatment(request, pk, voided_at=None)
    now = timezone.now()
    form = CorrectionForm(request.POST or None, treatment=treatment, now=now)
    context = {
        "treatment": treatment,
        "form": form,
        "was": told.said(treatment.treated_at, treatment.patient, now),
        "zone": treatment.patient.clinic.zone,
    }
    if not form.is_valid():
        _form_shown(request, treatment)
        return render(request, "staff/correct.html", context)
    treated_at, reason = form.cleaned_data["treated_at"], form.cleaned_data["reason"]
    # What was shown holds for this new time and for the old one it was compared with.
    shown = f"{treatment.treated_at.isoformat()} {treated_at.isoformat()}"
    try:
        if "save" in request.POST and form.cleaned_data["previewed"] == shown:
            correct_time(treatment=treatment, treated_at=treated_at, reason=reason, by=request.user)
            messages.success(request, CORRECTED)
            return redirect("story", pk)
        moves = told.preview_correction(
            treatment=treatment, treated_at=treated_at, by=request.user, now=now
        )
    except TreatmentRefused as refused:
        messages.warning(request, str(refused))
        return redirect("story", pk)
    context |= {"moves": moves, "previewed": shown, "asked": True}
    _form_shown(request, treatment)
    return render(request, "staff/correct.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def void(request: StaffRequest, pk: int) -> HttpResponse:
    treatment = find_treatment(request, pk)
    form = VoidForm(request.POST or None)
    if form.is_valid():
        try:
            void_treatment(treatment=treatment, reason=form.cleaned_data["reason"], by=request.user)
        except TreatmentRefused as refused:
            messages.warning(request, str(refused))
        else:
            messages.success(request, "The treatment is voided: nothing more of it is sent.")
        return redirect("story", pk)
    _form_shown(request, treatment)
    return render(request, "staff/void.html", {"treatment": treatment, "form": form})


def find_treatment(request: StaffRequest, pk: int, **more: object) -> Treatment:
    """The treatment, if it is of the clinic of whoever asks; else 404."""
    return get_object_or_404(_treatments(request), pk=pk, **more)


def _form_shown(request: StaffRequest, treatment: Treatment) -> None:
    about = f"treatment {treatment.pk}"
    audit.shown(request, AuditAct.FORM, [treatment.patient_id], about=about)


def _with_visits(request: StaffRequest, pk: int) -> tuple[Treatment, list[Treatment]]:
    """The treatment and the patient's other ones, the latest first, in one question."""
    others = Treatment.objects.filter(pk=pk).values("patient")
    rows = list(_treatments(request).filter(patient__in=others).order_by("-treated_at"))
    found = next((row for row in rows if row.pk == pk), None)
    if found is None:
        raise Http404
    request.user.clinic = found.patient.clinic
    return found, [row for row in rows if row.pk != pk][:VISITS]


def _treatments(request: StaffRequest) -> QuerySet[Treatment]:
    rows = Treatment.objects.filter(patient__clinic=request.user.clinic_id)
    return rows.select_related(
        "patient__clinic", "patient__erasure", "version", "logged_by", "voided_by", "reading"
    ).defer("version__source")


def _reminders(treatment: Treatment) -> QuerySet[Reminder]:
    attempts = Attempt.objects.order_by("pk").prefetch_related("receipts")
    return treatment.reminders.order_by("due_at", "pk").prefetch_related(
        Prefetch("attempts", queryset=attempts)
    )
