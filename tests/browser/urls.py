"""The site's addresses, and its error pages where a browser can open them."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import include, path


@login_not_required
def error(request: HttpRequest, status: int) -> HttpResponse:
    """What the site answers when that happens."""
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


urlpatterns = [
    path("error/<int:status>", error),
    path("", include("aftercare.urls")),
]
