"""The addresses that providers call."""

from django.urls import path

from reminders.views import email_webhook, webhooks

urlpatterns = [
    path("webhooks/twilio/status/<uuid:token>", webhooks.twilio_status, name="twilio-status"),
    path("webhooks/twilio/inbound", webhooks.twilio_inbound, name="twilio-inbound"),
    path("webhooks/email/<slug:provider>", email_webhook.email_webhook, name="email-webhook"),
]
