"""The shipped protocol holds what the leaflet says; a broken one names its place and the reason."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import patients
from patients import words
from patients.clock import Calendar, Elapsed, FirstClock
from patients.protocol import AfterLogging, DaysAfterDue, OnLogging, TierAction
from patients.protocol_file import parse
from patients.protocol_table import ProtocolError
from patients.timeline import fill_text
from reminders.lint import long_texts, segments

SHIPPED = Path(patients.__file__).parent / "protocols" / "microneedling.toml"
SOURCE = SHIPPED.read_text("utf-8")
PROTOCOL = parse(SOURCE)
ENGLISH = PROTOCOL.words("en")
FACTS = "C1 C2 A1 A2 A3 A4 A5 B1 B2 B3 B4 B5 D1 D2 D3 D4 D5 E1 E2 E3 E4 E5"
# What the clinical content says and a text must not lose: fact, its kind, its gate, its words.
GATES = """
    A1 expect  0h-6h   hot, flushed, few hours
    A2 expect  0h-1h   about half, first hour, most intense
    A3 expect  0h-6h   too much, normal, passes, no need to panic
    A4 forbid  0h-6h   hands away
    A5 do      0h-6h   air conditioning, any fan, drive home
    B1 forbid  0h-24h  Do not touch, wash your hands first
    B2 permit  6h-24h  mild cleanser, no active ingredients, 6 hours
    B3 do      0h-48h  Rescue, as often as you need, 24 to 48 hours, most sensitive
    B4 do      0h-     physical (mineral) sunblock, SPF 30 to 50, direct sun
    B5 do      0h-     plenty of water
    D1 do      24h-7d  gentle cleanser, morning and night
    D2 do      24h-7d  gentle moisturizer, Sente, Dermal Repair Cream, SPF, 24 hours, 48 hours
    D3 expect  24h-7d  peels lightly, sandpaper, normal, couple of days
    D4 do      24h-7d  Skin Zyme Mask, 15 to 20 minutes, Clean Zyme, washcloth, once a day at most
    D5 forbid  0h-7d   antioxidants, resurfacers, retinol, active products, feels normal
    E1 permit  7d-     skin feels normal, slowly
    E2 do      7d-     physical sunblock every day
    E4 know    7d-     once a month, series of three, every six months, practitioner
    E5 know    7d-     Medical-grade, practitioner
