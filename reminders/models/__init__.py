"""What was to be sent, what became of it, and what people must do about it. One file a subject."""

from reminders.models.concern import Concern, InboundText
from reminders.models.reminder import (
    LAST_MINUTE,
    MOVES,
    Attempt,
    Receipt,
    Reminder,
    ReminderQuerySet,
    State,
    may_become,
)
from reminders.models.running import Alert, Circuit, Heartbeat, Pace

__all__ = [
    "LAST_MINUTE",
    "MOVES",
    "Alert",
    "Attempt",
    "Circuit",
    "Concern",
    "Heartbeat",
    "InboundText",
    "Pace",
    "Receipt",
    "Reminder",
    "ReminderQuerySet",
    "State",
    "may_become",
]
