"""The drill: while a clinic works, the next version is rolled out, every part is killed in turn,
and an hour-old backup is restored by the operator's own two commands.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from pathlib import Path

from django.db import connection, connections
from django.utils import timezone

from patients.models import Treatment
from reminders.models import Reminder, State
from tests.services.postgres import DATABASE

from .backlog import last_ticked
from .carry_on import wait_until_settled
from .cohort import clinic_at_noon, make_due
from .house import House, answer_of, next_version, open_house
from .judge import Verdict, judge
from .load import Load, Rates
from .stage import Stage
from .table import Finding

RATES = Rates(page=6, desk=1.5, text=1, board=0.5)
QUIETER = Rates(page=2, desk=0.5, text=0.5, board=0.25)  # beside other tests
READERS = 20  # patients whose pages are opened, and who write
BETWEEN = 1.0  # seconds of work between two changes
WELL = 2.0  # seconds at the end in which nothing fails any more


def _begin(house: House) -> Load:
    """Everything up, and a clinic whose patients have their pages."""
    house.start_all()
    return _clinic_at_work(house, make_due(READERS))


def _clinic_at_work(house: House, treatments: Sequence[Treatment]) -> Load:
    rates = QUIETER if house.stage.small else RATES
    return Load(house.balancer.base_url, house.phone, clinic_at_noon(), treatments, rates)


def _settle(house: House, gone: Collection[str] = frozenset()) -> Verdict:
    wait_until_settled(house.stage.times.longest * 3 + 90)
    house.phone.wait_for_callbacks(120)
    return judge(house.phone, gone=gone)


def _audit(house: House, finding: Finding) -> None:
    """The trail's own check, by the command; its words go into the note."""
    try:
        said = house.manage("verify_audit").splitlines()[0]
    except RuntimeError as error:
        finding.problems.append(str(error))
    else:
        finding.note += f"; {said[0].lower()}{said[1:].rstrip('.')}"


# --- the next version -----------------------------------------------------------------------------


def rolled_out(stage: Stage, rounds: int) -> Finding:
    """Migrated under load, then each process ends by SIGTERM and its successor starts."""
    with open_house(stage) as house, next_version() as folder:
        load = _begin(house)
        took = 0.0
        with load.running():
            time.sleep(BETWEEN)
            for _ in range(rounds):
                house.code = folder
                house.manage("migrate")
                began = time.monotonic()
                for name in list(house.parts):
                    house.stop(name)
                    house.start(name)
                took = time.monotonic() - began
                words = {
                    answer_of(part.port, "/healthz")[1]
                    for part in house.parts.values()
                    if part.port
                }
                time.sleep(BETWEEN)
        finding = Finding(f"{rounds} × 5 processes, {len(load.answers)} requests", _settle(house))
        finding.note = f"{load.counted()}; 0 failed; {took:.0f} s for the five"
        if load.failures():
            finding.note = load.counted()
            finding.problems.append(f"failed: {dict(load.failures())}")
        if words != {"alive and new\n"} or not _has_its_column():
            finding.problems.append(f"not the next version: the servers say {words}")
        _audit(house, finding)
        return finding


def _has_its_column() -> bool:
    with connection.cursor() as cursor:
        table = connection.introspection.get_table_description(cursor, "reminders_reminder")
    return "next_words" in {column.name for column in table}


# --- each of them killed --------------------------------------------------------------------------


def killed_in_turn(stage: Stage, rounds: int) -> Finding:
    """kill -9 of web server, worker and beat, of Valkey, and a crash of PostgreSQL, in turn."""
    with open_house(stage) as house:
        load = _begin(house)
        acts = _kills(house)
        with load.running():
            for _ in range(rounds):
                for act in acts.values():
                    time.sleep(BETWEEN)
                    act()
            time.sleep(BETWEEN)
            well_at = load.now()
            time.sleep(WELL)
        verdict = _settle(house)
        finding = Finding(f"{rounds} × {len(acts)} kills, {len(load.answers)} requests", verdict)
        failed = sum(load.failures().values())
        finding.note = (
            f"{', '.join(acts)}; {load.counted()}; {failed} requests failed while a part was gone, "
            f"{sum(load.failures(since=well_at).values())} after"
        )
        if load.failures(since=well_at):
            finding.problems.append(f"still failing: {dict(load.failures(since=well_at))}")
        _audit(house, finding)
        return finding


