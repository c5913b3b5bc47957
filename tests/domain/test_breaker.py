"""The circuit breaker: how long a model rests."""

from __future__ import annotations

import math

from protea.domain.breaker import FIRST_REST, LONGEST_REST, Breaker
from protea.domain.errors import Failure

BUSY = Failure(kind="overloaded", message="busy", retryable=True)


def test_it_rests_twice_as_long_each_time_up_to_a_limit() -> None:
    breaker, rests = Breaker(), []
    for _ in range(7):
        breaker = breaker.failed(BUSY, 1000.0)
        rests.append(breaker.until - 1000)
    assert rests == [FIRST_REST, 120, 240, 480, LONGEST_REST, LONGEST_REST, LONGEST_REST]


def test_a_provider_that_asks_for_longer_gets_it() -> None:
    asked = Failure(kind="rate_limit", message="later", retryable=True, retry_after=3600)
    assert Breaker().failed(asked, 0.0).until == 3600


def test_what_waiting_does_not_help_rests_for_good() -> None:
    breaker = Breaker().failed(Failure(kind="auth", message="wrong key"), 0.0)
    assert breaker.until == math.inf
    assert breaker.rests(1e12)


def test_once_rested_it_is_on_trial() -> None:
    breaker = Breaker().failed(BUSY, 0.0)
    assert breaker.rests(FIRST_REST - 1)
    assert not breaker.rests(FIRST_REST)
    assert breaker.on_trial
    assert not Breaker().on_trial
