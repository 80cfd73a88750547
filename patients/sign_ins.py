"""Sign-ins and their like in the audit trail, from Django's and allauth's own signals."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as factors
from django.contrib.auth import signals as auth

from patients import audit
from patients.models import AuditAct, AuditRow, StaffUser


def listen() -> None:
    auth.user_login_failed.connect(_failed, dispatch_uid="audit: failed")
    factors.authentication_failed.connect(_factor_failed, dispatch_uid="audit: factor failed")
    factors.authenticator_used.connect(_factor_used, dispatch_uid="audit: factor used")
    for signal, act in (
        (auth.user_logged_in, AuditAct.SIGNED_IN),
        (auth.user_logged_out, AuditAct.SIGNED_OUT),
        (account.password_changed, AuditAct.PASSWORD),
        (account.password_set, AuditAct.PASSWORD),
        (account.password_reset, AuditAct.PASSWORD),
        (factors.authenticator_added, AuditAct.FACTOR_ADDED),
        (factors.authenticator_reset, AuditAct.FACTOR_ADDED),
        (factors.authenticator_removed, AuditAct.FACTOR_REMOVED),
    ):
        signal.connect(_told(act), weak=False, dispatch_uid=f"audit: {act} {id(signal)}")


def _told(act: AuditAct) -> Any:
    def receive(user: Any, authenticator: Any = None, **kwargs: Any) -> None:
        if isinstance(user, StaffUser):
            about = getattr(authenticator, "type", "")
            audit.record(act, clinic=user.clinic_id, by=user, about=about)

    return receive


def _failed(credentials: dict[str, Any], **kwargs: Any) -> None:
    """Whose account it was, if it is one; what was typed is kept nowhere."""
    typed = str(credentials.get("email") or credentials.get("username") or "")
    user = StaffUser.objects.filter(email__iexact=typed).first() if typed else None
    audit.record(
        AuditAct.SIGN_IN_FAILED,
        clinic=user.clinic_id if user else None,
        role=AuditRow.Who.NOBODY,
        about=f"user {user.pk}" if user else "",
    )


def _factor_failed(user: Any, **kwargs: Any) -> None:
    about = f"user {user.pk}, second factor"
    audit.record(AuditAct.SIGN_IN_FAILED, clinic=user.clinic_id, about=about)


def _factor_used(user: StaffUser, authenticator: Any, **kwargs: Any) -> None:
    """Of the factors only a recovery code is spent by it; the sign-in itself has its own row."""
    if authenticator.type == authenticator.Type.RECOVERY_CODES:
        audit.record(AuditAct.CODE_USED, clinic=user.clinic_id, by=user)
