"""Who did not get one message of the plan, and sending it again to all whom one cause has kept."""

from __future__ import annotations

import re

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from patients import audit
from patients.access import StaffRequest, staff_only
from patients.models import AuditAct
from patients.models.patient import Channel
from reminders import missed as found
from reminders.again import send_all_again
from reminders.bell import ring
from reminders.models import Reminder

AT_ONCE = 500  # some seconds of work
BY_NAME = 10
NUMBER = re.compile(r"[0-9]{1,18}")  # what a row can have


@never_cache
@require_safe
@staff_only()
def missed(request: StaffRequest, rule: str) -> HttpResponse:
    shown = found.missed(request.user.clinic, rule, now=timezone.now())
    patients = {person.patient for cause in shown.causes for person in cause.people}
    audit.shown(request, AuditAct.MISSED, patients, about=rule[:40])
    return render(request, "staff/missed.html", {"missed": shown, "rule": rule, "here": "board"})


@require_POST
@staff_only()
def again(request: StaffRequest, rule: str) -> HttpResponse:
    """Send it once more to those named; who cannot have it is named with the reason."""
    words = " ".join(request.POST.getlist("reminder")).split()
    named = {int(pk) for pk in words if NUMBER.fullmatch(pk)}
    channel = request.POST.get("channel", "")
    rows = Reminder.objects.filter(
        pk__among=named, rule=rule, treatment__patient__clinic=request.user.clinic_id
    ).select_related("treatment__patient")
    if channel in Channel:
        done = send_all_again(
            rows.order_by("pk"), channel=channel, by=request.user, now=timezone.now(), most=AT_ONCE
        )
        if done.sent:
            ring()
            are = "is" if done.left == 1 else "are"
            left = f" {done.left} {are} left: press once more." if done.left else ""
            told = f"Sent again to {done.sent}.{left} The board shows what becomes of it."
            messages.success(request, told)
        for why, names in done.refused.items():
            messages.warning(request, f"Not sent to {_some(names)}: {why}")
    return redirect("missed", rule)


def _some(names: list[str]) -> str:
    more = len(names) - BY_NAME
    return ", ".join(names[:BY_NAME]) + (f" and {more} more" if more > 0 else "")