"""
REMINDERS = {
    "handover": (OnLogging(), AfterLogging(timedelta(hours=24)), "inform", "C1 C2 A4 B1 D5"),
    "first-hour": (Elapsed(timedelta(hours=1)), Elapsed(timedelta(hours=3)), "inform", "A2 A3 A5"),
    "cleanse": (Elapsed(timedelta(hours=6)), Elapsed(timedelta(hours=24)), "permit", "B2"),
    "day-2": (Calendar(0, 1, time(9)), Calendar(0, 1, time(20)), "inform", "D1 D2 D5 B4"),
    "day-3": (Calendar(0, 2, time(16, 30)), Calendar(0, 3, time(20)), "check-in", "D3 D4 D2"),
    "week-1": (
        FirstClock(time(9), Elapsed(timedelta(days=7))),
        DaysAfterDue(3),
        "check-in permit",
        "E1 E2 E5",
    ),
    "next-session": (Calendar(1, -7, time(10)), DaysAfterDue(14), "invite", "E4"),
    "results": (Calendar(0, 70, time(10)), Calendar(3), "invite", "E3"),
    "maintenance": (Calendar(6, -14, time(10)), DaysAfterDue(14), "invite", "E4"),
}
LONGEST = {
    "clinic": "W" * 20,
    "link": "w" * 60,
    "office_phone": "(855) 383-7546",
    "after_hours_phone": "(855) 383-7546",
    "emergency_number": "911",
    "gate_time": "12:59 pm",
    "first_name": "W" * 12,
}


def texts_of(value: Any, place: str = "en") -> Iterator[tuple[str, str]]:
    """(place, text) of every English text of the protocol."""
    if isinstance(value, str):
        yield place, value
    elif is_dataclass(value):
        for one in fields(value):
            yield from texts_of(getattr(value, one.name), f"{place}.{one.name}")
    elif value is not None:
        for key, inner in value.items():
            yield from texts_of(inner, f"{place}.{key}")


TEXTS = dict(texts_of(ENGLISH))


def test_the_shipped_file_holds_all_22_facts_nine_reminders_and_four_tiers() -> None:
    assert sorted(PROTOCOL.facts) == sorted(FACTS.split())
    assert len(PROTOCOL.facts) == 22
    assert {step.fact for step in PROTOCOL.steps} == set(PROTOCOL.facts) == set(ENGLISH.steps)
    assert [rule.key for rule in PROTOCOL.reminders] == list(REMINDERS) == list(ENGLISH.reminders)
    tiers = [(tier.action.value, len(tier.signs)) for tier in PROTOCOL.tiers]
    assert tiers == [("emergency", 6), ("page-nurse", 7), ("call-clinic", 4), ("before-next", 2)]
    assert PROTOCOL.series.first == 3
    assert (PROTOCOL.series.every, PROTOCOL.series.maintenance) == (Calendar(1), Calendar(6))


@pytest.mark.parametrize("row", GATES.strip().splitlines(), ids=lambda row: row.split()[0])
def test_each_fact_keeps_its_kind_its_gate_and_its_numbers(row: str) -> None:
    fact, kind, gate, said = row.strip().split(maxsplit=3)
    step = next(step for step in PROTOCOL.steps if step.fact == fact)
    hours = {"h": timedelta(hours=1), "d": timedelta(days=1), "": None}
    starts, ends = (
        (unit := hours[at[-1:]]) and Elapsed(int(at[:-1]) * unit) for at in gate.split("-")
    )
    assert (step.kind.value, step.starts, step.ends) == (kind, starts, ends)
    assert (step.needs_normal, step.until_normal) == (fact == "E1", fact == "D5")
    text = f"{ENGLISH.steps[fact].title} {ENGLISH.steps[fact].text}"
    assert [part for part in said.split(", ") if part.lower() not in text.lower()] == []


# The same in Spanish: what only words carry; numbers, names and placeholders are compared below.
SPANISH_SAYS = """
    A1 caliente, roja, unas horas
    A2 primera hora es la más fuerte, como a la mitad
    A3 duerme la piel, al mismo tiempo, pueden ser mucho, normal, No hay por qué asustarse
    A4 No se toque la piel, No ponga las manos
    A5 aire acondicionado, ventilador, camino a casa
    B1 No se toque, lávese antes las manos
    B2 limpiador suave, sin ingredientes activos, No en las primeras 6 horas
    B3 todas las veces que quiera, más sensible
    B4 físico (mineral), muchas veces, Evite el sol directo
    B5 mucha agua
    D1 limpiador suave, mañana, noche
    D2 hidratante suave, mañana, noche, cuando la necesite, físico
    D3 se pela un poco, lija, normal, un par de días, deja de pelarse
    D4 Cuando ya se pela, toallita limpia y mojada, una vez al día como máximo, neutra
    D5 antioxidantes, exfoliantes, retinol, cuando sienta la piel normal, no antes de una semana
    E1 Cuando sienta la piel normal, poco a poco
    E2 bloqueador solar físico todos los días
    E3 mejores resultados
    E4 una vez al mes, serie de tres, cada seis meses, especialista
    E5 grado médico, especialista
    C1 Algo le preocupa, una duda
    C2 a toda hora, Fuera de horario, enfermera de guardia
