"""A password somebody else makes for a colleague: shown once, good for days, then their own."""

from __future__ import annotations

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from patients.models import StaffUser

LENT_FOR = timedelta(days=3)
PASSWORD_LETTERS, PASSWORD_LENGTH = "abcdefghjkmnpqrstuvwxyz23456789", 16


def lend_password(person: StaffUser) -> str:
    """Saved with a new first password, which is changed at the first sign-in."""
    password = get_random_string(PASSWORD_LENGTH, PASSWORD_LETTERS)
    validate_password(password, person)
    person.lend_password(password, until=timezone.now() + LENT_FOR)
    person.save()
    return password


@transaction.atomic
def start_anew(person: StaffUser) -> str:
    """A new first password; every second factor and every session of theirs is gone."""
    Authenticator.objects.filter(user=person).delete()
    password = lend_password(person)
    person.end_sessions()
    return password
