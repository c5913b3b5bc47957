"""When a model that failed may be asked again: a circuit breaker. Pure; held by `application.lineup`."""

from __future__ import annotations

import math

import msgspec

from protea.domain.errors import Failure

FIRST_REST = 60.0
"""Seconds a model rests after it failed; doubled each time it fails again."""
LONGEST_REST = 900.0


class Breaker(msgspec.Struct, frozen=True):
    """What is remembered of one model. A success makes it a new one."""

    failures: int = 0
    """In a row, each after all retries."""
    until: float = 0.0
    """Seconds of the monotonic clock; infinite where waiting does not help (a wrong key, no credits)."""

    def failed(self, failure: Failure, now: float) -> Breaker:
        """After one more failure."""
        if not failure.retryable:
            return Breaker(self.failures + 1, math.inf)
        rest = min(LONGEST_REST, FIRST_REST * 2.0**self.failures)
        return Breaker(self.failures + 1, now + max(rest, failure.retry_after or 0.0))

    def rests(self, now: float) -> bool:
        """Whether it is not to be asked yet."""
        return now < self.until

    @property
    def on_trial(self) -> bool:
        """Whether its next request is a trial: one attempt, without the patience others are given."""
        return self.failures > 0
