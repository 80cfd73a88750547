"""What was to be sent, what became of it, and what people must do about it. One file a subject."""

from reminders.models.concern import Concern, InboundText
from reminders.models.notice import Notice
from reminders.models.reminder import (
    ANSWER,
    ANSWER_RULE,
    LAST_MINUTE,
    MOVES,
    Attempt,
    Receipt,
    Reminder,
    ReminderQuerySet,
    State,
    may_become,
)
from reminders.models.running import Alarm, Alert, Circuit, Escalation, Heartbeat, Pace
from reminders.models.work import Note, Task

__all__ = [
    "ANSWER",
    "ANSWER_RULE",
    "LAST_MINUTE",
    "MOVES",
    "Alarm",
    "Alert",
    "Attempt",
    "Circuit",
    "Concern",
    "Escalation",
    "Heartbeat",
    "InboundText",
    "Note",
    "Notice",
    "Pace",
    "Receipt",
    "Reminder",
    "ReminderQuerySet",
    "State",
    "Task",
    "may_become",
]
