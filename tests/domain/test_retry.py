"""When a provider is asked again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.errors import WEB_PAGE, Failure
from protea.domain.retry import LONGEST_TOTAL, MOST_ATTEMPTS, MOST_UNREADABLE, next_delay

BUSY = Failure(kind="overloaded", message="busy", retryable=True)


def test_nothing_is_asked_again_where_waiting_cannot_help() -> None:
    assert next_delay(Failure(kind="auth", message="wrong key"), 1, 0.0, 0.5) is None


def test_the_provider_s_own_delay_is_obeyed() -> None:
    asked = Failure(kind="rate_limit", message="slow", retryable=True, retry_after=7.0)
    delay = next_delay(asked, 1, 0.0, 0.0)
    assert delay == 7.0


def test_a_delay_longer_than_we_may_wait_gives_up_at_once() -> None:
    asked = Failure(kind="rate_limit", message="slow", retryable=True, retry_after=LONGEST_TOTAL + 1)
    assert next_delay(asked, 1, 0.0, 0.0) is None


@pytest.mark.parametrize("said", [("truncated", None), ("malformed", None), ("server", WEB_PAGE)])
def test_what_is_no_whole_reply_is_asked_for_three_times_at_most(said: tuple[str, str | None]) -> None:
    failure = Failure(kind=said[0], message="cut", retryable=True, code=said[1])
    attempts = [attempt for attempt in range(1, 10) if next_delay(failure, attempt, 0.0, 0.5) is not None]
    assert attempts == list(range(1, MOST_UNREADABLE))
    assert next_delay(failure, 1, 0.0, 0.5, most=1) is None


def test_delays_grow() -> None:
    delays = [next_delay(BUSY, attempt, 0.0, 1.0) for attempt in range(1, MOST_ATTEMPTS)]
    assert delays == sorted(delays, key=lambda delay: delay or 0.0)
    assert len(set(delays)) == len(delays)


@given(jitter=st.floats(0, 1), after=st.none() | st.floats(0, 200))
def test_attempts_and_waiting_are_bounded(jitter: float, after: float | None) -> None:
    failure = Failure(kind="overloaded", message="busy", retryable=True, retry_after=after)
    attempt, waited = 1, 0.0
    while (delay := next_delay(failure, attempt, waited, jitter)) is not None:
        attempt, waited = attempt + 1, waited + delay
    assert attempt <= MOST_ATTEMPTS
    assert waited <= LONGEST_TOTAL
