"""The trail: who looked at or changed what, and when. Rows are only ever added.

No name, number or address of a patient is in it: they are named by their row's number. Nothing
here is tied to what it tells of, so that neither can hold the other back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.crypto import constant_time_compare, salted_hmac

from patients.models.clinic import Clinic, StaffUser
from patients.models.patient import AppendOnly, Patient


class AuditAct(models.TextChoices):
    """All that a row can say has happened."""

    BOARD = "board", "Looked at the board"
    STORY = "story", "Opened the record"
    NUMBER = "number", "Showed the number in full"
    FORM = "form", "Opened a form of the record"
    DESK = "desk", "Opened the desk"
    SEARCH = "search", "Searched at the desk"
    MISSED = "missed", "Looked at who missed a message"
    CONCERNS = "concerns", "Looked at the concerns"
    TASKS = "tasks", "Looked at the tasks"
    DAY_SHEET = "day sheet", "Opened the day sheet"
    EXPORT = "export", "Exported the board"
    LIST = "list", "Looked at a list"
    TRAIL = "trail", "Read the audit trail"
    PERSON = "person", "Exported one person’s data"
    OTHER = "other", "Opened another page"

    ADDED = "added", "Added the patient"
    LOGGED = "logged", "Logged a treatment"
    DETAILS = "details", "Changed the patient’s details"
    CONSENT = "consent", "Recorded consent"
    LINK_ISSUED = "link issued", "Issued a link"
    LINK_REVOKED = "link revoked", "Revoked a link"
    CORRECTED = "corrected", "Corrected the time"
    VOIDED = "voided", "Voided a treatment"
    SENT = "sent", "Sent a message once more"
    ANSWERED = "answered", "Answered in their own words"
    NOTE = "note", "Wrote a note"
    TASK = "task", "Made a task"
    TASK_DONE = "task done", "Ended a task"
    TAKEN = "taken", "Took on a concern"
    CLOSED = "closed", "Closed a concern"
    STOPPED = "stopped", "Stopped messages"
    STARTED = "started", "Started messages again"
    LIST_UPLOADED = "list uploaded", "Uploaded a list"
    LIST_CHECKED = "list checked", "Named a list’s columns"
    LIST_ACCEPTED = "list accepted", "Accepted a list"
    LIST_AGAIN = "list again", "Tried a list again"
    LIST_BACK = "list back", "Took a list back"
    LIST_TAKEN_IN = "list taken in", "Took in a list"
    LIST_FORGOTTEN = "list forgotten", "Threw a list away"
    CLINIC = "clinic", "Changed the clinic"
    STAFF_ADDED = "staff added", "Added somebody to the staff"
    STAFF_CHANGED = "staff changed", "Changed somebody of the staff"
    STAFF_RESET = "staff reset", "Gave a new password, without second factor"
    TEST_TEXT = "test text", "Sent a test text"
    PUBLISHED = "published", "Published a protocol"
    HELD = "held", "Put a record on hold"
    HOLD_LIFTED = "hold lifted", "Lifted a hold"
    REDACTED = "redacted", "Redacted a record after its time"
    ERASED = "erased", "Erased a record on request"

    SIGNED_IN = "signed in", "Signed in"
    SIGNED_OUT = "signed out", "Signed out"
    SIGN_IN_FAILED = "sign-in failed", "Failed to sign in"
    PASSWORD = "password", "Changed a password"
    FACTOR_ADDED = "factor added", "Added a second factor"
    FACTOR_REMOVED = "factor removed", "Removed a second factor"
    CODE_USED = "code used", "Used a recovery code"


class AuditRow(AppendOnly):
    """One act. `mac` is over all the rest, under a key that the database does not have."""

    class Who(models.TextChoices):
        """Who acts without being staff."""

        PATIENT = "patient", "The patient"
        SYSTEM = "system", "The site itself"
        NOBODY = "", "Nobody signed in"

    at = models.DateTimeField()
    clinic = models.ForeignKey(
        Clinic,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    user = models.ForeignKey(
        StaffUser,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    role = models.CharField(max_length=8, blank=True, help_text="As it was then.")
    act = models.CharField(max_length=16, help_text="An `AuditAct`.")
    patient = models.ForeignKey(
        Patient,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    # Several patients at once, each an `AuditMember`; the same ones again are the same group.
    group = models.BigIntegerField(null=True)
    about = models.CharField(max_length=40, blank=True, help_text="Like “treatment 12”.")
    address = models.CharField(max_length=45, blank=True, help_text="The client's IP address.")
    request = models.CharField(max_length=36, blank=True)
    mac = models.CharField(max_length=64)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["clinic", "-id"], name="audit_of_a_clinic"),
            models.Index(fields=["user", "-id"], name="audit_of_a_user"),
            models.Index(fields=["patient", "-id"], name="audit_of_a_patient"),
            models.Index(fields=["group"], name="audit_of_a_group"),
        ]

    @property
    def said(self) -> str:
        """What happened, in words; a word of a later version stands for itself."""
        return str(dict(AuditAct.choices).get(self.act, self.act))

    def true_mac(self) -> str:
        said = (
            self.at.isoformat(), self.clinic_id, self.user_id, self.role, self.act,
            self.patient_id, self.group, self.about, self.address, self.request,
        )  # fmt: skip
        return seal("row", *said)

    def is_true(self) -> bool:
        return constant_time_compare(self.mac, self.true_mac())


class AuditMember(AppendOnly):
    """One patient of a group that was shown together."""

    group = models.BigIntegerField()
    patient = models.ForeignKey(
        Patient, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["group", "patient"], name="one_row_a_member")
        ]
        indexes: ClassVar = [models.Index(fields=["patient"], name="audit_groups_of_a_patient")]


class AuditLink(AppendOnly):
    """A row's place in the chain: its `hash` covers the row and the hash before."""

    number = models.BigIntegerField(primary_key=True)
    row = models.OneToOneField(
        AuditRow, models.DO_NOTHING, related_name="link", db_constraint=False
    )
    hash = models.CharField(max_length=64)
    linked_at = models.DateTimeField()


def seal(*said: object) -> str:
    """HMAC-SHA-256 in hex, under a key of its own that follows from LINK_KEY: whoever can write
    into the database still cannot write a row that proves true.
    """
    words = "\x1f".join("" if one is None else str(one) for one in said)
    mac = salted_hmac("patients.audit", words, secret=settings.LINK_KEY, algorithm="sha256")
    return str(mac.hexdigest())


def group_of(patients: Iterable[int]) -> int:
    """The number of a group: 63 bits of SHA-256 over its members, so it names exactly them."""
    said = ",".join(map(str, sorted(set(patients))))
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8]) >> 1
