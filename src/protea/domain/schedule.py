"""When something is due: cron's five fields, names for the usual ones, intervals and single times. Pure.

Times are naive datetimes of one time zone; what zone that is, is the caller's business.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec

YEARS = 8
"""How far ahead is looked: 29 February comes within them, also around a year that has none at a century's turn."""

NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LEAST = 60
"""Seconds between two times of an interval."""


class Cron(msgspec.Struct, frozen=True):
    """Five fields. Where both days are restricted, either will do, as in every cron."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either_day: bool


class Every(msgspec.Struct, frozen=True):
    seconds: int


class At(msgspec.Struct, frozen=True):
    time: datetime


When = Cron | Every | At


def parse(text: str, now: datetime) -> When:
    """Raises `ValueError` in words for a person. `now` is what `in 20m` is counted from."""
    words = " ".join(text.split())
    lowered = words.lower()
    if lowered in NAMES:
        lowered = NAMES[lowered]
    if match := re.fullmatch(r"(every|in) (?:(\d+) ?([smhdw])[a-z]*|(minute|hour|day|week))", lowered):
        seconds = int(match[2] or 1) * _UNITS[match[3] or match[4][0]]
        if match[1] == "in":
            return At(now + timedelta(seconds=seconds))
        if seconds < LEAST:
            raise ValueError(f"every {seconds} s is too often; a minute is the least")
        return Every(seconds)
    if lowered.startswith("at "):
        return At(_time(words[3:], now))
    fields = lowered.split(" ")
    if len(fields) == 5:
        return _cron(fields)
    raise ValueError(
        f"{text!r} is no time: use five fields of cron, @daily and kin, `every 30m`, `in 2h`, or `at 2026-12-01T09:00`"
    )


def written(when: When) -> str:
    """A single time as it can be read again later; the others are kept as they were typed."""
    return f"at {when.time.isoformat(timespec='seconds')}" if isinstance(when, At) else ""


def following(when: When, after: datetime, made: datetime) -> datetime | None:
    """The first time behind `after`; None where there is none. Intervals are counted from `made`."""
    match when:
        case At(time=time):
            return time if time > after else None
        case Every(seconds=seconds):
            passed = (after - made).total_seconds()
            return made + timedelta(seconds=max(1, int(passed // seconds) + 1) * seconds)
        case Cron():
            return _following(when, after)


def _time(text: str, now: datetime) -> datetime:
    if match := re.fullmatch(r"(\d{1,2}):(\d\d)", text):
        if int(match[1]) > 23 or int(match[2]) > 59:
            raise ValueError(f"{text} is no time of a day")
        today = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write it like 2026-12-01T09:00, or 09:00") from None
    if time.tzinfo is not None:
        raise ValueError(f"{text} names a zone; times are those of your own, like 2026-12-01T09:00")
    return time


def _cron(fields: list[str]) -> Cron:
    minutes, hours, days, months, weekdays = (
        _field(text, low, high, names, name)
        for text, (name, low, high, names) in zip(
            fields,
            (
                ("minute", 0, 59, ()),
                ("hour", 0, 23, ()),
                ("day", 1, 31, ()),
                ("month", 1, 12, _MONTHS),
                ("weekday", 0, 7, _DAYS),
            ),
            strict=True,
        )
    )
    sundays = frozenset(day % 7 for day in weekdays)
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    return Cron(minutes, hours, days, months, sundays, either)


def _field(text: str, low: int, high: int, names: tuple[str, ...], name: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and not (step.isdecimal() and int(step)):
            raise ValueError(f"{part!r} is no {name}: behind / stands a number from 1 up")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _number(first, low, high, names, name)
            end = _number(last, low, high, names, name) if dash else high if slash else begin
        if end < begin:
            raise ValueError(f"{part!r} is no {name}: it ends before it begins")
        found.update(range(begin, end + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, low: int, high: int, names: tuple[str, ...], name: str) -> int:
    if text in names:
        return names.index(text) + low
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise ValueError(f"{text!r} is no {name}: there are {low} to {high}")


def _following(cron: Cron, after: datetime) -> datetime | None:
    start = (after + timedelta(minutes=1)).replace(second=0, microsecond=0)
    day = start.replace(hour=0, minute=0)
    for _ in range(366 * YEARS):
        if _on(cron, day):
            for hour in sorted(cron.hours):
                for minute in sorted(cron.minutes):
                    time = day.replace(hour=hour, minute=minute)
                    if time >= start:
                        return time
        day += timedelta(days=1)
    return None


def _on(cron: Cron, day: datetime) -> bool:
    if day.month not in cron.months:
        return False
    by_month = day.day in cron.days
    by_week = day.isoweekday() % 7 in cron.weekdays
    return by_month or by_week if cron.either_day else by_month and by_week
