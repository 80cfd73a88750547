"""What the desk does while the patient is still there: undo, or another way to the page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from patients.access import StaffRequest, staff_only
from reminders.amending import undo_treatment
from reminders.by_email import send_page_by_email
from reminders.handover_form import PageByEmailForm
from reminders.treatments import TreatmentRefused
from reminders.views.story import find_treatment, render_story

GONE_ALREADY = (
    "Undone, but the message had gone out already. Its link no longer opens this plan, and "
    "nothing more is sent. Tell {name}."
)


@never_cache
@require_POST
@staff_only()
def undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back what was logged seconds ago, and be back where it can be logged right."""
    treatment = find_treatment(request, pk)
    try:
        nothing_left = undo_treatment(treatment=treatment, by=request.user)
    except TreatmentRefused as refused:
        messages.warning(request, str(refused))
        return redirect("story", pk)
    if nothing_left:
        messages.success(request, "Undone. No message had left.")
    else:
        messages.warning(request, GONE_ALREADY.format(name=treatment.patient.first_name))
    return redirect("desk-returning", treatment.patient_id)


@never_cache
@require_POST
@staff_only()
def by_email(request: StaffRequest, pk: int) -> HttpResponse:
    treatment = find_treatment(request, pk)
    form = PageByEmailForm(request.POST, patient=treatment.patient)
    if not form.is_valid():
        return render_story(request, pk, email_form=form)
    try:
        send_page_by_email(
            treatment=treatment,
            email=form.cleaned_data["email"],
            by=request.user,
            now=timezone.now(),
        )
    except TreatmentRefused as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, "The page goes by email now.")
    return redirect("story", pk)
