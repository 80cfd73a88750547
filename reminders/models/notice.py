"""What one of the staff is told of their own sign-in."""

from __future__ import annotations

from django.db import models

from patients.models import StaffUser


class Notice(models.Model):
    """One change, mailed to whoever it is about; waits here until it has gone.

    `taken_until`: a worker is at it; if it dies, another one comes then.
    """

    class Kind(models.TextChoices):
        """Each in the words of the mail."""

        PASSWORD = "password", "Your password was changed."
        APP_ADDED = "app added", "An app with codes was added to your sign-in."
        APP_REMOVED = "app removed", "The app with codes was removed from your sign-in."
        PASSKEY_ADDED = "passkey added", "A passkey was added to your sign-in."
        PASSKEY_REMOVED = "passkey removed", "A passkey was removed from your sign-in."
        CODES = "codes", "New recovery codes were made; the old ones no longer work."
        CODE_USED = "code used", "A recovery code was used in the place of your second step."
        STARTED_ANEW = (
            "started anew",
            ("Your sign-in was started anew: it has a new first password and no second step."),
        )

    person = models.ForeignKey(StaffUser, models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=16)
    at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    taken_until = models.DateTimeField(null=True)
