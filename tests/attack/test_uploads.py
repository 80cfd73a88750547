"""Files that are no list, or want to be too much: refused in words, nothing kept, never a 5xx."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.test import Client

from patients.models import ImportFile, ImportRow
from patients.models.clinic import Role
from reminders.import_reading import LONGEST_CELL
from tests.attack.scene import Scene, address, signed_in

pytestmark = [pytest.mark.both_databases, pytest.mark.thorough]
MB = 1024 * 1024
HEADER = b"First name,Last name,Mobile,Treated\n"
ROW = b"Ana,Lopez,(202) 555-0146,11/23/2026 2:05 pm\n"


def zipped() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("list.csv", HEADER + ROW * 100_000)
    return kept.getvalue()


REFUSED: dict[str, Callable[[], bytes]] = {
    "50 MB": lambda: HEADER + ROW * (50 * MB // len(ROW)),
    "a zip named csv": zipped,
    "NULs": lambda: HEADER + b"Ana\x00,Lopez,1,2\n",
    "UTF-16": lambda: "﻿First name,Last name\nAna,Lopez\n".encode("utf-16"),
    "100,000 columns": lambda: b"a," * 100_000 + b"\n" + ROW,
    "100,000 columns further down": lambda: HEADER + ROW + b"," * 100_000 + b"x\n",
    "a line without end": lambda: b"x" * (15 * MB),
    "a quote that never closes": lambda: HEADER + b'"' + ROW * 200_000,
    "more rows than a clinic has": lambda: HEADER + b"a,b\n" * 30_000,
    "nothing": lambda: b"",
    "one byte": lambda: b"x",
    "only line ends": lambda: b"\r\n" * 100_000,
    "only a mark": lambda: b"\xef\xbb\xbf",
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100,
    "only a header": lambda: HEADER,
}
# Odd, and yet a list: taken in as text, cut to its length, and nothing of it is run.
TAKEN = {
    "HTML and script": b"<script>alert(1)</script>,\"<img src=x onerror=alert(1)>\"\n",
    "no UTF-8": b"Jos\xe9,L\xf3pez\n",
    "half a letter": b"Ana\xc3,Lopez\xf0\x9f\n",
    "control signs": b"A\x01\x02\x1b[31m,B\x7f\n",
    "a long cell": b"x" * 100_000 + b",y\n",
    "Windows' and old line ends": b"Ana,Lopez\rEva,Diaz\r\n",
    "quotes in quotes": b'"a""b","c\nd"\n',
    "words of a template": b"{{ settings.SECRET_KEY }},{% debug %}\n",
    "words of a format": b"%s%n{0.__class__},${jndi:ldap://x}\n",
    "words of SQL": b"'; DROP TABLE patients_patient; --,\"\n\"\n",
}  # fmt: skip


@pytest.fixture
def desk(ours: Scene) -> Client:
    return signed_in(ours.staff[Role.DESK])


def send(client: Client, scene: Scene, content: bytes, name: str = "list.csv") -> tuple[int, str]:
    file = io.BytesIO(content)
    file.name = name
    answer = client.post(address("imports", scene), {"file": file})
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_list_is_refused_in_words_and_nothing_of_it_is_kept(
    desk: Client, ours: Scene, kind: str
) -> None:
    before = (ImportFile.objects.count(), ImportRow.objects.count())
    status, page = send(desk, ours, REFUSED[kind]())
    assert status == 200
    assert 'class="error' in page or "errorlist" in page or 'role="alert"' in page
    assert (ImportFile.objects.count(), ImportRow.objects.count()) == before


@pytest.mark.parametrize("kind", TAKEN)
def test_what_is_odd_and_yet_a_list_stays_text_through_every_page(
    desk: Client, ours: Scene, kind: str
) -> None:
    status, _ = send(desk, ours, HEADER + TAKEN[kind])
    assert status == 302
    file = ImportFile.objects.latest("pk")
    cells = [cell for row in file.rows.all() for cell in row.cells]
    assert all(len(cell) <= LONGEST_CELL for cell in cells)
    columns = {"first_name": "0", "last_name": "1", "phone": "2", "treated": "3", "days": "month"}
    for path, typed in ((f"/desk/lists/{file.pk}/columns/", columns),):
        assert desk.get(path).status_code == 200
        assert desk.post(path, typed).status_code in (200, 302)
    for path in (f"/desk/lists/{file.pk}/", f"/desk/lists/{file.pk}/left-out.csv", "/desk/lists/"):
        answer = desk.get(path, follow=True)
        page = answer.getvalue().decode()
        assert answer.status_code == 200
        assert path.endswith(".csv") or ("<script>alert" not in page and "<img src=x" not in page)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..\\..\\x.csv", "a\x00b.csv", "x" * 300 + ".csv", "<b>.csv", "é.csv",
     "=1+1.csv", "con", ".htaccess", "a\r\nSet-Cookie: x=1.csv", "list.csv.exe", "%2e%2e%2fx"],
)  # fmt: skip
def test_a_files_name_is_only_words(desk: Client, ours: Scene, name: str) -> None:
    status, page = send(desk, ours, HEADER + ROW, name=name)
    assert status in (200, 302)
    assert "<b>.csv" not in page
    kept = ImportFile.objects.latest("pk").name
    assert "/" not in kept
    assert "\x00" not in kept
    assert "<b>.csv" not in desk.get(address("imports", ours)).content.decode()


def test_a_form_where_a_file_should_be_and_two_files_break_nothing(
    desk: Client, ours: Scene
) -> None:
    path = address("imports", ours)
    assert desk.post(path, {"file": "words"}).status_code == 200
    assert desk.post(path, {"file": [io.BytesIO(HEADER), io.BytesIO(HEADER)]}).status_code == 200
    assert desk.post(path, b"{}", content_type="application/json").status_code == 200
    for sort in ("multipart/form-data; boundary=x", "multipart/form-data"):
        assert desk.post(path, b"--y\r\n", content_type=sort).status_code in (200, 400)
    many = {f"file{number}": io.BytesIO(b"x") for number in range(200)}
    assert desk.post(path, many).status_code in (200, 400)
