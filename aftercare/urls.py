"""Every address of the site."""

from django.urls import include, path

handler400 = "aftercare.errors.refused"

urlpatterns = [
    path("", include("reminders.webhook_urls")),  # first: asked for most often
    path("", include("patients.urls")),
    path("", include("reminders.urls")),
    path("accounts/", include("aftercare.account_urls")),
]
