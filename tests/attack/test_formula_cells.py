"""What patients are called must never run in the spreadsheet of whoever opens an export."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from patients.models import ImportRow, Patient
from patients.models.clinic import Role
from tests.attack.scene import Scene, address, make_scene, signed_in

pytestmark = pytest.mark.thorough

RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "\0")
NAMED = [
    "=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1",
    "＋1", "－1", "＠SUM(1)", '"=1"', "'=1", "\u00a0=1", "\ufeff=1", "%0A=1", "|=1", ";=1", ",=1",
    "\u200b=1", "\x0b=1", "\x1f=1",
]  # fmt: skip


def cells_of(client: Client, path: str) -> list[str]:
    text = client.get(path).getvalue().decode("utf-8-sig")
    # As each of the spreadsheets splits it, whatever it takes for the delimiter.
    return [
        cell
        for delimiter in (",", ";", "\t")
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for cell in row
    ]


def is_live(cell: str) -> bool:
    """Whether a spreadsheet could take it for a formula, with what it strips in front gone."""
    bare = cell.lstrip(" \u00a0\ufeff\u200b\x0b\x1f\"'" if not cell.startswith("'") else "")
    return bare.startswith(RUNS)


@pytest.mark.parametrize("name", ["export", "import-bad", "audit-csv"])
def test_no_cell_of_an_export_is_a_formula(db: None, name: str) -> None:
    live, seen = [], 0
    for number, words in enumerate(NAMED):
        scene = make_scene(slug=f"clinic{number}", number=number % 9, words=words)
        Patient.objects.filter(clinic=scene.clinic).update(first_name=words, last_name=words)
        cells = cells_of(signed_in(scene.staff[Role.ADMIN]), address(name, scene))
        live += [(words, cell) for cell in cells if is_live(cell)]
        seen += len(cells)
    assert seen > len(NAMED)
    assert live == []


def test_a_list_that_was_left_out_is_the_same_after_a_way_through_a_spreadsheet(
    ours: Scene,
) -> None:
    """The sign that disarms a cell is taken off again when the list is sent once more."""
    ImportRow.objects.filter(file=ours.file).update(cells=["=1+1", "O'Hara", "-5"])
    client = signed_in(ours.staff[Role.ADMIN])
    text = client.get(address("import-bad", ours)).getvalue()
    sent = io.BytesIO(text)
    sent.name = "again.csv"
    client.post(address("imports", ours), {"file": sent})
    again = ImportRow.objects.exclude(file=ours.file).get()
    assert again.cells[:3] == ["=1+1", "O'Hara", "-5"]
