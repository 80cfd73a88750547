"""What every view behind a personal link has in common: the link opens it, GET changes nothing,
a POST carries the page's own seal, and an answer is kept by nobody on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from patients import limits, links
from patients.models import Clinic
from patients.page_calls import dead_page
from patients.page_frame import Frame, frame_of
from patients.page_report import bar_of, reported_by
from patients.page_words import PAGE_WORDS
from patients.report_words import REPORT_WORDS
from patients.seal import is_sealed

Act = Callable[[HttpRequest, Frame], HttpResponse]
View = Callable[..., HttpResponse]

SAFE = require_safe
SAFE_OR_POST = require_http_methods(["GET", "HEAD", "POST"])


def personal(methods: Callable[[View], View]) -> Callable[[Act], View]:
    """Open a view to whoever has the link, by these methods.

    Exempt from Django's CSRF cookie: `patients.seal` says what stands in its place.
    """

    def decorate(act: Act) -> View:
        @login_not_required
        @csrf_exempt
        @gzip_page  # nothing a page repeats is free text, so its length betrays nothing
        @methods
        @wraps(act)
        def opened(request: HttpRequest, token: str) -> HttpResponse:
            # What is sent is never put off: it may be a warning sign.
            if request.method != "POST" and limits.is_too_often(request):
                return put_off(request)
            treatment = links.find(token)
            if treatment is None:
                wrong = limits.is_too_wrong(request)
                return put_off(request) if wrong else opens_nothing(request)
            wanted = request.GET.get("lang", "")
            frame = frame_of(treatment, token=token, now=timezone.now(), wanted=wanted)
            if request.method == "POST" and not is_sealed(request, token):
                say = REPORT_WORDS[frame.language]
                return rendered(
                    "patient/refused.html", say, frame=frame, status=HTTPStatus.FORBIDDEN
                )
            return act(request, frame)

        return opened

    return decorate


def rendered(
    template: str, page: object, *, frame: Frame | None = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    """Rendered without the request: nothing on a page needs a session or sets a cookie.

    `frame`: it is a page around the recovery page; its bar, too, calls whom an open report says.
    """
    context: dict[str, object] = {"page": page, "frame": frame}
    if frame is not None:
        report = reported_by(frame)
        context |= {"report": report, "bar": bar_of(frame, report)}
    html = render_to_string(template, context)
    return keep_out(HttpResponse(html, status=status))


def opens_nothing(request: HttpRequest) -> HttpResponse:
    return _nobody_known(request, HTTPStatus.NOT_FOUND)


def put_off(request: HttpRequest) -> HttpResponse:
    """Too many from one address: the emergency signs, the numbers, and when to try again."""
    response = _nobody_known(request, HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(limits.seconds_left())
    return response


def see_other(address: str) -> HttpResponse:
    """After a POST: a reload of what follows sends nothing again."""
    return keep_out(HttpResponseRedirect(address, status=HTTPStatus.SEE_OTHER))


def keep_out(response: HttpResponse) -> HttpResponse:
    """Of shared caches and search engines."""
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _nobody_known(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    clinic = only_clinic()
    language = language_of_a_stranger(request, clinic)
    busy = status == HTTPStatus.TOO_MANY_REQUESTS
    page = dead_page(clinic, language, now=timezone.now(), busy=busy)
    response = rendered("patient/dead.html", page, status=status)
    patch_vary_headers(response, ["Accept-Language"])
    return response


def language_of_a_stranger(request: HttpRequest, clinic: Clinic | None) -> str:
    """What the address says, or the phone, or the clinic: none of them tells whose link it is."""
    preferred = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    wanted = [
        request.GET.get("lang", ""),
        *(name.partition("-")[0] for name, _ in preferred),
        clinic.default_language if clinic else "",
    ]
    return next((one for one in wanted if one in PAGE_WORDS), "en")


def only_clinic() -> Clinic | None:
    clinics = list(Clinic.objects.all()[:2])
    return clinics[0] if len(clinics) == 1 else None
