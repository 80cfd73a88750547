"""The patient's addresses; `patients.links` and `patients.page_frame` write the same ones."""

from django.urls import path

from patients.views import answers, kept, page, phone, report

urlpatterns = [
    path("r/<str:token>", page.recovery_page, name="recovery-page"),
    path("r/<str:token>/read", page.read, name="recovery-read"),
    path("r/<str:token>/wrong", report.wrong, name="recovery-wrong"),
    path("r/<str:token>/sent", report.sent, name="recovery-sent"),
    path("r/<str:token>/check-in", answers.check_in, name="recovery-check-in"),
    path("r/<str:token>/choices", answers.choices, name="recovery-choices"),
    path("r/<str:token>/not-you", answers.not_you, name="recovery-not-you"),
    path("r/<str:token>/calendar.ics", kept.calendar, name="calendar"),
    path("r/<str:token>/print", kept.paper, name="paper"),
    path("r/<str:token>/kept", phone.kept, name="kept"),
    path("r/<str:token>/kept/wrong", phone.kept_wrong, name="kept-wrong"),
    path("r/<str:token>/kept/unsent", phone.kept_unsent, name="kept-unsent"),
    path("r/<str:token>/manifest.webmanifest", phone.manifest, name="manifest"),
    path("worker.js", phone.worker, name="worker"),
]
