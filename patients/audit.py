"""The append-only trail: every look at and every change of a patient's record by staff.

A view says what it shows with `shown`, before it answers: what cannot be recorded is not shown.
Whatever changes something calls `record` in the transaction of the change: both are kept, or
neither. A view that forgets is found by `AuditTrail`, which knows which patients were read.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from patients.address import client_address
from patients.models import AuditAct, AuditMember, AuditRow, Clinic, Patient, StaffUser
from patients.models.audit import group_of
from patients.models.patient import READ

logger = logging.getLogger(__name__)
PIECE = 500
Patients = Iterable[Patient | int]


class NotRecorded(Exception):
    """The trail could not be written, so nothing is shown."""


class NotDeclared(AssertionError):
    """A staff view read patients and did not say so; raised in tests alone."""


@dataclass
class Coming:
    """The request that is being answered; `is_told`: it has left a row."""

    address: str
    request_id: str
    is_told: bool = False


NOWHERE = Coming("", "")
_coming: ContextVar[Coming] = ContextVar("coming", default=NOWHERE)


def record(
    *acts: AuditAct,
    clinic: Clinic | int | None,
    by: StaffUser | None = None,
    role: str = "",
    patients: Patients = (),
    about: str = "",
) -> None:
    """Add a row for each of these acts, in the caller's transaction if there is one.

    `role`: who acts, where it is not one of the staff (`AuditRow.Who`).
    """
    coming = _coming.get()
    ids = {one if isinstance(one, int) else one.pk for one in patients}
    said: dict[str, Any] = {
        "at": timezone.now(),
        "clinic_id": clinic.pk if isinstance(clinic, Clinic) else clinic,
        "user": by,
        "role": by.role if by else role,
        "patient_id": min(ids) if len(ids) == 1 else None,
        "group": _group(ids) if len(ids) > 1 else None,
        "about": about,
        "address": coming.address,
        "request": coming.request_id,
    }
    rows = [AuditRow(act=act.value, **said) for act in acts]
    for row in rows:
        row.mac = row.true_mac()
    if len(rows) == 1:
        rows[0].save(force_insert=True)  # one statement, where a bulk of one would be three
    else:
        AuditRow.objects.bulk_create(rows)
    if coming is not NOWHERE:
        coming.is_told = True


def shown(request: HttpRequest, act: AuditAct, patients: Patients, *, about: str = "") -> None:
    """Record what the answer to this request is about to show. Raises `NotRecorded`."""
    user: Any = request.user
    try:
        record(act, clinic=user.clinic_id, by=user, patients=patients, about=about)
    except DatabaseError as error:
        logger.exception("The audit trail cannot be written; nothing is shown.")
        raise NotRecorded from error


def did(request: HttpRequest, act: AuditAct, patients: Patients = (), *, about: str = "") -> None:
    """Record what whoever is signed in has just changed; in the transaction of the change."""
    user: Any = request.user
    record(act, clinic=user.clinic_id, by=user, patients=patients, about=about)


def patients_read() -> set[int]:
    """Every patient whose row this request has read so far."""
    return set(READ.get() or ())


def _group(ids: set[int]) -> int:
    """The same patients again, as on a board that is loaded anew, cost one look."""
    group = group_of(ids)
    members = AuditMember.objects.filter(group=group)
    if not members.exists():
        members_ids = sorted(ids)
        with transaction.atomic():
            for at in range(0, len(members_ids), PIECE):  # a list that was taken in has thousands
                AuditMember.objects.bulk_create(
                    [
                        AuditMember(group=group, patient_id=one)
                        for one in members_ids[at : at + PIECE]
                    ],
                    ignore_conflicts=True,
                )
    return group


class AuditTrail:
    """Middleware: knows where a request comes from, and finds the view that forgot."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        told = getattr(request, "request_id", None) or uuid.uuid4()
        coming = Coming(client_address(request), str(told)[:36])
        here, reading = _coming.set(coming), READ.set(set())
        try:
            response = self.get_response(request)
            read = READ.get()
        finally:
            READ.reset(reading)
            _coming.reset(here)
        # 1xx to 3xx show nothing, and an error's page is the same for everybody.
        if read and not coming.is_told and _shows(response) and _is_staffs(request):
            try:
                self._forgotten(request, read)
            except NotRecorded:
                return not_shown(request)
        return response

    def _forgotten(self, request: HttpRequest, read: set[int]) -> None:
        where = getattr(request.resolver_match, "view_name", "")
        if settings.AUDIT_STRICT:
            raise NotDeclared(f"“{where}” reads patients and leaves no audit row: call shown().")
        logger.error("The view %s left no audit row of its own.", where)
        shown(request, AuditAct.OTHER, read, about=where[:40])

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return not_shown(request) if isinstance(error, NotRecorded) else None


def not_shown(request: HttpRequest) -> HttpResponse:
    answer = render(request, "503.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = "10"
    return answer


def _shows(response: HttpResponseBase) -> bool:
    return response.status_code == HTTPStatus.OK


def _is_staffs(request: HttpRequest) -> bool:
    """Without asking who a patient is: their pages read no session."""
    if request.resolver_match is None:
        return False
    view = request.resolver_match.func
    return getattr(view, "login_required", True) and isinstance(request.user, StaffUser)
