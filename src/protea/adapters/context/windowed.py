"""The latest turns that fit, and those of the older ones that have most to do with the prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec

from protea.domain.messages import Message
from protea.domain.window import Measured, windowed


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.9
    """Of the room there is; the rest is for what an estimate of tokens misses."""
    most: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Tokens at most, also where the model could see more or nobody knows how much it can see."""
    recall: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Older turns that are shown again because they share words with the prompt. Each new prompt may choose others,
    and what changes at the beginning of a request is paid for anew."""


class Windowed:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._measured = Measured()

    def choose(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> tuple[Message, ...]:
        limits = [int(room * self._options.share)] if room is not None else []
        if self._options.most is not None:
            limits.append(self._options.most)
        if not limits:
            return messages
        room, recall = max(1, min(limits)), self._options.recall
        return windowed(messages, room=room, count=count, recall=recall, measured=self._measured)


def create(options: Options) -> Windowed:
    return Windowed(options)
