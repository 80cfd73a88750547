"""What a nurse does about a patient: answer, note, task, send again; each a page with one form."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct, Treatment
from patients.models.patient import Channel
from reminders.again import NotSentAgain, send_again
from reminders.answering import answering_of
from reminders.bell import ring
from reminders.concern_words import in_full
from reminders.models import Note, Reminder, Task
from reminders.views.back import pressed_on
from reminders.work_forms import AnswerForm, NoteForm, TaskForm

LEAVES = "It leaves now. Its line below shows what becomes of it."
WAITS = "It is planned. Its line below shows when it leaves."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def answer(request: StaffRequest, pk: int) -> HttpResponse:
    treatment, now = _find(request, pk), timezone.now()
    may = answering_of([treatment.patient])[treatment.patient_id]
    form = AnswerForm(_typed(request), ways=may.ways)
    if form.is_valid() and form.send(treatment, by=request.user, now=now):
        ring()
        messages.success(request, LEAVES)
        return redirect("story", pk)
    return _page(request, treatment, form, "answer", answering=may)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def note(request: StaffRequest, pk: int) -> HttpResponse:
    treatment = _find(request, pk)
    form = NoteForm(_typed(request))
    if form.is_valid():
        with transaction.atomic():
            Note.objects.create(
                patient=treatment.patient,
                by=request.user,
                written_at=timezone.now(),
                **form.cleaned_data,
            )
            audit.did(request, AuditAct.NOTE, [treatment.patient_id])
        return redirect("story", pk)
    return _page(request, treatment, form, "note")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only()
def task(request: StaffRequest, pk: int) -> HttpResponse:
    treatment, now = _find(request, pk), timezone.now()
    clinic = treatment.patient.clinic
    form = TaskForm(_typed(request), by=request.user, clinic=clinic, now=now)
    if form.is_valid():
        typed = form.cleaned_data
        with transaction.atomic():
            Task.objects.create(
                clinic=clinic,
                patient=treatment.patient,
                text=typed["text"],
                owner=typed["owner"],
                due_at=typed["due_at"],
                made_by=request.user,
                made_at=now,
            )
            audit.did(request, AuditAct.TASK, [treatment.patient_id])
        return redirect("story", pk)
    return _page(request, treatment, form, "task")


@require_POST
@staff_only()
@transaction.atomic
def task_done(request: StaffRequest, pk: int) -> HttpResponse:
    """One person ends it; whoever comes second is told."""
    row = get_object_or_404(Task, pk=pk, clinic=request.user.clinic_id)
    open_ = Task.objects.filter(pk=pk, done_at=None)
    if not open_.update(done_at=timezone.now(), done_by=request.user):
        row.refresh_from_db(fields=["done_by"])
        who = "You" if row.done_by_id == request.user.pk else "A colleague"
        messages.warning(request, f"{who} had done it already.")
    else:
        audit.did(request, AuditAct.TASK_DONE, [row.patient_id], about=f"task {pk}")
    newest = row.patient.treatments.order_by("-treated_at").values_list("pk", flat=True)
    return redirect(pressed_on(request, otherwise=reverse("story", args=[newest[0]])))


@require_POST
@staff_only()
def again(request: StaffRequest, pk: int) -> HttpResponse:
    """Send one message once more, by the channel of the button."""
    reminder = get_object_or_404(Reminder, pk=pk, treatment__patient__clinic=request.user.clinic_id)
    channel, now = request.POST.get("channel", ""), timezone.now()
    if channel not in Channel:
        channel = reminder.channel
    try:
        row = send_again(reminder=reminder, channel=channel, by=request.user, now=now)
    except NotSentAgain as why:
        messages.warning(request, f"Not sent. {why}")
    else:
        ring()
        messages.success(request, LEAVES if row.leaves_at <= now else WAITS)
    return redirect("story", reminder.treatment_id)


@never_cache
@require_POST
@staff_only()
def number(request: StaffRequest, pk: int) -> HttpResponse:
    """The patient's number and address in full, because somebody asked: the one place for it."""
    template = "staff/number.html" if request.htmx else "staff/number_page.html"
    treatment = _find(request, pk)
    audit.shown(request, AuditAct.NUMBER, [treatment.patient_id], about=f"treatment {pk}")
    context = {"reached": in_full(treatment.patient), "back": reverse("story", args=[pk])}
    return render(request, template, context)


def _typed(request: StaffRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _page(
    request: StaffRequest, treatment: Treatment, form: Form, kind: str, **more: object
) -> HttpResponse:
    about = f"{kind}, treatment {treatment.pk}"
    audit.shown(request, AuditAct.FORM, [treatment.patient_id], about=about)
    context = {"treatment": treatment, "patient": treatment.patient, "form": form, **more}
    return render(request, f"staff/{kind}.html", context)


def _find(request: StaffRequest, pk: int) -> Treatment:
    rows: QuerySet[Treatment] = Treatment.objects.select_related("patient__clinic")
    return get_object_or_404(rows, pk=pk, patient__clinic=request.user.clinic_id)
