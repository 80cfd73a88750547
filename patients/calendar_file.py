"""Every step still ahead as one iCalendar file (RFC 5545), for the phone's own calendar.

Calendars are shared and shown on locked screens: titles say nothing of the treatment and no link
is inside. Instants are in UTC, so a phone in any zone shows them right. An event keeps its UID
over a correction of the treatment's time, so that adding the file again moves it.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from icalendar import Calendar, Event

from patients.keep_words import keep_words
from patients.models import Treatment
from patients.page_frame import Frame
from patients.timeline import fill_text, gates

LENGTH = timedelta(minutes=15)


def calendar_file(frame: Frame) -> bytes:
    """The steps ahead of the frame's moment; one query."""
    treatment, patient, now = frame.treatment, frame.treatment.patient, frame.now
    corrections = treatment.corrections.count()
    calendar = Calendar()
    calendar.add("prodid", "-//Aftercare//Recovery//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    say = keep_words(frame.language)
    text = fill_text(say.event_text, patient.clinic.words)
    for gate, fact in gates(frame.protocol).items():
        starts_at = gate.resolve(treatment.treated_at, patient.tz)
        if starts_at <= now:
            continue
        event = Event()
        event.add("uid", _uid(treatment, fact))
        event.add("sequence", corrections)  # of two a calendar keeps the higher
        event.add("dtstamp", now.replace(microsecond=0))
        event.add("dtstart", starts_at)
        event.add("dtend", starts_at + LENGTH)
        event.add("summary", say.event)
        event.add("description", text)
        event.add("class", "PRIVATE")
        event.add("transp", "TRANSPARENT")  # it keeps no hour busy
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _uid(treatment: Treatment, fact: str) -> str:
    # A digest of the treatment's random name: it opens nothing and leads nowhere back.
    return f"{uuid.uuid5(treatment.ref, fact)}@aftercare"
