"""The clinic's own page, for its admin: numbers, hours, senders, people, a test text."""

from __future__ import annotations

import uuid

from allauth.account.internal.flows.reauthentication import (
    raise_if_reauthentication_required as show_that_it_is_you,
)
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct, Clinic, StaffUser
from patients.models.clinic import Role
from patients.starting_anew import start_anew
from reminders import changes, notices
from reminders.channels import Accepted, Message, Unknown, sms
from reminders.clinic_forms import ClinicForm, PersonForm, RoleForm
from reminders.fields import read_phone, region_of
from reminders.models import Notice
from reminders.provider_errors import explain
from reminders.refusals import refused_now

ADMINS = frozenset({Role.ADMIN})
TEST = "{clinic}: this is a test text. It works."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only(ADMINS)
def clinic(request: StaffRequest) -> HttpResponse:
    form = ClinicForm(_typed(request), instance=Clinic.objects.get(pk=request.user.clinic_id))
    if form.is_valid():
        with transaction.atomic():
            form.save()
            audit.did(request, AuditAct.CLINIC)
        messages.success(request, "Saved. What is still to be sent follows it.")
        return redirect("clinic")
    return _page(request, form=form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only(ADMINS)
def add_person(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect("clinic")
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _page(request, person=form)
    if form.cleaned_data["role"] == Role.ADMIN:
        show_that_it_is_you(request, app="")
    with transaction.atomic():
        person, password = form.add(request.user.clinic)
        audit.did(request, AuditAct.STAFF_ADDED, about=f"user {person.pk}, {person.role}")
    return _page(request, added={"person": person, "password": password})


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only(ADMINS)
def change_person(request: StaffRequest, pk: int) -> HttpResponse:
    """Role, whether they may sign in, and the summary. Nobody locks themselves out."""
    person = get_object_or_404(request.user.clinic.staff, pk=pk)
    if request.method != "POST":
        return redirect("clinic")
    form = RoleForm(request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        if typed["role"] == Role.ADMIN != person.role:
            show_that_it_is_you(request, app="")
        if person.pk == request.user.pk:
            typed |= {"role": person.role, "is_active": True}
        for name, value in typed.items():
            setattr(person, name, value)
        with transaction.atomic():
            person.save(update_fields=list(typed))
            now_is = f"{person.role}{'' if person.is_active else ', may not sign in'}"
            audit.did(request, AuditAct.STAFF_CHANGED, about=f"user {pk}, {now_is}"[:40])
        if not person.is_active:  # let in again later, they begin anew
            _shut_out(person)
        messages.success(request, f"{person.name}: saved.")
    return redirect("clinic")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@staff_only(ADMINS)
def reset_person(request: StaffRequest, pk: int) -> HttpResponse:
    """For a colleague who lost phone or password: a new first password, no second factor left.

    An admin's open screen is not enough for it, nor for a new admin: allauth asks who sits there,
    and then goes on with what was posted. Loaded anew after that, it is a GET: it changes nothing.
    """
    person = get_object_or_404(request.user.clinic.staff, pk=pk)
    if request.method != "POST":
        return redirect("clinic")
    if person.pk == request.user.pk:
        messages.warning(request, "Your own is under your name, at the top of the page.")
        return redirect("clinic")
    show_that_it_is_you(request, app="")
    with transaction.atomic():
        password = start_anew(person)
        audit.did(request, AuditAct.STAFF_RESET, about=f"user {pk}")
        notices.note(person, Notice.Kind.STARTED_ANEW, now=timezone.now())
    changes.forget_lookers(person.clinic_id)
    return _page(request, added={"person": person, "password": password})


def _shut_out(person: StaffUser) -> None:
    person.end_sessions()
    changes.forget_lookers(person.clinic_id)


@require_POST
@staff_only(ADMINS)
def test_text(request: StaffRequest) -> HttpResponse:
    """One text to a number the admin holds in hand; what the provider says is shown."""
    clinic = request.user.clinic
    try:
        number = read_phone(request.POST.get("to", "")[:32], region_of(clinic))
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect("clinic")
    audit.did(request, AuditAct.TEST_TEXT)
    outcome = sms.send(_message(clinic, number))
    if isinstance(outcome, Accepted):
        messages.success(request, "The provider has taken it: look at your phone.")
    elif isinstance(outcome, Unknown):
        messages.warning(request, "The provider gave no clear answer: look at your phone.")
    else:
        messages.warning(request, f"Not sent. {explain(outcome.code, 'sms').happened}")
    return redirect("clinic")


def _message(clinic: Clinic, number: str) -> Message:
    return Message(
        to=number,
        sender=clinic.sender,
        subject="",
        text=TEST.format(clinic=clinic.sms_name),
        html="",
        callback_url="",
        message_id=f"<test.{uuid.uuid4()}>",
        valid_for=600,
    )


def _typed(request: StaffRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _page(request: StaffRequest, **more: object) -> HttpResponse:
    mine = Clinic.objects.get(pk=request.user.clinic_id)
    context = {
        "form": ClinicForm(instance=mine),
        "person": PersonForm(),
        "people": mine.staff.order_by("-is_active", "name"),
        "roles": Role.choices,
        "refused": refused_now(request.user.clinic, now=timezone.now()),
        "here": "clinic",
        **more,
    }
    return render(request, "staff/clinic.html", context)
