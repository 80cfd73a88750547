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
from django.conf import settings
from django.utils import timezone

from patients import words
from patients.models import StaffUser
from reminders.channels import Message, NotSent, email
from reminders.models import Notice

AT_ONCE = 20
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
    waiting = Notice.objects.filter(mailed_at=None).select_related("person__clinic").order_by("id")
    for notice in waiting[:AT_ONCE]:
        mine = Notice.objects.filter(pk=notice.pk)
        # Marked first, by a conditional update: two workers may both have come here.
        if not mine.filter(mailed_at=None).update(mailed_at=now):
            continue
        if isinstance(email.send(_message(notice)), NotSent):
            mine.update(mailed_at=None)
            break  # the next look tries again


def _message(notice: Notice) -> Message:
    clinic = notice.person.clinic
    text = MAIL.format(
        what=Kind(notice.kind).label,
        moment=words.dated(notice.at.astimezone(clinic.tz), "en"),
        clinic=clinic,
    )
    return Message(
        to=notice.person.email,
        sender=settings.DEFAULT_FROM_EMAIL,
        subject=f"Aftercare at {clinic}: your sign-in",
        text=text,
        html="",
        callback_url="",
        message_id=f"<notice.{notice.pk}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>",
        valid_for=3600,
    )


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
