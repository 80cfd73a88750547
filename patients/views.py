"""The patient's page, opened by its personal link. Opening it changes nothing."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from patients import links
from patients.models import Clinic
from patients.page import page_of
from patients.page_calls import dead_page


@login_not_required
@csrf_exempt  # it accepts no form: any other method is answered with 405, token or not
@gzip_page  # nothing on the page echoes the request, so its length betrays nothing
@require_safe
def recovery_page(request: HttpRequest, token: str) -> HttpResponse:
    """GET and HEAD; both may come from a mail scanner or a chat's preview. `?lang=es` switches."""
    treatment = links.find(token)
    if treatment is None:
        return rendered("patient/dead.html", dead_page(only_clinic()), status=404)
    return rendered(
        "patient/page.html",
        page_of(treatment, now=timezone.now(), language=request.GET.get("lang", "")),
    )


def rendered(template: str, page: object, *, status: int = 200) -> HttpResponse:
    """Rendered without the request: nothing on the page needs a session or sets a cookie."""
    response = HttpResponse(render_to_string(template, {"page": page}), status=status)
    return keep_out(response)


def keep_out(response: HttpResponse) -> HttpResponse:
    """Of shared caches and search engines."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def only_clinic() -> Clinic | None:
    clinics = list(Clinic.objects.all()[:2])
    return clinics[0] if len(clinics) == 1 else None
