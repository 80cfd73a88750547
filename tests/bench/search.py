"""The desk's search among many patients, against the same among few.

The whole request, answered in this process: session, user, the search, the page's fragment. What
counts is processor time, ours and PostgreSQL's (`least_ms`). What a search costs depends on whom
it is for, so that some dozens are searched for, from the rarest first name to the most common one,
in the same shares among many and among few. The middle one is judged, and the dearest is said, with
the plans PostgreSQL chose for it among the many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from django.test import Client
from django.urls import reverse

from patients.models import Patient
from reminders.finding import find_patients
from tests.builders import make_staff

from . import rows
from .meters import least_ms, median
from .plans import plans_of
from .sizes import Sizes
from .stage import Stage
from .table import Row, Target, Tell, number

MOST = Target(at_most=2)
WARM = 1
SLIP = "a slip of the hand"
Spent = Mapping[str, Sequence[tuple[float, str]]]  # by kind, for each name: ms, what was typed


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    little = _look(stage, sizes.little_patients, sizes)
    much = _look(stage, sizes.patients, sizes)
    few = f"{sizes.little_patients:,} patients"
    for kind, spent in much.items():
        usual, usual_of_few = _middle(spent), _middle(little[kind])
        dearest, dearest_of_few = (number(max(one)[0]) for one in (spent, little[kind]))
        tell(
            Row(
                f"search by {kind}, {sizes.patients:,} patients", usual, "ms",
                f"{few}: {number(usual_of_few)} ms", usual / usual_of_few, MOST,
                f"The dearest of {len(spent)}: {dearest} ms ({few}: {dearest_of_few} ms).",
            )
        )  # fmt: skip
    for kind, spent in much.items():
        print("\n".join([f"By {kind}:", *plans_of(partial(_find, max(spent)[1]))]))


def _look(stage: Stage, many: int, sizes: Sizes) -> Spent:
    stage.fresh()
    rows.make_patients(many)
    clinic = rows.clinic_at_noon()
    client = Client(headers={"Host": "localhost"})
    client.force_login(clinic.staff.first() or make_staff(clinic=clinic))
    spent: dict[str, list[tuple[float, str]]] = {}
    for patient in _drawn(sizes.names):
        for kind, typed in _typed(patient).items():
            if not find_patients(clinic, typed).patients and kind != SLIP:
                raise RuntimeError(f"Nobody was found by {kind}.")
            ask = partial(_ask, client, typed)
            for _ in range(WARM):
                ask()
            spent.setdefault(kind, []).append((least_ms(ask, sizes.searches), typed))
    return spent


def _drawn(names: int) -> list[Patient]:
    """At even distances in the row of all patients, from the rarest first name on."""
    everybody = list(Patient.objects.order_by("pk").values_list("first_name", "pk"))
    shared = Counter(name for name, _ in everybody)
    everybody.sort(key=lambda one: (shared[one[0]], one))
    places = ((2 * at + 1) * len(everybody) // (2 * names) for at in range(names))
    return [Patient.objects.get(pk=everybody[place][1]) for place in places]


def _typed(patient: Patient) -> Mapping[str, str]:
    first, last = patient.first_name, patient.last_name
    slip = f"{last[:2]}{last[3]}{last[2]}{last[4:]}"
    return {
        "three letters": first[:3],
        "whole name": f"{first} {last}",
        "end of number": str(patient.phone)[-4:],
        SLIP: f"{first} {slip}",
    }


def _middle(spent: Sequence[tuple[float, str]]) -> float:
    return median([ms for ms, _ in spent])


def _ask(client: Client, typed: str) -> None:
    answer = client.post(reverse("desk-search"), {"find": typed}, headers={"HX-Request": "true"})
    if answer.status_code != 200:
        raise RuntimeError(f"The desk answered {answer.status_code}.")


def _find(typed: str) -> None:
    find_patients(rows.clinic_at_noon(), typed)
