"""The staff's addresses, and the two that Twilio calls."""

from django.urls import path

from reminders.views import webhooks

urlpatterns = [
    path("webhooks/twilio/status/<uuid:token>", webhooks.twilio_status, name="twilio-status"),
    path("webhooks/twilio/inbound", webhooks.twilio_inbound, name="twilio-inbound"),
]
