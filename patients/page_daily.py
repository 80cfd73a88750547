"""What is to be done each day, as a list to tick: only while its steps are in force."""

from __future__ import annotations

from dataclasses import dataclass

from patients.keep_words import KeepWords
from patients.protocol import Daily, Protocol
from patients.timeline import State, Timeline


@dataclass(frozen=True, slots=True)
class Task:
    """`key` names the tick on the phone. `minutes`: it stays on so long; `timer` starts that."""

    key: str
    title: str
    minutes: tuple[int, int] | None
    timer: str


@dataclass(frozen=True, slots=True)
class Time:
    title: str
    tasks: tuple[Task, ...]


def daily_of(
    protocol: Protocol, language: str, timeline: Timeline, say: KeepWords
) -> tuple[Time, ...]:
    """The times of the day with their tasks; none outside of the days that have any."""
    views = {step.fact: step for phase in timeline.phases for step in phase.steps}
    texts = protocol.words(language).steps
    titles = {Daily.MORNING: say.morning, Daily.NIGHT: say.night, Daily.ONCE: say.once}
    times = (
        Time(
            title,
            tuple(
                Task(
                    f"{step.fact} {time}",
                    texts[step.fact].task or texts[step.fact].title,
                    step.minutes,
                    say.timer.format(to=step.minutes[1]) if step.minutes else "",
                )
                for step in protocol.steps
                if time in step.daily and views[step.fact].state is State.NOW
            ),
        )
        for time, title in titles.items()
    )
    return tuple(time for time in times if time.tasks)
