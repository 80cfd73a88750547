"""The email provider's webhook: django-anymail verifies it and hands the event on."""

from __future__ import annotations

from anymail import urls as anymail_urls
from anymail.exceptions import AnymailConfigurationError
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.http import (
    Http404,
    HttpRequest,
    HttpResponseBadRequest,
    HttpResponseBase,
    HttpResponseForbidden,
)
from django.views.decorators.csrf import csrf_exempt

from reminders.mail_events import NotTakenIn
from reminders.once_more import once_more

# What reading an event can end in that is signed by its secret, yet not what the provider's
# documents promise: a number out of range, a list where a name stands, an event of another kind.
# What breaks in acting on it is a fault of ours: `NotTakenIn`, with a line in the log.
NONSENSE = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    AnymailConfigurationError,
)


@csrf_exempt
@login_not_required
@once_more
def email_webhook(request: HttpRequest, provider: str) -> HttpResponseBase:
    """Open only for the provider that `EMAIL_BACKEND` names, and only with its secret set."""
    if provider != settings.EMAIL_PROVIDER or not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    name = f"{provider}_tracking_webhook"
    view = next((one.callback for one in anymail_urls.urlpatterns if one.name == name), None)
    if view is None:
        raise Http404
    try:
        answer: HttpResponseBase = view(request)
    except SuspiciousOperation:  # without the secret, or larger than any event
        return HttpResponseForbidden()
    except (*NONSENSE, NotTakenIn):
        return HttpResponseBadRequest()
    return answer