def _kills(house: House) -> dict[str, Callable[[], None]]:
    def part(name: str) -> Callable[[], None]:
        def act() -> None:
            house.stop(name, signal.SIGKILL)
            house.start(name)

        return act

    def valkey() -> None:
        house.stage.valkey.stop(signal.SIGKILL)
        time.sleep(BETWEEN)
        house.stage.valkey.start()

    def postgres() -> None:
        house.stage.stop_postgres(signal.SIGQUIT)
        time.sleep(BETWEEN)
        house.stage.postgres.start()

    return {
        "web": part("web 0"), "worker": part("worker 0"), "pool": part("worker 1"),
        "beat": part("beat"), "Valkey": valkey, "PostgreSQL": postgres,
    }  # fmt: skip


# --- the backup -----------------------------------------------------------------------------------


def restored_by_command(stage: Stage, messages: int) -> Finding:
    """A backup, an hour's work, and back: what had gone is not sent again, the rest goes."""
    key, kept = stage.logs / "drill.key", stage.logs / "drill.age"
    for path in (key, kept):
        path.unlink(missing_ok=True)
    with open_house(stage) as house:
        now = timezone.now()
        last_ticked(now - timedelta(hours=1))
        moments = [
            now - timedelta(minutes=55) * (index + 1) / messages for index in range(messages)
        ]
        treatments = make_due(messages, due_at=moments)
        house.manage("backup", "--new-key", key)
        said = house.manage("backup", kept)
        _work_for_an_hour(house, messages)
        stats = house.phone.stats()
        before, gone = stats["created"], set(stats["attempts"])
        stage.flush_valkey()
        said += "; " + _restore(house, kept)
        house.start_all()
        load = _clinic_at_work(house, treatments)
        with load.running():
            time.sleep(WELL)
        verdict = _settle(house, gone)
        finding = Finding(f"{messages} messages due before, {before} sent after it", verdict)
        finding.note = (
            f"{said}; {load.counted()} afterwards, {sum(load.failures().values())} failed"
        )
        if load.failures():
            finding.problems.append(f"failed: {dict(load.failures())}")
        _audit(house, finding)
        return finding


def _work_for_an_hour(house: House, messages: int) -> None:
    """Three in four of what is due leave; a clinic works; then everything stops."""
    held = list(Reminder.objects.order_by("?").values_list("pk", flat=True)[: messages // 4])
    Reminder.objects.filter(pk__in=held).update(leaves_at=timezone.now() + timedelta(days=1))
    house.start_all()
    treatments = [
        one.treatment
        for one in Reminder.objects.select_related("treatment__patient", "treatment__version")[
            :READERS
        ]
    ]
    load = _clinic_at_work(house, treatments)
    with load.running():
        deadline = time.monotonic() + 60 + messages / 20
        due = Reminder.objects.exclude(pk__in=held).filter(due_at__lte=timezone.now())
        while (
            due.filter(state__in=[State.PLANNED, State.SENDING]).exists()
            and time.monotonic() < deadline
        ):
            time.sleep(0.2)
    for name in list(house.parts):
        house.stop(name)


def _restore(house: House, kept: Path) -> str:
    """The stage's own web server is cut off: on the machine of an operator it is stopped."""
    for _ in range(5):
        connections.close_all()
        house.stage.cut_off(DATABASE)
        try:
            return house.manage("restore", kept, "--replace").split(". ")[0]
        except RuntimeError as error:
            if "connections to the database are open" not in str(error):
                raise
    raise RuntimeError("somebody is always connected")
