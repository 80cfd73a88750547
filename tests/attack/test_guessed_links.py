"""Ten thousand guessed links: none opens, all get the same bytes, and the guesser is slowed."""

from __future__ import annotations

import itertools
import random
import string
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from patients import links
from patients.models import Treatment
from tests.attack.scene import ADDRESSES, Scene, make_scene

pytestmark = pytest.mark.thorough

LETTERS = string.digits + string.ascii_letters
GUESSES = 10_000
PAGES = sorted(name for name, one in ADDRESSES.items() if str(one.pattern).startswith("r/"))


def guesses(real: str) -> list[str]:
    """What somebody would try: near a link they have, of the right form, and of other forms."""
    chance = random.Random(20_261_126)
    near = [real[:at] + letter + real[at + 1 :] for at in range(len(real)) for letter in LETTERS]
    cut = [real[:at] for at in range(1, len(real))] + [real + letter for letter in LETTERS]
    odd = ["0" * 22, "z" * 22, real.swapcase(), real[::-1], real + " ", "é" * 22, "' OR '1'='1",
           "%", "_" * 22, "%" * 22, "*", "a" * 2000]  # fmt: skip
    near = [one for one in near if one != real]
    blind = ["".join(chance.choices(LETTERS, k=22)) for _ in range(GUESSES)]
    return [*near, *cut, *odd, *blind][:GUESSES]


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return make_scene(slug="lakeside", number=1)


class Guesser(threading.Thread):
    """Asks a real server for one guess after another, each as if from the address beside it."""

    def __init__(self, port: int, asked: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.port, self.asked = port, asked
        self.met: list[tuple[int, bytes]] = []

    def run(self) -> None:
        line = HTTPConnection("127.0.0.1", self.port, timeout=60)
        for path, address in self.asked:
            sent = {"Host": f"localhost:{self.port}", "X-Forwarded-For": address}
            line.request("GET", path, headers=sent)
            answer = line.getresponse()
            self.met.append((answer.status, answer.read()))
        line.close()


def from_many(number: int) -> str:
    """So few from each that none is put off."""
    return f"198.18.{number // 20 // 250}.{number // 20 % 250}"


@pytest.mark.services
def test_of_10_000_guessed_links_none_opens(scene: Scene, site: Callable[..., str]) -> None:
    """Each a request to a real server, by way of every page of a link: half from one address,
    half from 250. Who guesses alone is soon put off, most of them unread; so whatever comes near
    the link is asked from the many, who are answered 5,000 times, and open nothing.
    """
    given = {"LINK_OPENINGS_A_MINUTE": 600, "LINK_MISSES_A_MINUTE": 30, "TRUSTED_PROXIES": 1}
    port = urlsplit(site(given)).port or 0
    names = itertools.cycle(PAGES)
    paths = [reverse(next(names), args=[one]) for one in guesses(scene.token)]
    assert len(paths) == len({*paths}) == GUESSES
    many, alone = paths[: GUESSES // 2], paths[GUESSES // 2 :]
    chance = random.Random(20_261_127)
    chance.shuffle(many)
    real = (f"/r/{scene.token}", "203.0.113.8")
    began = time.time()
    guessers = [
        Guesser(port, [real, *((one, "203.0.113.7") for one in alone), real]),
        Guesser(port, [(one, from_many(at)) for at, one in enumerate(many)]),
    ]
    for one in guessers:
        one.start()
    for one in guessers:
        one.join()
    minutes = int(time.time()) // 60 - int(began) // 60 + 1

    (first, *by_one, last), by_many = (one.met for one in guessers)
    assert first[0] == last[0] == 200, "a patient opens her page all the while"
    assert len(by_one) == len(by_many) == GUESSES // 2
    assert Counter(status for status, _ in by_many) == {404: GUESSES // 2}
    found = Counter(status for status, _ in by_one)
    assert {*found} == {404, 429}
    assert found[404] <= 30 * minutes
    assert len({body for _, body in [*by_one, *by_many]}) == 2, "one answer for each"
    assert not any(b"Gomez" in body for _, body in [*by_one, *by_many])


@pytest.fixture
def slowed(settings: Settings) -> None:
    """As many as in production; the other tests are let open more."""
    settings.LINK_OPENINGS_A_MINUTE, settings.LINK_MISSES_A_MINUTE = 60, 20
    cache.clear()


@pytest.mark.usefixtures("slowed")
def test_guesses_get_one_answer_and_soon_only_429(ours: Scene) -> None:
    guesser, met = Client(), Counter[tuple[int, bytes]]()
    for token in guesses(ours.token)[-300:]:
        answer = guesser.get(f"/r/{token}")
        met[answer.status_code, answer.content] += 1
    assert {status for status, _ in met} <= {404, 429}
    assert len(met) <= 2, "one answer for a miss, one for too many of them"
    assert any(status == 429 for status, _ in met)


@pytest.mark.usefixtures("slowed")
def test_a_patient_at_another_address_is_not_slowed_by_a_guesser(ours: Scene) -> None:
    for token in guesses(ours.token)[-300:]:
        Client(REMOTE_ADDR="203.0.113.7").get(f"/r/{token}")
    assert Client(REMOTE_ADDR="203.0.113.8").get(f"/r/{ours.token}").status_code == 200


@pytest.mark.both_databases
def test_every_guess_costs_the_same_look_into_one_index(ours: Scene) -> None:
    """A hash is looked up, never the link: how much of a guess is right takes no time of its own.

    What is measured is the work, not the clock: the same statements for a guess that is right but
    for its last letter and for one that is not right at all.
    """
    asked = []
    for token in ("0" * 22, ours.token[:-1] + ("0" if ours.token[-1] != "0" else "1")):
        with CaptureQueriesContext(connection) as queries:
            assert links.find(token) is None
        asked.append([query["sql"].replace(links.hash_of(token).hex(), "…") for query in queries])
    assert len(asked[0]) == len(asked[1]) == 1
    assert Treatment._meta.get_field("link_hash").unique


def test_the_database_holds_no_link(ours: Scene) -> None:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows = repr([[bytes(v) if isinstance(v, memoryview) else v for v in row]
                         for row in cursor.fetchall()])  # fmt: skip
            assert ours.token not in rows, table
