"""Ten thousand guessed links: none opens, all get the same bytes, and the guesser is slowed."""

from __future__ import annotations

import random
import string
from collections import Counter

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from patients import links
from patients.models import Treatment
from tests.attack.scene import Scene

pytestmark = pytest.mark.thorough

LETTERS = string.digits + string.ascii_letters
GUESSES = 10_000


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


def test_of_10_000_guessed_links_none_opens(ours: Scene) -> None:
    """All at once, as hashes; some also one by one through the door that a request takes."""
    tried = guesses(ours.token)
    assert len(tried) == GUESSES
    hashes = [links.hash_of(one) for one in tried]
    for start in range(0, GUESSES, 500):
        assert not Treatment.objects.filter(link_hash__in=hashes[start : start + 500]).exists()
    assert [one for one in tried[::50] if links.find(one) is not None] == []
    assert links.find(ours.token) is not None


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
