"""A choice of the latest messages, which tells what it was asked."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.messages import Message
from protea.domain.window import turns


class LastTurns:
    """`Context` that shows the last `most` turns; `rooms` keeps how much room each request had."""

    def __init__(self, most: int = 1) -> None:
        self._most = most
        self.rooms: list[int | None] = []

    def choose(
        self, messages: tuple[Message, ...], *, room: int | None, count: Callable[[Message], int]
    ) -> tuple[Message, ...]:
        self.rooms.append(room)
        return tuple(message for turn in turns(messages)[-self._most :] for message in turn)
