"""What every template may know about the site."""

from django.conf import settings
from django.http import HttpRequest

from patients.sessions import TOLD_EVERY, take_typed


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "demo": settings.DEMO,
        "lock_seconds": int(settings.SCREEN_LOCK_MINUTES * 60),
        "told_seconds": TOLD_EVERY,
        # Asked for by the staff's pages alone: the others read no session.
        "typed_before": lambda: take_typed(request.session, request.get_full_path()),
    }
