"""How times are said, per language. Pure. Local, aware datetimes in; words out.

Written out here and not left to locale data, because these few forms are the product: a time is
always a clock time, with the day named the way one says it ("11:00 pm tonight").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class TimeWords:
    """One language's forms. Months and days are short, Monday first.

    `hour`: a clock time inside a sentence, at one o'clock and at any other; `evening_from`: the
    hour from which "today" is said "tonight".
    """

    am: str
    pm: str
    hour: tuple[str, str]
    evening_from: int
    today: str
    tonight: str
    tomorrow: str
    yesterday: str
    days: tuple[str, ...]
    months: tuple[str, ...]
    on_date: str
    the_date: str
    at_date: str
    minutes: tuple[str, str]
    hours: tuple[str, str]
    whole_days: tuple[str, str]
    in_span: str
    after_treatment: str
    from_moment: str
    until_moment: str


_ENGLISH = TimeWords(
    am="am",
    pm="pm",
    hour=("{clock}", "{clock}"),
    evening_from=17,
    today="{clock} today",
    tonight="{clock} tonight",
    tomorrow="{clock} tomorrow",
    yesterday="{clock} yesterday",
    days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    on_date="{weekday}, {month} {day}",
    the_date="{date}",
    at_date="{clock} on {date}",
    minutes=("1 minute", "{n} minutes"),
    hours=("1 hour", "{n} hours"),
    whole_days=("1 day", "{n} days"),
    in_span="in {span}",
    after_treatment="{span} after treatment",
    from_moment="from {moment}",
    until_moment="until {moment}",
)
_SPANISH = TimeWords(
    am="a. m.",
    pm="p. m.",
    hour=("la {clock}", "las {clock}"),
    evening_from=19,
    today="hoy a {clock}",
    tonight="esta noche a {clock}",
    tomorrow="mañana a {clock}",
    yesterday="ayer a {clock}",
    days=("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
    months=("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
    on_date="{weekday} {day} {month}",
    the_date="el {date}",
    at_date="el {date} a {clock}",
    minutes=("1 minuto", "{n} minutos"),
    hours=("1 hora", "{n} horas"),
    whole_days=("1 día", "{n} días"),
    in_span="en {span}",
    after_treatment="{span} después del tratamiento",
    from_moment="desde {moment}",
    until_moment="hasta {moment}",
)
TIME_WORDS = {"en": _ENGLISH, "es": _SPANISH}


def time_words(language: str) -> TimeWords:
    return TIME_WORDS.get(language, _ENGLISH)


def clock(at: datetime, language: str) -> str:
    """`11:00 pm`."""
    words = time_words(language)
    half = words.am if at.hour < 12 else words.pm
    return f"{at.hour % 12 or 12}:{at.minute:02} {half}"


def hour(at: datetime, language: str) -> str:
    """A clock time as it stands in a sentence: `11:00 pm`, `las 11:00 p. m.`."""
    one, other = time_words(language).hour
    return (one if at.hour % 12 == 1 else other).format(clock=clock(at, language))


def sentence(text: str) -> str:
    """`… a las 5:00 p. m..` ends with one stop: what stands last may bring its own."""
    return text.replace("..", ".")


def on_date(day: date, language: str) -> str:
    """`Mon, Nov 30`."""
    words = time_words(language)
    return words.on_date.format(
        weekday=words.days[day.weekday()], month=words.months[day.month - 1], day=day.day
    )


def the_date(day: date, language: str) -> str:
    """A day as it stands in a sentence: `Mon, Nov 30`, `el lun 30 nov`."""
    return time_words(language).the_date.format(date=on_date(day, language))


def moment(at: datetime, now: datetime, language: str) -> str:
    """`11:00 pm tonight`, `9:00 am tomorrow`, `2:20 pm on Mon, Nov 30`; both in the same zone."""
    words = time_words(language)
    days_ahead = (at.date() - now.date()).days
    near = {
        -1: words.yesterday,
        0: words.tonight if at.hour >= words.evening_from else words.today,
        1: words.tomorrow,
    }.get(days_ahead)
    if near is not None:
        return near.format(clock=hour(at, language))
    return dated(at, language)


def dated(at: datetime, language: str) -> str:
    """The same whenever it is read: `2:20 pm on Mon, Nov 30`."""
    words = time_words(language)
    return words.at_date.format(date=on_date(at.date(), language), clock=hour(at, language))


def span(length: timedelta, language: str) -> str:
    """`40 minutes`, `3 hours`, `5 days`: rounded down, so nothing is promised early."""
    words = time_words(language)
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 60:
        return _count(minutes, words.minutes)
    if minutes < 48 * 60:
        return _count(minutes // 60, words.hours)
    return _count(minutes // (24 * 60), words.whole_days)


def in_span(length: timedelta, language: str) -> str:
    """`in 3 hours`; rounded up, because a gate that is 2 h 50 min away is not "in 2 hours"."""
    step = timedelta(minutes=1) if length < timedelta(hours=1) else timedelta(hours=1)
    if length >= timedelta(hours=48):
        step = timedelta(days=1)
    return time_words(language).in_span.format(span=span(-(-length // step) * step, language))


def _count(number: int, forms: tuple[str, str]) -> str:
    return (forms[0] if number == 1 else forms[1]).format(n=number)
