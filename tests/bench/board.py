"""The board with much behind it, against the same board with little; and many boards left open.

The page is answered whole, in this process: session, user, the rows, the HTML. Both times the same
200 patients are on it. What counts is processor time, ours and PostgreSQL's (`least_ms`). The plans
PostgreSQL chose with much behind it are printed, and its slowest answers.

Open boards poll the real web server as a browser would; what is counted is its questions to
PostgreSQL, for each board and second.
"""

from __future__ import annotations

import html
import re
import time
from urllib.parse import urlsplit

import urllib3
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from reminders import grid
from reminders.changes import EVERY
from tests.builders import make_staff

from . import rows
from .meters import forget_statements, least_ms, statements_of
from .plans import plans_of
from .sizes import Sizes
from .stage import WEB, Stage
from .table import Row, Target, Tell

PATIENTS, BOARDS, ROUNDS, WARM, SLOWEST = 200, 50, 10, 3, 4
MOST = Target(at_most=1.5)
FEW = Target(at_most=12, of="figure")
AT_REST = Target(at_most=0.25, of="figure")


def run(stage: Stage, sizes: Sizes, tell: Tell) -> None:
    little, few, _ = _look(stage, sizes.little_board, sizes)
    much, many, plans = _look(stage, sizes.board, sizes)
    behind = f"{sizes.board:,} reminders behind it"
    tell(
        Row(
            f"board of {PATIENTS} patients, {behind}", much, "ms",
            f"{sizes.little_board:,}: {little:.1f} ms", much / little, MOST,
        )
    )  # fmt: skip
    tell(Row(f"board, {behind}", many, "queries", f"{few} queries", many / few, FEW))
    print("\n".join(plans))
    at_rest, seconds = _leave_open(stage)
    name = f"{BOARDS} boards left open for {seconds:.0f} s, each"
    tell(Row(name, at_rest, "queries/s", "", None, AT_REST))


def _look(stage: Stage, history: int, sizes: Sizes) -> tuple[float, int, list[str]]:
    stage.fresh()
    rows.make_board(history, recent=PATIENTS)
    clinic = rows.clinic_at_noon()
    client = Client(headers={"Host": "localhost"})
    client.force_login(clinic.staff.first() or make_staff(clinic=clinic))

    def look() -> None:
        stage.silence()  # each asks everything itself
        _open(client)

    for _ in range(WARM):
        look()
    with CaptureQueriesContext(connection) as captured:
        look()
    asked = sorted((_ms(one), str(one["sql"])) for one in captured.captured_queries)
    slowest = [f"{ms:.0f} ms  {sql[:110]}" for ms, sql in reversed(asked[-SLOWEST:])]

    def board() -> None:
        grid.board(clinic, show="", page="", now=timezone.now())

    return least_ms(look, sizes.looks // 3), len(asked), [*plans_of(board), *slowest]


def _ms(query: dict[str, str]) -> float:
    return 1000 * float(query["time"])


def _open(client: Client) -> None:
    answer = client.get("/board/")
    shown = answer.content.count(b'scope="row"')
    if shown < PATIENTS:  # a page holds no more
        raise RuntimeError(f"The board answered {answer.status_code} with {shown} rows.")


def _leave_open(stage: Stage) -> tuple[float, float]:
    """Queries for each board and second, and for how long they were open."""
    polls = [_board(stage) for _ in range(BOARDS)]
    _poll_all(stage, polls)  # each session is let in once
    forget_statements()
    began = time.monotonic()
    for turn in range(1, ROUNDS + 1):
        time.sleep(max(0.0, began + turn * EVERY - time.monotonic()))
        _poll_all(stage, polls)
    seconds = time.monotonic() - began
    return statements_of(WEB).queries / (BOARDS * seconds), seconds


def _board(stage: Stage) -> tuple[str, str]:
    """A session of its own with the board open: its cookie, and what the page asks for."""
    client = Client()
    client.force_login(rows.clinic_at_noon().staff.get())
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    page = _get(stage, "/board/", cookie)
    address = re.search(r'hx-get="([^"]+)"', page)
    if address is None:
        raise RuntimeError("The board asks for no changes.")
    return html.unescape(address.group(1)), cookie


def _poll_all(stage: Stage, polls: list[tuple[str, str]]) -> None:
    for path, cookie in polls:
        if _get(stage, path, cookie):
            raise RuntimeError("A board at rest was told of changes.")


_POOLS: dict[str, urllib3.HTTPConnectionPool] = {}


def _get(stage: Stage, path: str, cookie: str) -> str:
    address = urlsplit(stage.base_url)
    port = address.port or 80
    pool = _POOLS.setdefault(address.netloc, urllib3.HTTPConnectionPool("127.0.0.1", port))
    answer = pool.request(
        "GET", path, headers={"Host": address.netloc, "Cookie": cookie}, redirect=False
    )
    if answer.status not in (200, 204):
        raise RuntimeError(f"The site answered {answer.status}.")
    return answer.data.decode()