"""
NAMES = ("Rescue", "Sente", "Dermal Repair Cream", "Jan Marini Skin Zyme Mask",
         "Jan Marini Clean Zyme", "SPF")  # fmt: skip


def carried(text: str) -> list[str]:
    """What a translation must keep as it is: numbers, product names, placeholders."""
    marks = re.findall(r"\d+(?:\.\d+)?|\{\w+\}", text)
    return sorted([*marks, *(name for name in NAMES if name in text)])


@pytest.mark.parametrize("language", PROTOCOL.languages)
def test_a_translation_keeps_every_number_name_and_placeholder(language: str) -> None:
    theirs = dict(texts_of(PROTOCOL.words(language)))
    assert theirs.keys() == TEXTS.keys()
    # Text messages are short: what they may leave out, the page says.
    kept = [place for place in TEXTS if ".sms" not in place]
    lost = [place for place in kept if carried(theirs[place]) != carried(TEXTS[place])]
    assert [(place, theirs[place]) for place in lost] == []
    for place in TEXTS.keys() - set(kept):
        needed = {"{link}", "{gate_time}", "{clinic}"} & set(carried(TEXTS[place]))
        assert needed <= set(carried(theirs[place])), place


@pytest.mark.parametrize("row", SPANISH_SAYS.strip().splitlines(), ids=lambda row: row.split()[0])
def test_spanish_keeps_each_fact(row: str) -> None:
    fact, said = row.strip().split(maxsplit=1)
    text = PROTOCOL.words("es").steps[fact]
    whole = f"{text.title} {text.text}".lower()
    assert [part for part in said.split(", ") if part.lower() not in whole] == []


def test_what_a_clinician_has_still_to_read_is_marked() -> None:
    assert [one.of for one in PROTOCOL.reviews] == ["signs", "es"]
    assert PROTOCOL.reviews[0].waits_for == "to be signed by the clinic's clinician"
    assert parse(re.sub(r"\n\[review\]\n.*?\n\n", "\n", SOURCE, flags=re.S)).reviews == ()


def test_results_show_from_two_to_three_calendar_months() -> None:
    step = next(step for step in PROTOCOL.steps if step.fact == "E3")
    assert (step.starts, step.ends) == (Calendar(2), Calendar(3))
    assert "2 to 3 months after treatment" in ENGLISH.steps["E3"].text


@pytest.mark.parametrize("key", REMINDERS)
def test_each_reminder_keeps_its_row_of_the_table(key: str) -> None:
    rule = PROTOCOL.rule(key)
    due, not_after, kinds, facts = REMINDERS[key]
    assert (rule.due, rule.not_after) == (due, not_after)
    assert (" ".join(sorted(rule.kinds)), " ".join(rule.facts)) == (kinds, facts)
    assert rule.consent == ("rebooking" if kinds == "invite" else "recovery")
    sessions = {"next-session": ["1", "2"], "maintenance": ["3", "maintenance"]}
    assert sorted(rule.sessions) == sessions.get(key, ["1", "2", "3", "maintenance"])
    assert rule.log_by == (timedelta(minutes=30) if key == "first-hour" else None)
    assert (rule.ahead is not None) == (key == "cleanse")


# --- the words ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", PROTOCOL.languages)
def test_no_sentence_is_longer_than_twenty_words(language: str) -> None:
    for _, text in texts_of(PROTOCOL.words(language)):
        for sentence in re.split(r"(?<=[.!?])\s+|:\s", text):
            said = re.findall(r"\S*\w\S*", sentence)
            assert len(said) <= 20, sentence


@pytest.mark.parametrize(
    "word", ["face", "facial", "cheek", "microneedl", "cara", "rostro", "mejilla", "microaguj"]
)
def test_no_text_names_a_treated_area_nor_a_message_the_treatment(word: str) -> None:
    every = TEXTS | dict(texts_of(PROTOCOL.words("es"), "es"))
    naming = {place for place, text in every.items() if re.search(rf"\b{word}", text.lower())}
    assert naming <= {"en.name", "es.name"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("@£$¥èéùìòÇØøÅåÆæßÉÄÖÑÜ§¿äöñüà¡" * 5, 1),
        ("ΔΦΓΛΩΠΨΣΘΞ" * 16, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("[]{}~|^\\" * 10, 1),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("a" * 159 + "’", 3),
        ("\U0001f642" * 35, 1),
        ("\U0001f642" * 36, 2),
    ],
)
def test_segments_are_counted_as_the_carriers_do(text: str, expected: int) -> None:
    assert segments(text) == expected


def test_every_shipped_text_message_fits_one_segment_with_the_longest_data() -> None:
    shown = [words.clock(datetime(2026, 1, 1, hour), "en") for hour in range(24)]  # noqa: DTZ001
    assert max(map(len, shown)) == len(LONGEST["gate_time"])
    messages = {place: text for place, text in TEXTS.items() if ".sms" in place}
    assert len(messages) == 2 * (len(REMINDERS) + 5)
    filled = {place: fill_text(text, LONGEST) for place, text in messages.items()}
    assert {place: len(text) for place, text in filled.items() if segments(text) > 1} == {}
    assert not [text for text in filled.values() if "{" in text]
    assert long_texts(PROTOCOL) == []


def test_a_text_message_that_is_too_long_is_found() -> None:
    for text in ("Gently, with a mild cleanser.", "Gently, with a “mild” cleanser."):
        found = long_texts(parse(SOURCE.replace("Gently, with a mild cleanser.", text * 2)))
        assert len(found) == 1
        assert "en: reminder: cleanse: plain: sms_detailed" in found[0]


# --- broken files ---------------------------------------------------------------------------------

# What stands in the shipped file => what stands there instead | the place named | the reason.
BROKEN = r"""
fact = "A5" => fact = "A9" | step A5 | every fact needs its step
"E4", "E5", => "E4", | step E5 | not in the list of facts
text = "As always, drink plenty of water." =>  | en: step: B5: text | is missing
"As always, drink plenty of water." => " " | en: step: B5: text | should be some text
"As always, drink plenty of water." => 7 | en: step: B5: text | should be some text
[en.step.B5] => [en.step.B6] | en: step: B5 | is missing
bumps = "You feel => humps = "You feel | en: sign: bumps | is missing
[en.series] => [en.series]\nextra = "x" | en: series: extra | is not known here
ends = "6h"\nicon = "air" => ends = "6 hours"\nicon = "air" | step A5: ends | is not a span
ends = "6h"\nicon = "air" => ends = 6\nicon = "air" | step A5: ends | should be a table
starts = "6h"\nends = "24h"\nicon => starts = "6h"\nends = "6h"\nicon | step B2: ends | later
icon = "air" => icno = "air" | step A5: icno | is not known here
key = "microneedling" => key = "microneedling"\ncolor = "red" | color | is not known here
kind = "permit" => kind = "allow" | step B2: kind | “allow” is not one of
yields_to = ["A4"] => yields_to = ["Z9"] | step B1: yields_to | “Z9” is not a fact
needs_normal = true => needs_normal = "yes" | step E1: needs_normal | true or false
phase = "24-hours"\nkind => phase = "day-1"\nkind | step B2: phase | “day-1” is not a phase
treatment, call {office_phone} => treatment, call {phone} | en: step: C1: text | “{phone}” is not
treatment, call {office_phone} => treatment, see {link} | en: step: C1: text | “{link}” is not
treatment, call {office_phone} => call {clinic!r} | en: step: C1: text | is not a placeholder
treatment, call {office_phone} => call (855) 383-7546 | en: step: C1: text | a phone number
treatment, call {office_phone} => call +18553837546 | en: step: C1: text | a phone number
treatment, call {office_phone} => call {office_phone | en: step: C1: text | unpaired brace
treatment, call {office_phone} => call office_phone} | en: step: C1: text | unpaired brace
See how on your page: {link}" => {sign}" | en: reminder: cleanse: plain: sms | “{sign}” is not
fact = "A5" => fact = "A4" | step A4 | stands here twice
key = "day-3" => key = "day-2" | reminder day-2 | stands here twice
signs = ["lines", "bumps"] => signs = ["lines", "pus"] | sign pus | stands here twice
key = "microneedling" => key = "a"\nkey = "b" |  | not valid TOML
key = "microneedling" => key = |  | not valid TOML
starts = "24h"\nends = "7d" => starts = "20h"\nends = "7d" | phase days-2-7: starts | 24-hours ends
starts = "24h"\nends = "7d" => starts = "30h"\nends = "7d" | phase days-2-7: starts | 24-hours ends
starts = "0h"\nends = "6h" => starts = "1h"\nends = "6h" | phase | should start at 0h
starts = "7d" => starts = "7d"\nends = "9d" | phase after-one-week: ends | has no end
languages = ["en", "es"] => languages = ["en", "es", "fr"] | fr | is missing
es = "waiting => fr = "waiting | review: fr | is not one of: en, es, signs
es = "waiting for a clinician's review" => es = "" | review: es | should be some text
languages = ["en", "es"] => languages = [] | languages | at least one language
action = "before-next" => action = "later" | tier later: action | “later” is not one of
[[tier]]\naction = "before-next"\nsigns = ["lines", "bumps"] =>  | tier | in this order
gate = "7d" =>  | reminder week-1: gate | is missing
not_after = { months = 3 } => not_after = { months = 3 }\ngate = "70d" | results: ahead | is missing
day = 3, at = "16:30" => day = 3, at = "4:30 pm" | reminder day-3: due: at | not a time of day
day = 3, at = "16:30" => day = 3 | reminder day-3: due: at | is missing
at_least = "2h" => atleast = "2h" | reminder cleanse: ahead: at_least | is missing
due = "on logging" => due = "0h" | reminder | exactly one
sessions = ["1", "2"] => sessions = ["1", "2nd"] | next-session: sessions | “2nd” is not one of
consent = "rebooking" => consent = "marketing" | next-session: consent | “marketing” is not one of
facts = ["B2"] => facts = ["B9"] | reminder cleanse: facts | “B9” is not a fact
every_months = 1 => every_months = true | series: every_months | a whole number
[series] => [[series]] | series | should be a table
"""


@pytest.mark.parametrize("row", BROKEN.strip().splitlines())
def test_a_broken_file_names_the_place_and_the_reason(row: str) -> None:
    change, place, reason = row.split(" | ")
    old, new = (part.strip().replace(r"\n", "\n") for part in change.split(" => "))
    assert old in SOURCE
    with pytest.raises(ProtocolError) as refused:
        parse(SOURCE.replace(old, new, 1))
    assert refused.value.place.endswith(place)
    assert bool(refused.value.place) == bool(place)
    assert reason in refused.value.reason
    assert str(refused.value).startswith(refused.value.place)


def test_tiers_in_another_order_are_refused() -> None:
    swapped = SOURCE.replace('action = "call-clinic"', 'action = "swap"')
    swapped = swapped.replace('action = "before-next"', 'action = "call-clinic"')
    with pytest.raises(ProtocolError, match=", ".join(TierAction)):
        parse(swapped.replace('action = "swap"', 'action = "before-next"'))


LINES = SOURCE.splitlines()
VALUES = ["7", "-1", "true", '""', '"x"', "[]", "{}", "[1]", "[[]]", "1.5", "nan", "1979-05-27"]
some_lines = st.integers(0, len(LINES) - 1)


@settings(deadline=None, max_examples=200, database=None)
@given(st.lists(st.tuples(some_lines, st.sampled_from(["drop", "twice", *VALUES])), max_size=4))
def test_no_mutation_of_the_file_raises_anything_but_a_protocol_error(
    edits: list[tuple[int, str]],
) -> None:
    lines = [[line] for line in LINES]
    for number, edit in edits:
        line = LINES[number]
        changed = [f"{line.split(' = ')[0]} = {edit}"] if " = " in line else [line, edit]
        lines[number] = {"drop": [], "twice": [line, line]}.get(edit, changed)
    with suppress(ProtocolError):
        parse("\n".join(line for kept in lines for line in kept))


def test_no_spanish_hour_ends_in_two_full_stops() -> None:
    texts = dict(texts_of(PROTOCOL.words("es"), "es"))
    assert [
        place for place, text in texts.items() if re.search(r"\{(gate_time|date)\}\.", text)
    ] == []
