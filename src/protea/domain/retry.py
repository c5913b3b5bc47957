"""When to ask a provider again. Pure; `application.asking` waits."""

from __future__ import annotations

from protea.domain.errors import WEB_PAGE, Failure

MOST_ATTEMPTS = 5
MOST_UNREADABLE = 3
"""Attempts where what came was no whole reply of this wire: it was paid for, and seldom passes by itself."""
LONGEST_TOTAL = 120.0
"""Seconds spent waiting for one reply, all attempts together."""
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0


def most_attempts(failure: Failure) -> int:
    """How often a request may be made that ends like this."""
    unreadable = failure.kind in ("truncated", "malformed") or failure.code == WEB_PAGE
    return MOST_UNREADABLE if unreadable else MOST_ATTEMPTS


def next_delay(failure: Failure, attempt: int, waited: float, jitter: float, most: int = MOST_ATTEMPTS) -> float | None:
    """Seconds to wait before attempt `attempt + 1`, or None to give up.

    `attempt` counts from 1, `waited` is what was waited so far, `jitter` is from 0 to 1, `most` is how many attempts
    there may be. What the provider asks for (`retry_after`) is obeyed; where that is longer than we may wait, giving up
    now is the honest answer.
    """
    if not failure.retryable or attempt >= min(most, most_attempts(failure)):
        return None
    if failure.retry_after is not None:
        delay = max(0.0, failure.retry_after) + 0.1 * jitter
    else:
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)) * (0.5 + jitter / 2)
    return delay if waited + delay <= LONGEST_TOTAL else None
