"""A wrong number or email of a patient is put right: first read back, then saved."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct, Patient, Treatment
from reminders.contact_form import ContactForm, FollowsForm, read_back
from reminders.views.story import find_treatment

SAVED = "Corrected. What is still to be sent goes by the record as it is now."
SENT = "Corrected, and the page goes once more: its line below shows what becomes of it."
NOT_SENT = "Corrected, but the page was not sent: {why}"
NOTHING = "This is what the record says already."
DONE = "The record says so already: nothing was changed twice."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def contact(request: StaffRequest, pk: int) -> HttpResponse:
    if "save" not in request.POST:
        return _answer(request, pk)
    with transaction.atomic():
        # Whoever saves the same record second waits here, and then reads what the first has done.
        patients = Patient.objects.select_for_update(no_key=True, of=("self",))
        list(patients.filter(treatments=pk, clinic=request.user.clinic_id))
        return _answer(request, pk)


def _answer(request: StaffRequest, pk: int) -> HttpResponse:
    saves, now = "save" in request.POST, timezone.now()
    treatment = find_treatment(request, pk, patient__erasure=None)
    form = ContactForm(request.POST if request.method == "POST" else None, treatment=treatment)
    if not form.is_valid():
        return _page(request, treatment, form)
    if form.is_unchanged:
        if saves:
            messages.success(request, DONE)
            return redirect("story", pk)
        form.add_error("phone", NOTHING)
        return _page(request, treatment, form)
    if saves and form.is_read_back:
        follows = FollowsForm(request.POST, form=form, now=now)
        if follows.is_valid():
            _tell(request, follows, form.save(follows, by=request.user, now=now))
            return redirect("story", pk)
    return _page(request, treatment, form, FollowsForm(form=form, now=now))


def _tell(request: StaffRequest, follows: FollowsForm, why: str) -> None:
    if why:
        messages.warning(request, NOT_SENT.format(why=why))
    else:
        messages.success(request, SENT if follows.decided().sends_page else SAVED)


def _page(
    request: StaffRequest,
    treatment: Treatment,
    form: ContactForm,
    follows: FollowsForm | None = None,
) -> HttpResponse:
    context = {"treatment": treatment, "patient": treatment.patient, "form": form}
    seen: list[Patient] = [treatment.patient]
    if follows is not None:
        back = read_back(form)
        seen += back.others
        context |= {"follows": follows, "back": back, "record": form["record"].initial}
    audit.shown(request, AuditAct.FORM, seen, about=f"treatment {treatment.pk}")
    return render(request, "staff/contact.html", context)
