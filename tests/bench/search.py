"""The desk's search among many patients, against the same among few.

The whole request, answered in this process: session, user, the search, the page's fragment. What
counts is processor time, ours and PostgreSQL's (`least_ms`). The plans PostgreSQL chose among the
many are printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django.test import Client
from django.urls import reverse

from patients.models import Patient
from reminders.finding import find_patients
from tests.builders import make_staff

from . import rows
from .meters import least_ms
from .plans import plans_of
from .sizes import Sizes
from .stage import Stage
from .table import Row, Target, Tell

MOST = Target(at_most=2)
WARM = 5


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    little, _ = _look(stage, sizes.little_patients, sizes)
    much, plans = _look(stage, sizes.patients, sizes)
    for kind, spent in much.items():
        tell(
            Row(
                f"search by {kind}, {sizes.patients:,} patients", spent, "ms",
                f"{sizes.little_patients:,} patients: {little[kind]:.1f} ms",
                spent / little[kind], MOST,
            )
        )  # fmt: skip
    print("\n".join(plans))


def _look(stage: Stage, number: int, sizes: Sizes) -> tuple[dict[str, float], list[str]]:
    stage.fresh()
    rows.make_patients(number)
    clinic = rows.clinic_at_noon()
    staff = clinic.staff.first() or make_staff(clinic=clinic)
    client = Client(headers={"Host": "localhost"})
    client.force_login(staff)
    spent, plans = {}, []
    for kind, typed in _typed(Patient.objects.order_by("-id")[number // 2]).items():
        if not find_patients(clinic, typed).patients and kind != "a slip of the hand":
            raise RuntimeError(f"Nobody was found by {kind}.")
        for _ in range(WARM):
            _ask(client, typed)
        spent[kind] = least_ms(partial(_ask, client, typed), sizes.searches)
        plans += [f"By {kind}:", *plans_of(partial(_find, typed))]
    return spent, plans


def _typed(patient: Patient) -> Mapping[str, str]:
    first, last = patient.first_name, patient.last_name
    slip = f"{last[:2]}{last[3]}{last[2]}{last[4:]}"
    return {
        "three letters": first[:3],
        "whole name": f"{first} {last}",
        "end of number": str(patient.phone)[-4:],
        "a slip of the hand": f"{first} {slip}",
    }


def _ask(client: Client, typed: str) -> None:
    answer = client.post(reverse("desk-search"), {"find": typed}, headers={"HX-Request": "true"})
    if answer.status_code != 200:
        raise RuntimeError(f"The desk answered {answer.status_code}.")


def _find(typed: str) -> None:
    find_patients(rows.clinic_at_noon(), typed)
