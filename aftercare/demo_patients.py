"""The demo's patients: one at every phase, and one for each thing that a board shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from patients.protocol import Session


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """`ago`: how long ago the treatment ended; `failed`: rules whose message failed, and how.

    What the patient did, and how long after the treatment: stopped texts, read the page, answered
    a check-in (`answered`: its rule), wrote to the clinic (`wrote`: the text).
    """

    first: str
    last: str
    phone: str
    ago: timedelta
    session: Session = Session.FIRST
    email: str = ""
    channel: str = "sms"
    recovery: bool = True
    rebooking: bool = True
    logged_after: timedelta = timedelta(minutes=4)
    stopped_after: timedelta | None = None
    failed: tuple[tuple[str, str], ...] = ()
    read_after: timedelta | None = None
    answered: tuple[str, timedelta] | None = None
    wrote: tuple[str, timedelta] | None = None


H, D = timedelta(hours=1), timedelta(days=1)
PATIENTS = (
    DemoPatient("Maria", "Gomez", "+12025550146", 20 * H / 60),
    # One hour after treatment their second message leaves: within a minute of the start.
    DemoPatient("Ana", "Petrov", "+12025550147", H - timedelta(seconds=40)),
    DemoPatient(
        "Iris", "Novak", "", H - timedelta(seconds=44), email="iris@example.org", channel="email"
    ),
    DemoPatient("Priya", "Shah", "+12025550148", 3 * H, logged_after=50 * H / 60, read_after=H),
    DemoPatient("Grace", "Kim", "+12025550149", 9 * H, email="grace@example.org", channel="email"),
    DemoPatient("Devon", "King", "+12025550194", 22 * H, failed=(("handover", "30003"),)),
    DemoPatient(
        "Ruth",
        "Cohen",
        "+12025550150",
        2 * D,
        session=Session.SECOND,
        wrote=("Is it fine to go for a run tomorrow?", 2 * D - 9 * H / 60),
    ),
    DemoPatient("Tom", "Walsh", "+12025550151", 4 * D, stopped_after=2 * D),
    DemoPatient("Sam", "Okafor", "+12025550152", 5 * D, recovery=False, rebooking=False),
    DemoPatient("Leila", "Haddad", "+12025550153", 8 * D, session=Session.THIRD),
    DemoPatient(
        "Noor",
        "Rahman",
        "+12025550154",
        24 * D,
        rebooking=False,
        answered=("week-1", 8 * D + 2 * H),
    ),
    DemoPatient("Elena", "Markovic", "+12025550155", 68 * D, session=Session.MAINTENANCE),
)
