"""No more emails: one press in the mail program (RFC 8058), or one on a page of ours.

GET changes nothing: scanners follow links. The one-click POST carries no CSRF token, as the RFC
has it; the link's own secret is what allows it.
"""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from patients import limits, links
from patients.acts import ONE_CLICK
from patients.models.patient import Channel
from patients.views.personal import language_of_a_stranger, only_clinic, put_off
from reminders.email_words import email_words
from reminders.optouts import stop


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    done = request.method == "POST"
    if not done and limits.is_too_often(request):
        return put_off(request)
    patient = links.find_patient(token)
    if done and patient is not None and patient.email:
        address = patient.address(Channel.EMAIL)
        stop(patient.clinic, address, channel=Channel.EMAIL, how=ONE_CLICK)
    # An unknown link is answered alike, in the language its address asks for: one learns nothing.
    language = language_of_a_stranger(request, only_clinic())
    context = {"done": done, "language": language, "say": email_words(language)}
    response = render(request, "patient/unsubscribe.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    patch_vary_headers(response, ["Accept-Language"])
    return response
