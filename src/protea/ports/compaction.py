"""The port that makes a conversation smaller. Swap class: hot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from protea.domain.messages import Message


class Shrunk(msgspec.Struct, frozen=True):
    """What became of a conversation."""

    messages: tuple[Message, ...]
    what: str = ""
    """What was done, in words for a person; empty where nothing was."""


class Compaction(Protocol):
    """Shrinks what the model is shown; the log keeps it all.

    The result is whole: every call has its result right after it, and the last prompt is as it was. While there is
    room, the very messages it was given come back. What was small enough already is never made larger.
    """

    async def shrink(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> Shrunk:
        """Make it fit `room` tokens, as far as this way of shrinking can; None where no limit is known.

        May ask a model, and then raise `ModelError`.
        """
        ...
