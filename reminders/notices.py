"""Whoever's sign-in was changed is mailed so: a change that they did not make does not stay hidden.

By a worker and not by the page: a mail server that is slow or away holds up nobody's sign-in, and
the mail goes when it is back. It names nobody and has no link that somebody could imitate.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as factors
from allauth.mfa.models import Authenticator
from django.utils import timezone

from patients import words
from patients.models import StaffUser
from reminders.channels import Outcome, email
from reminders.models import Notice
from reminders.telling import send_each, written

Kind, Type = Notice.Kind, Authenticator.Type
ADDED = {Type.TOTP: Kind.APP_ADDED, Type.WEBAUTHN: Kind.PASSKEY_ADDED}
REMOVED = {Type.TOTP: Kind.APP_REMOVED, Type.WEBAUTHN: Kind.PASSKEY_REMOVED}
MAIL = """{what} That was at {moment}.

If it was you, or you knew of it, there is nothing to do. If not, tell your admin at once: on the
page “Clinic” they close your sign-in, or start it anew.

Aftercare at {clinic}
"""


def note(person: StaffUser, kind: Notice.Kind, *, now: datetime) -> None:
    """Have it mailed; in the transaction of the change, if there is one."""
    Notice.objects.create(person=person, kind=kind.value, at=now)


def send_waiting(*, now: datetime) -> None:
    """Mail what has not gone yet, the oldest first."""
    rows = Notice.objects.select_related("person__clinic")
    send_each(rows, _mail, gone="mailed_at", taken="taken_until", now=now)


def _mail(notice: Notice) -> Outcome:
    person, clinic = notice.person, notice.person.clinic
    moment = words.dated(notice.at.astimezone(clinic.tz), "en")
    text = MAIL.format(what=Kind(notice.kind).label, moment=moment, clinic=clinic)
    key = f"notice.{notice.pk}"
    return email.send(written(clinic, person.email, about="your sign-in", text=text, key=key))


# --- allauth's own signals ------------------------------------------------------------------------


def listen() -> None:
    account.password_changed.connect(_password, dispatch_uid="notice: password")
    factors.authenticator_added.connect(_added, dispatch_uid="notice: added")
    factors.authenticator_removed.connect(_removed, dispatch_uid="notice: removed")
    factors.authenticator_reset.connect(_codes, dispatch_uid="notice: codes")
    factors.authenticator_used.connect(_used, dispatch_uid="notice: used")


def _password(user: StaffUser, **kwargs: Any) -> None:
    note(user, Kind.PASSWORD, now=timezone.now())


def _added(user: StaffUser, authenticator: Authenticator, **kwargs: Any) -> None:
    """Recovery codes that come with the first factor are no news of their own."""
    if kind := ADDED.get(authenticator.type):
        note(user, kind, now=timezone.now())


def _removed(user: StaffUser, authenticator: Authenticator, **kwargs: Any) -> None:
    if kind := REMOVED.get(authenticator.type):
        note(user, kind, now=timezone.now())


def _codes(user: StaffUser, **kwargs: Any) -> None:
    note(user, Kind.CODES, now=timezone.now())


def _used(user: StaffUser, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type == Type.RECOVERY_CODES:
        note(user, Kind.CODE_USED, now=timezone.now())
