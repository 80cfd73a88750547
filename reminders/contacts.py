"""Put a patient's wrong number or email right, and what follows from it, in one transaction.

What is planned goes to the new one by itself: the claim reads it. What is in flight stays with the
old. What was agreed to at the old one is not agreed to at the new: it is asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from patients import audit, links
from patients.models import AuditAct, Patient, StaffUser, Treatment
from patients.models.patient import Channel
from reminders.again import NotSentAgain, send_again, ways_again
from reminders.bell import ring
from reminders.fields import masked
from reminders.models import Attempt, Note, Reminder, State
from reminders.planning import plan_again
from reminders.treatments import Agreed, record_consents

CONTACT = ("first_name", "last_name", "phone", "email", "channel")
NAMES = {Channel.SMS: "Number", Channel.EMAIL: "Email"}
ABOUT_LETTERS = 40


@dataclass(frozen=True, slots=True)
class Follows:
    """What the desk decided at the read-back."""

    agreed: Agreed
    closes_link: bool
    sends_page: bool


def with_contact(patient: Patient, said: Mapping[str, str]) -> Patient:
    """The record as it would be; `said` by the names of `CONTACT`, the number in E.164."""
    after = copy(patient)
    for name in CONTACT:
        setattr(after, name, said[name])
    return after


def moved(before: Patient, after: Patient) -> list[Channel]:
    """The channels whose number or address is another one, or none any more."""
    return [one for one in Channel if before.address(one) != after.address(one)]


def to_agree_anew(before: Patient, after: Patient) -> list[Channel]:
    """The channels at which it has to be asked whether messages may come."""
    switched = [Channel(after.channel)] if before.channel != after.channel else []
    asked = dict.fromkeys([*moved(before, after), *switched])
    return [one for one in asked if after.address(one)]


def had_link(before: Patient, after: Patient) -> bool:
    """Whether a message with a link has gone, or is going, to where the patient no longer is."""
    ways = [one for one in moved(before, after) if before.address(one)]
    sent = Attempt.objects.filter(
        reminder__treatment__patient=before, to_address__in=[before.address(one) for one in ways]
    )
    sending = Reminder.objects.filter(
        treatment__patient=before, channel__in=ways, state=State.SENDING
    )
    return bool(ways) and (sent.exists() or sending.exists())


def page_to_send(treatment: Treatment, after: Patient, *, now: datetime) -> Reminder | None:
    """The handover that is worth sending once more to `after`; None if there is none, or it goes
    by itself.
    """
    last = _last_handover(treatment.version.key, after)
    if last is None:
        return None
    last.treatment.patient = after
    goes_itself = last.state == State.SKIPPED and now < last.not_after
    return last if ways_again(last, now=now) and not goes_itself else None


def correct_contact(
    *, patient: Patient, said: Mapping[str, str], treatment: Treatment, follows: Follows,
    by: StaffUser, now: datetime,
) -> str:  # fmt: skip
    """Within a transaction that holds `patient`'s row; it is changed in place.

    Returns why the page was not sent once more, if it was asked for and was not.
    """
    before = copy(patient)
    for name in CONTACT:
        setattr(patient, name, said[name])
    patient.save()
    ways = to_agree_anew(before, patient)
    record_consents(patient, follows.agreed, ways, by=by, now=now)
    if follows.closes_link:
        _close_links(patient, by)
    _record(before, patient, treatment, follows, by=by, now=now)
    if ways:
        plan_again([patient], ways, now=now)
    transaction.on_commit(ring)
    return _send_page(patient, treatment, by, now) if follows.sends_page else ""


def _close_links(patient: Patient, by: StaffUser) -> None:
    """All of them: an earlier treatment's link opens the newest one."""
    for one in patient.treatments.select_related("version"):
        one.patient = patient
        links.revoke(one, by=by)


def _record(
    before: Patient, after: Patient, treatment: Treatment, follows: Follows,
    *, by: StaffUser, now: datetime,
) -> None:  # fmt: skip
    """For colleagues in the story, masked; for the trail, what was changed and no value of it."""
    said = [_said(one, before, after) for one in moved(before, after)]
    changed = [NAMES[one].lower() for one in moved(before, after)]
    if before.full_name != after.full_name:
        said.append("Name corrected.")
        changed.append("name")
    if before.channel != after.channel:
        said.append(f"Messages go by {'text' if after.channel == Channel.SMS else 'email'} now.")
        changed.append("channel")
    if follows.closes_link:
        said.append("The old link is closed.")
    if said:
        Note.objects.create(patient=after, text=" ".join(said), by=by, written_at=now)
    acts = [AuditAct.DETAILS]
    if to_agree_anew(before, after):
        acts.append(AuditAct.CONSENT)
    if follows.closes_link:
        acts.append(AuditAct.LINK_ISSUED)
    about = f"treatment {treatment.pk}: {', '.join(changed)}"[:ABOUT_LETTERS]
    audit.record(*acts, clinic=after.clinic_id, by=by, patients=[after], about=about)


def _said(channel: Channel, before: Patient, after: Patient) -> str:
    name = NAMES[channel]
    old, new = (masked(channel, one.address(channel)) for one in (before, after))
    if not (old and new):
        return f"{name} added: {new}." if new else f"{name} removed: {old}."
    if old == new:
        return f"{name} corrected: the hidden part of {new}."
    return f"{name} corrected: {old} is now {new}."


def _last_handover(plan: str, patient: Patient) -> Reminder | None:
    """Of the patient's newest treatment of this plan, whose page every link opens."""
    newest = Treatment.objects.filter(patient=patient, voided_at=None, version__key=plan)
    whole = newest.select_related("version").defer("version__source")
    treatment = whole.order_by("-treated_at", "-pk").first()
    if treatment is None:
        return None
    rule = next(one for one in treatment.version.protocol.reminders if one.is_handover)
    rows = Reminder.objects.filter(treatment=treatment, rule=rule.key, repeats=None)
    last = rows.order_by("-pk").first()
    if last is not None:
        last.treatment = treatment
    return last


def _send_page(patient: Patient, treatment: Treatment, by: StaffUser, now: datetime) -> str:
    last = _last_handover(treatment.version.key, patient)
    if last is None or last.state == State.PLANNED:
        return ""  # it goes by itself
    try:
        send_again(reminder=last, channel=patient.channel, by=by, now=now)
    except NotSentAgain as why:
        return str(why)
    return ""
