"""Names from the time and the machine's source of randomness."""

from __future__ import annotations

import os

import msgspec

from protea.ports.clock import Clock

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are read for one another."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


def create(options: Options, *, clock: Clock) -> SystemIds:
    return SystemIds(clock)


class SystemIds:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def session(self) -> str:
        """`20261121-040506-k3f9`: UTC to the second, then four letters."""
        day, _, time = self._clock.now().partition("T")
        return f"{day.replace('-', '')}-{time[:8].replace(':', '')}-{_random(4)}"

    def short(self, kind: str) -> str:
        # Ten letters: a session may be resumed for years, by processes that know nothing of each other.
        return f"{kind}_{_random(10)}"


def _random(length: int) -> str:
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in os.urandom(length))
