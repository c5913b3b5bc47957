"""The port that chooses what of the conversation the model sees. Swap class: hot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from protea.domain.messages import Message


class Context(Protocol):
    """Chooses; what is left out stays in the log.

    The same messages and room give the same choice; it never waits and never raises. What it gives are messages it
    was given, in their order and unchanged. No call is parted from its result, no answer stands first, and the last
    prompt and the last reply to it are there however little room there is.
    """

    def choose(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> tuple[Message, ...]:
        """The messages of the next request: `room` tokens, as `count` counts them; None where no limit is known."""
        ...
