"""The patient's addresses; `patients.links` writes the same ones into messages."""

from django.urls import path

from patients import kept_views, views

urlpatterns = [
    path("r/<str:token>", views.recovery_page, name="recovery-page"),
    path("r/<str:token>/calendar.ics", kept_views.calendar, name="calendar"),
]
