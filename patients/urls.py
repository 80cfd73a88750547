"""The patient's addresses; `patients.links` writes the same ones into messages."""

from django.urls import path

from patients import views

urlpatterns = [
    path("r/<str:token>", views.recovery_page, name="recovery-page"),
]
