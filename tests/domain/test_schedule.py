"""When something is due."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.schedule import At, Cron, following, parse, written

NOW = datetime(2026, 11, 21, 4, 5, 6)  # a Saturday


def nexts(when: str, count: int = 3, after: datetime = NOW) -> list[str]:
    parsed, found = parse(when, after), []
    time: datetime | None = after
    for _ in range(count):
        time = following(parsed, time, after) if time is not None else None
        found.append(time.isoformat(" ", "minutes") if time is not None else "never")
    return found


@pytest.mark.parametrize(
    ("when", "times"),
    [
        ("*/15 * * * *", ["2026-11-21 04:15", "2026-11-21 04:30", "2026-11-21 04:45"]),
        ("0 9 * * 1-5", ["2026-11-23 09:00", "2026-11-24 09:00", "2026-11-25 09:00"]),
        ("0 9 * * MON,wed", ["2026-11-23 09:00", "2026-11-25 09:00", "2026-11-30 09:00"]),
        ("30 8 1 jan *", ["2027-01-01 08:30", "2028-01-01 08:30", "2029-01-01 08:30"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
        ("0 0 13 * 5", ["2026-11-27 00:00", "2026-12-04 00:00", "2026-12-11 00:00"]),
        ("0 0 */10 * 0", ["2027-01-31 00:00", "2027-02-21 00:00", "2027-03-21 00:00"]),
        ("0 12 * * 7", ["2026-11-22 12:00", "2026-11-29 12:00", "2026-12-06 12:00"]),
        ("5/20 4 * * *", ["2026-11-21 04:25", "2026-11-21 04:45", "2026-11-22 04:05"]),
        ("@daily", ["2026-11-22 00:00", "2026-11-23 00:00", "2026-11-24 00:00"]),
        ("every 90m", ["2026-11-21 05:35", "2026-11-21 07:05", "2026-11-21 08:35"]),
        ("every hour", ["2026-11-21 05:05", "2026-11-21 06:05", "2026-11-21 07:05"]),
        ("in 20 minutes", ["2026-11-21 04:25", "never", "never"]),
        ("at 2026-12-01T09:00", ["2026-12-01 09:00", "never", "never"]),
        ("at 09:30", ["2026-11-21 09:30", "never", "never"]),
        ("at 3:00", ["2026-11-22 03:00", "never", "never"]),
    ],
)
def test_times_follow_one_another(when: str, times: list[str]) -> None:
    assert nexts(when) == times


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("60 * * * *", "'60' is no minute: there are 0 to 59"),
        ("* * * * mond", "'mond' is no weekday"),
        ("*/0 * * * *", "a number from 1 up"),
        ("5-1 * * * *", "ends before it begins"),
        ("* * *", "five fields"),
        ("every 5s", "too often"),
        ("at noon", "write it like"),
        ("at 25:00", "no time of a day"),
        ("at 2026-12-01T09:00Z", "names a zone"),
        ("- * * * *", "no minute"),
        ("1,,2 * * * *", "no minute"),
    ],
)
def test_what_cannot_be_read_says_why(when: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(when, NOW)


def test_a_day_that_never_comes_never_comes() -> None:
    assert following(parse("0 0 30 2 *", NOW), NOW, NOW) is None


def test_a_single_time_is_written_so_that_it_can_be_read_later() -> None:
    later = written(parse("in 20m", NOW))
    assert parse(later, NOW + timedelta(days=1)) == At(NOW + timedelta(minutes=20))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)), st.integers(0, 59), st.integers(0, 23))
def test_the_next_time_is_the_first_that_fits(after: datetime, minute: int, hour: int) -> None:
    cron = parse(f"{minute} {hour} * * *", after)
    assert isinstance(cron, Cron)
    time = following(cron, after, after)
    assert time is not None
    assert after < time <= after + timedelta(days=1, minutes=1)
    assert (time.minute, time.hour, time.second) == (minute, hour, 0)
