"""The site's addresses, and the bare view that the recovery page is measured against."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


@login_not_required
def bare(request: HttpRequest, size: int) -> HttpResponse:
    """A string of `size` bytes: what any page costs before it says anything."""
    return HttpResponse("x" * size)


urlpatterns = [
    path("bare/<int:size>", bare),
    path("", include("aftercare.urls")),
]
