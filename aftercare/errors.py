"""What Django writes about an error of the site's own, should anybody have it mailed or shown:
where it broke, as the logs have it. No variable, no form field, no address of the request.
And what is logged of a request that was refused: one line, with no word of the sender's.
"""

from __future__ import annotations

import logging
import sys

from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.log import log_response
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter
from django.views.defaults import bad_request

from aftercare.logs import masked, trace

# Whoever sends nonsense chooses its words: the log has ours.
REFUSED = {
    DisallowedHost: "Refused with 400: it names a host that is not ours (ALLOWED_HOSTS).",
    BadRequest: "Refused with 400: what is asked cannot be meant.",
}
UNREADABLE = "Refused with 400: it cannot be read, or is larger than any page of ours sends."


class QuietReporter(ExceptionReporter):
    """Django's own page with everything on it only under DEBUG, which no patient ever meets."""

    def get_traceback_html(self) -> SafeString:
        if settings.DEBUG:
            return super().get_traceback_html()
        return format_html("<pre>{}</pre>", str(self.get_traceback_text()))

    def get_traceback_text(self) -> SafeString:
        if settings.DEBUG:
            return super().get_traceback_text()
        error = (self.exc_type, self.exc_value, self.tb) if self.exc_value else sys.exc_info()
        record = logging.LogRecord(__name__, logging.ERROR, "", 0, "", None, error)  # type: ignore[arg-type]
        # Plain text, which nobody reads as HTML: the page above escapes it.
        return SafeString(masked("\n".join(trace(record))))  # nosec B703


class NobodysData(SafeExceptionReporterFilter):
    """For whatever else asks the request: its fields and cookies are hidden, all of them."""

    def get_post_parameters(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        hidden = dict.fromkeys(super().get_post_parameters(request), self.cleansed_substitute)
        return hidden if self.is_active(request) else super().get_post_parameters(request)

    def get_safe_cookies(self, request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        hidden = dict.fromkeys(super().get_safe_cookies(request), self.cleansed_substitute)
        return hidden if self.is_active(request) else super().get_safe_cookies(request)

    def get_traceback_frame_variables(self, request, tb_frame):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        return (
            []
            if self.is_active(request)
            else super().get_traceback_frame_variables(request, tb_frame)
        )


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for 400. Logged here, so that Django adds no trace and no address of its own."""
    response = bad_request(request, exception)
    log_response(REFUSED.get(type(exception), UNREADABLE), response=response, request=request)
    return response
