"""The moments the page's script compares with the clock, in milliseconds since 1970.

The script knows no rule. It corrects the phone's clock by ours (`now`), and what has a moment in
it shows from that moment until another.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from patients.clock import next_clock
from patients.page_frame import Frame
from patients.timeline import turns

STALE_AFTER = timedelta(hours=1)  # "3 hours after treatment" is no longer true


@dataclass(frozen=True, slots=True)
class Phone:
    """`until`: when this page has something new to say. `key`: names the patient's ticks on the
    phone, and leads nowhere back. `day`: what the ticks belong to."""

    now: int
    until: int
    home: str
    key: str
    day: str


def phone_of(frame: Frame) -> Phone:
    treatment, zone = frame.treatment, frame.treatment.patient.tz
    midnight = next_clock(frame.now + timedelta(seconds=1), time(0), zone)
    ahead = [at for at in turns(frame.protocol, treatment.treated_at, zone) if at > frame.now]
    return Phone(
        now=instant(frame.now),
        until=instant(min([midnight, frame.now + STALE_AFTER, *ahead])),
        home=f"/r/{frame.doors.token}",
        key=uuid.uuid5(treatment.ref, "on the phone").hex,
        day=frame.now.astimezone(zone).date().isoformat(),
    )


def instant(at: datetime) -> int:
    return int(at.timestamp() * 1000)
