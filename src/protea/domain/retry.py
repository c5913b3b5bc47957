"""When to ask a provider again. Pure; `application.asking` waits."""

from __future__ import annotations

from protea.domain.errors import Failure

MOST_ATTEMPTS = 5
LONGEST_TOTAL = 120.0
"""Seconds spent waiting for one reply, all attempts together."""
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0


def next_delay(failure: Failure, attempt: int, waited: float, jitter: float, most: int = MOST_ATTEMPTS) -> float | None:
    """Seconds to wait before attempt `attempt + 1`, or None to give up.

    `attempt` counts from 1, `waited` is what was waited so far, `jitter` is from 0 to 1, `most` is how many attempts
    there may be. What the provider asks for (`retry_after`) is obeyed; where that is longer than we may wait, giving up
    now is the honest answer.
    """
    if not failure.retryable or attempt >= most:
        return None
    if failure.retry_after is not None:
        delay = max(0.0, failure.retry_after) + 0.1 * jitter
    else:
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)) * (0.5 + jitter / 2)
    return delay if waited + delay <= LONGEST_TOTAL else None
