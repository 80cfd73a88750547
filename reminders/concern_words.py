"""Concerns as staff read them: what it is, what was said, what usually helps, who is on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Case, F, QuerySet, When
from phonenumber_field.phonenumber import to_python

from patients import words
from patients.models import Clinic, Patient, Report
from patients.models.answers import HOLDING_TIERS
from patients.page_report import signs_said
from reminders.answering import Answering
from reminders.models import Concern
from reminders.provider_errors import explain
from reminders.state_words import EMERGENCY, URGENT, Look

OF_A_PATIENT = 20
STRANGER = "A number we do not know"
NO_PATIENT = "No patient has this number, so nothing is sent to it: call instead."
NO_TREATMENT = "No treatment of theirs stands here, so nothing can be sent: call instead."
HOLDS = "Until it is closed, their other messages wait."
# A form only records: whoever sees it calls. What the page has said already is good to know then.
CALL = {
    Report.Tier.EMERGENCY: "Call the patient now. Their page says to call {emergency_number}.",
    Report.Tier.PAGE_NURSE: "Call the patient now. Their page says to page the on-call nurse.",
}
LOOKS = {Report.Tier.EMERGENCY: EMERGENCY, Report.Tier.PAGE_NURSE: URGENT}


@dataclass(frozen=True, slots=True)
class Shown:
    """`said`: the patient's own words; `do`: what usually helps; `on_it`: who has taken it on;
    `ended`: who closed it and why, empty while it is open; `wrong_address`: the number or email
    is to be put right; `urgent`: how it looks as long as it cannot wait; `can_call`: there is a
    number or an email address to show; `answer_by`: "by text", or why nothing may be sent.
    """

    pk: int
    title: str
    who: str
    treatment: int | None
    when: str
    said: str
    do: str
    on_it: str
    ended: str
    wrong_address: bool
    can_correct: bool
    urgent: Look | None
    can_call: bool
    answer_by: str
    no_answer: str

    @property
    def number_id(self) -> str:
        """The place on a page for the number in full."""
        return f"number-{self.pk}"


class InFull(NamedTuple):
    """How somebody is reached, nothing masked: the number to read and to dial, the address."""

    who: str
    phone: str
    dial: str
    email: str


def in_full(patient: Patient) -> InFull:
    return _in_full(patient.full_name, patient.address("sms"), patient.email)


def whom_to_call(one: Concern) -> InFull:
    """The patient, or else the number that the text came from."""
    if one.patient:
        return in_full(one.patient)
    return _in_full(STRANGER, one.text.from_address if one.text else "", "")


def _in_full(who: str, dial: str, email: str) -> InFull:
    number = to_python(dial)
    return InFull(
        who, number.as_international if number and number.is_valid() else dial, dial, email
    )


def with_words(concerns: QuerySet[Concern]) -> QuerySet[Concern]:
    """With all that `show` reads, in the same question."""
    return concerns.select_related(
        "patient", "reminder", "text", "report__treatment__version", "acknowledged_by", "closed_by"
    ).defer("report__treatment__version__source")


def of_patient(patient: int, clinic: Clinic, *, now: datetime) -> list[Shown]:
    """The patient's latest concerns, the open ones first."""
    rows = with_words(Concern.objects.filter(patient=patient, clinic=clinic))
    open_first = F("closed_at").desc(nulls_first=True)
    return [show(one, clinic, now=now) for one in rows.order_by(open_first, "-id")[:OF_A_PATIENT]]


def most_urgent(concerns: QuerySet[Concern], most: int) -> list[Concern]:
    """Emergencies first, then what else cannot wait, then what nobody is on, then the oldest.

    What could not be delivered comes behind what a patient said; beyond `most` it is left out.
    """
    tier = (When(report__tier=one, then=place) for place, one in enumerate(HOLDING_TIERS))
    is_taken = Case(When(acknowledged_at=None, then=0), default=1)
    is_ours = Case(When(kind__in=[Concern.Kind.FAILED, Concern.Kind.UNKNOWN], then=1), default=0)
    order = (Case(*tier, default=len(HOLDING_TIERS)), is_taken, is_ours, "id")
    return list(with_words(concerns).order_by(*order)[:most])


def show(
    one: Concern,
    clinic: Clinic,
    *,
    now: datetime,
    treatment: int | None = None,
    answering: Answering | None = None,
) -> Shown:
    """`treatment`: whose story it leads to; `answering`: how the patient may be answered, if there
    is a treatment that stands.
    """
    channel = one.reminder.channel if one.reminder else "sms"
    return Shown(
        pk=one.pk,
        title=one.report.get_tier_display() if one.report else one.get_kind_display(),
        who=one.patient.full_name if one.patient else STRANGER,
        treatment=treatment,
        when=_when(one.opened_at, clinic, now),
        said=_said(one, clinic),
        do=_do(one, clinic, channel),
        on_it=_by(one.acknowledged_by, one.acknowledged_at, clinic, now),
        ended=_ended(one, clinic, now),
        wrong_address=_is_wrong_address(one, channel),
        can_correct=one.kind == Concern.Kind.MOVED,
        urgent=_urgent(one),
        can_call=any(whom_to_call(one)[1:]),
        answer_by=answering.by if answering else "",
        no_answer=_no_answer(one, answering),
    )


def _no_answer(one: Concern, answering: Answering | None) -> str:
    if answering is None:
        return NO_TREATMENT if one.patient else NO_PATIENT
    return answering.why_not


def _urgent(one: Concern) -> Look | None:
    if one.report is None or one.closed_at is not None:
        return None
    return LOOKS.get(Report.Tier(one.report.tier))


def _holds(one: Concern) -> bool:
    return one.report is not None and one.report.tier in HOLDING_TIERS


def _do(one: Concern, clinic: Clinic, channel: str) -> str:
    if one.kind == Concern.Kind.FAILED:
        return explain(one.detail, channel).do
    if one.report is None or not _holds(one):
        return ""
    call = CALL[Report.Tier(one.report.tier)]
    return f"{call.format(emergency_number=clinic.emergency_number)} {HOLDS}"


def _is_wrong_address(one: Concern, channel: str) -> bool:
    failed = one.kind == Concern.Kind.FAILED and explain(one.detail, channel).is_wrong_address
    return failed or one.kind == Concern.Kind.NOT_ME


def _by(who: object, at: datetime | None, clinic: Clinic, now: datetime) -> str:
    return f"{who}, {_when(at, clinic, now)}" if who and at else ""


def _ended(one: Concern, clinic: Clinic, now: datetime) -> str:
    if one.closed_at is None:
        return ""
    by = _by(one.closed_by, one.closed_at, clinic, now) or _when(one.closed_at, clinic, now)
    return f"{by}. {one.closed_reason}".strip()


def _when(at: datetime, clinic: Clinic, now: datetime) -> str:
    return words.moment(at.astimezone(clinic.tz), now.astimezone(clinic.tz), "en")


def _said(one: Concern, clinic: Clinic) -> str:
    """The patient's own text, or the signs that were ticked, a line each."""
    if one.report is not None:
        protocol = one.report.treatment.version.protocol
        return "\n".join(signs_said(protocol, one.report.signs, "en", clinic.words))
    if one.kind == Concern.Kind.CHECK_IN:
        return one.detail
    return one.text.body if one.text else ""
