"""What every template may know about the site."""

from django.conf import settings
from django.http import HttpRequest

from patients.sessions import TOLD_EVERY


def site(request: HttpRequest) -> dict[str, bool | int]:
    return {
        "demo": settings.DEMO,
        "lock_seconds": int(settings.SCREEN_LOCK_MINUTES * 60),
        "told_seconds": TOLD_EVERY,
    }
