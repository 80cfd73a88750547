"""The staff's addresses, and the two that Twilio calls."""

from django.urls import path

from reminders.views import (
    acts,
    board,
    concerns,
    desk,
    email_webhook,
    handover,
    health,
    home,
    story,
    unsubscribe,
    webhooks,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("desk/", desk.desk, name="desk"),
    path("desk/search/", desk.search, name="desk-search"),
    path("desk/check/", desk.check, name="desk-check"),
    path("desk/patients/<int:pk>/", desk.returning, name="desk-returning"),
    path("board/", board.board, name="board"),
    path("board/changes/", board.changes, name="board-changes"),
    path("concerns/", concerns.concerns, name="concerns"),
    path("concerns/<int:pk>/close/", concerns.close, name="concern-close"),
    path("concerns/<int:pk>/correct/", concerns.correct_text, name="concern-correct"),
    path("treatments/<int:pk>/", story.story, name="story"),
    path("treatments/<int:pk>/handover/", story.handover, name="story-handover"),
    path("treatments/<int:pk>/undo/", handover.undo, name="undo"),
    path("treatments/<int:pk>/email/", handover.by_email, name="story-email"),
    path("treatments/<int:pk>/correct/", story.correct, name="correct"),
    path("treatments/<int:pk>/answer/", acts.answer, name="answer"),
    path("treatments/<int:pk>/note/", acts.note, name="note"),
    path("treatments/<int:pk>/task/", acts.task, name="task"),
    path("treatments/<int:pk>/number/", acts.number, name="number"),
    path("tasks/<int:pk>/done/", acts.task_done, name="task-done"),
    path("reminders/<int:pk>/again/", acts.again, name="again"),
    path("treatments/<int:pk>/void/", story.void, name="void"),
    path("u/<str:token>", unsubscribe.unsubscribe, name="unsubscribe"),
    path("health", health.health, name="health"),
    path("webhooks/email/<slug:provider>", email_webhook.email_webhook, name="email-webhook"),
    path("webhooks/twilio/status/<uuid:token>", webhooks.twilio_status, name="twilio-status"),
    path("webhooks/twilio/inbound", webhooks.twilio_inbound, name="twilio-inbound"),
]
