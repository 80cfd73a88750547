"""A session's clock, kept on the server: when it began, when a hand was last on it, its lock.

A browser forgets its cookie when it is closed and the table forgets a row after 12 hours; neither
is enough where a screen stands in a corridor. So each session carries three moments of its own:
it ends after `SESSION_HOURS`, and after `SESSION_IDLE_MINUTES` without a hand on it; after
`SCREEN_LOCK_MINUTES` it is locked, and opens for whoever was signed in.
"""

from __future__ import annotations

import json
import time
from typing import Any

from allauth.mfa import signals as factors
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from patients.models import StaffUser

BEGAN, SEEN, LOCKED, FACTOR = "began_at", "seen_at", "locked", "second_factor"
TYPED, TYPED_LIMIT = "typed", 20_000  # characters
# Seconds. A hand is written down this seldom, and an open page tells of one this seldom: so much
# later than the page itself does the server lock.
WRITTEN_EVERY, TOLD_EVERY = 15, 30
SLACK = WRITTEN_EVERY + TOLD_EVERY


def begin(session: SessionBase) -> None:
    session[BEGAN] = session[SEEN] = int(time.time())
    session.pop(LOCKED, None)


def touch(session: SessionBase) -> None:
    """A hand was on it just now."""
    now = int(time.time())
    if BEGAN not in session:  # of before these rules: it counts from here
        session[BEGAN] = now
    if not 0 <= now - session.get(SEEN, 0) < WRITTEN_EVERY:
        session[SEEN] = now


def is_over(session: SessionBase) -> bool:
    """Whether it has lasted, or lain idle, too long."""
    now = time.time()
    lasted, idle = now - session.get(BEGAN, now), now - session.get(SEEN, now)
    return bool(
        lasted >= settings.SESSION_HOURS * 3600 or idle >= settings.SESSION_IDLE_MINUTES * 60
    )


def is_locked(session: SessionBase) -> bool:
    idle = time.time() - session.get(SEEN, time.time())
    return bool(session.get(LOCKED)) or idle >= settings.SCREEN_LOCK_MINUTES * 60 + SLACK


def lock(session: SessionBase) -> None:
    session[LOCKED] = True


def unlock(session: SessionBase) -> None:
    session.pop(LOCKED, None)
    session[SEEN] = int(time.time())


def keep_typed(session: SessionBase, page: str, typed: str) -> None:
    """What was being typed on `page` when it locked: a JSON list of lists, in the session alone."""
    if not 0 < len(typed) <= TYPED_LIMIT:
        return
    try:
        fields = json.loads(typed)
    except ValueError:
        return
    if isinstance(fields, list):
        session[TYPED] = {"page": page, "fields": fields}


def take_typed(session: SessionBase, page: str) -> list[Any]:
    """Once, on the page where it was typed."""
    kept = session.get(TYPED)
    if not kept or kept["page"] != page:
        return []
    del session[TYPED]
    fields: list[Any] = kept["fields"]
    return fields


def remove_over() -> None:
    """The rows of sessions nobody came back to, with what was being typed in them."""
    SessionStore.clear_expired()


def has_second_factor(session: SessionBase, user: StaffUser) -> bool:
    """Whether this person has shown one in this session: it may have begun before they did."""
    return bool(session.get(FACTOR) == user.pk)


# --- What others tell us: Django's and allauth's own signals ------------------------------------


def listen() -> None:
    user_logged_in.connect(_begin, dispatch_uid="session begins")
    factors.authenticator_used.connect(_factor_shown, dispatch_uid="factor shown")
    for change in (factors.authenticator_added, factors.authenticator_removed,
                   factors.authenticator_reset):  # fmt: skip
        change.connect(_factors_changed, dispatch_uid="factors changed")


def _begin(request: HttpRequest, **kwargs: Any) -> None:
    begin(request.session)


def _factor_shown(request: HttpRequest, user: StaffUser, **kwargs: Any) -> None:
    request.session[FACTOR] = user.pk


def _factors_changed(request: HttpRequest, user: StaffUser, **kwargs: Any) -> None:
    """Every other session ends; this one counts as shown while any factor is left."""
    user.end_sessions()
    update_session_auth_hash(request, user)
    has_any = Authenticator.objects.filter(user=user).exists()
    request.session[FACTOR] = user.pk if has_any else None
