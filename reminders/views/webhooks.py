"""What Twilio tells us: verify, refuse, hand on."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.twiml.messaging_response import MessagingResponse

from reminders import letterbox
from reminders.channels import sms
from reminders.channels.told import fit
from reminders.letterbox import Kind

FORM = "application/x-www-form-urlencoded"


def is_from_twilio(request: HttpRequest) -> bool:
    """Signed for our public address (never the proxy's idea of it), for our account, as a form."""
    try:
        return (
            request.content_type == FORM
            and request.POST.get("AccountSid") == settings.TWILIO_ACCOUNT_SID
            and sms.is_signed(
                settings.PUBLIC_BASE_URL + request.get_full_path(),
                request.POST.dict(),
                request.headers.get("X-Twilio-Signature", ""),
            )
        )
    except SuspiciousOperation:  # larger than any form of Twilio's
        return False


@csrf_exempt
@login_not_required
@require_POST
def twilio_status(request: HttpRequest, token: UUID) -> HttpResponse:
    """A delivery status for one attempt."""
    if not is_from_twilio(request):
        return HttpResponseForbidden()
    told = {
        "token": str(token),
        "provider_id": fit(request.POST.get("MessageSid"), 64),
        "status": fit(request.POST.get("MessageStatus"), 16),
        "error_code": fit(request.POST.get("ErrorCode"), 16),
    }
    letterbox.deliver(Kind.STATUS, told)
    return HttpResponse(status=204)


@csrf_exempt
@login_not_required
@require_POST
def twilio_inbound(request: HttpRequest) -> HttpResponse:
    """A text from a patient; the answer, if any, goes back in the response (TwiML)."""
    if not is_from_twilio(request):
        return HttpResponseForbidden()
    told = {
        "provider_id": fit(request.POST.get("MessageSid"), 64),
        "sender": fit(request.POST.get("From"), 32),
        "recipient": fit(request.POST.get("To"), 32),
        "body": fit(request.POST.get("Body"), 1600),
    }
    response = MessagingResponse()
    if answer := letterbox.deliver(Kind.TEXT, told):
        response.message(answer)
    return HttpResponse(str(response), content_type="text/xml")
