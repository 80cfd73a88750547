"""A clinic at work: pages opened, treatments logged, texts from patients, and nurses who answer.

Each kind has threads and a rhythm of its own; every answer is kept with its time. Whatever is not
the answer that somebody expects is a failure, a closed connection too.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode, urlsplit

import urllib3
from django.conf import settings
from django.test import Client

from patients import links
from patients.models import Clinic, StaffUser, Treatment
from tests.builders import SENDER, make_staff
from tests.phone.client import Phone

FIRST_AT_DESK = 12025570000
ASKED = ("Is the redness normal?", "May I go running today?", "When can I wear make-up again?")
OPEN_CONCERN = re.compile(r"/concerns/\d+/close/")
HIDDEN = r'name="{}" value="([^"]+)"'


@dataclass(frozen=True, slots=True)
class Rates:
    """Of each kind, how many a second."""

    page: float
    desk: float
    text: float
    board: float


@dataclass(frozen=True, slots=True)
class Answer:
    """`at`: seconds since the load began; `seconds`: how long it took; `wrong`: why it failed."""

    kind: str
    at: float
    seconds: float
    wrong: str = ""


@dataclass(slots=True)
class Load:
    base_url: str
    phone: Phone
    clinic: Clinic
    treatments: Sequence[Treatment]
    rates: Rates
    answers: list[Answer] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event)
    _serial: Iterator[int] = field(default_factory=count)

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Until the block ends; what is under way then is waited for."""
        staff = StaffUser.objects.filter(clinic=self.clinic).first() or make_staff(
            clinic=self.clinic
        )
        acts: list[tuple[str, float, Callable[[], str]]] = [
            ("page", self.rates.page / 2, self._page()),
            ("page", self.rates.page / 2, self._page()),
            ("desk", self.rates.desk, self._desk(session_of(staff))),
            ("text", self.rates.text, self._text),
            # A little quicker than they come, so that nobody waits for long.
            ("nurse", 1.2 * self.rates.text, self._nurse(session_of(staff))),
            ("board", self.rates.board, self._board(session_of(staff))),
        ]
        threads = [threading.Thread(target=self._go, args=act, daemon=True) for act in acts]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(60)

    def failures(self, *, since: float = 0.0) -> Counter[str]:
        return Counter(
            f"{one.kind}: {one.wrong}" for one in self.answers if one.wrong and one.at >= since
        )

    def counted(self) -> str:
        kinds = Counter(one.kind for one in self.answers if not one.wrong)
        return (
            f"{kinds['page']} pages and {kinds['board']} boards read, {kinds['desk']} treatments "
            f"logged, {kinds['text']} texts from patients, {kinds['nurse']} looks at what is open"
        )

    def now(self) -> float:
        return time.monotonic() - self.began

    def _go(self, kind: str, rate: float, act: Callable[[], str]) -> None:
        """Keeps its rhythm; what comes late does not come in a heap afterwards."""
        due = time.monotonic() + random.random() / rate
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            at, began = self.now(), time.monotonic()
            try:
                wrong = act()
            except Exception as error:  # noqa: BLE001 - whatever it is, the request failed
                wrong = type(error).__name__
            self.answers.append(Answer(kind, at, time.monotonic() - began, wrong))
            due = max(due + 1 / rate, time.monotonic())

    # --- the kinds ---

    def _page(self) -> Callable[[], str]:
        ask = Browser(self.base_url)
        paths = [f"/r/{links.token_of(one)}" for one in self.treatments]
        return lambda: ask.get(random.choice(paths)).wrong()

    def _board(self, session: str) -> Callable[[], str]:
        ask = Browser(self.base_url, session=session)
        return lambda: ask.get("/board/").wrong()

    def _desk(self, session: str) -> Callable[[], str]:
        ask = Browser(self.base_url, session=session)

        def log() -> str:
            form = ask.get("/desk/")
            if form.wrong():
                return form.wrong()
            serial = next(self._serial)
            typed = {
                "first_name": f"Ana{serial}", "last_name": f"Load{serial}",
                "phone": f"+{FIRST_AT_DESK + serial}", "email": "", "channel": "sms",
                "language": "en", "protocol": "microneedling", "ended": "0", "ended_at": "",
                "session": "1", "recovery": "on", "form_key": form.hidden("form_key"),
                "csrfmiddlewaretoken": form.hidden("csrfmiddlewaretoken"),
            }  # fmt: skip
            return ask.post("/desk/", typed).wrong(302)

        return log

    def _nurse(self, session: str) -> Callable[[], str]:
        """Closes one concern, if one is open: she has called the patient."""
        ask = Browser(self.base_url, session=session)

        def close() -> str:
            listed = ask.get("/concerns/")
            found = OPEN_CONCERN.search(listed.body)
            if listed.wrong() or found is None:
                return listed.wrong()
            form = ask.get(found[0])
            if form.wrong():
                return form.wrong()
            token = form.hidden("csrfmiddlewaretoken")
            typed = {"why": "spoke", "more": "", "csrfmiddlewaretoken": token}
            return ask.post(found[0], typed).wrong(302)

        return close

    def _text(self) -> str:
        number = random.choice(self.treatments).patient.phone.as_e164
        answer = self.phone.inbound(number, SENDER, random.choice(ASKED))
        return "" if answer["status"] == 200 else str(answer["status"])


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    body: str

    def wrong(self, wanted: int = 200) -> str:
        return "" if self.status == wanted else str(self.status)

    def hidden(self, name: str) -> str:
        found = re.search(HIDDEN.format(name), self.body)
        if found is None:
            raise LookupError(name)
        return found[1]


class Browser:
    """One person's: a kept connection, a session, and no second try."""

    def __init__(self, base_url: str, *, session: str = "") -> None:
        address = urlsplit(base_url)
        self._headers = {"Host": address.netloc, "Origin": base_url}
        self._cookies = {settings.SESSION_COOKIE_NAME: session} if session else {}
        self._pool = urllib3.HTTPConnectionPool(
            "127.0.0.1", address.port, maxsize=1, retries=False, timeout=30
        )

    def get(self, path: str) -> Page:
        return self._ask("GET", path, None)

    def post(self, path: str, form: dict[str, str]) -> Page:
        return self._ask("POST", path, urlencode(form))

    def _ask(self, method: str, path: str, body: str | None) -> Page:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {**self._headers, "Cookie": cookies} if cookies else dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self._pool.urlopen(method, path, body=body, headers=headers, redirect=False)
        for line in answer.headers.getlist("Set-Cookie"):
            name, _, rest = line.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return Page(answer.status, answer.data.decode(errors="replace"))


def session_of(staff: StaffUser) -> str:
    client = Client()
    client.force_login(staff)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
