"""A model whose replies are values, for tests of whatever asks one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from inspect import isawaitable

from protea.domain.errors import Failure, ModelError
from protea.domain.messages import Text, Thinking
from protea.domain.reply import ModelRequest, Reply, ReplyPiece, TextPiece, ThinkingPiece
from protea.domain.script import ScriptedCall, ScriptedReply, pieces_of, reply_of
from protea.domain.usage import ModelInfo

Given = str | ScriptedCall | ScriptedReply | Reply | Failure
Step = Given | Callable[[ModelRequest], Given | Awaitable[Given]]
"""What is answered: a text, a call, a whole reply, an error; or a function of the request that tells it."""


class ScriptedModel:
    """`Model` over a list of steps, one for each request; a request too many is a fault of the test.

        model = ScriptedModel(ScriptedCall("Read", {"path": "a.txt"}), "It says hello.")

    Every request is kept in `requests`. With a `gate`, each piece waits for a permit of it, so a test can stop the
    stream anywhere: `gate = asyncio.Semaphore(0)`, then `gate.release()` for each piece.
    """

    def __init__(self, *steps: Step, info: ModelInfo | None = None, gate: asyncio.Semaphore | None = None) -> None:
        self.requests: list[ModelRequest] = []
        self.closed = False
        self._steps = list(steps)
        self._info = info or ModelInfo("scripted/one")
        self._gate = gate

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def left(self) -> int:
        """Steps that were not played."""
        return len(self._steps)

    def add(self, *steps: Step) -> None:
        self._steps += steps

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece, None]:
        number = len(self.requests)
        self.requests.append(request)
        if not self._steps:
            raise AssertionError(f"the script is over, and request {number + 1} came")
        step = self._steps.pop(0)
        given = step(request) if callable(step) else step
        told = await given if isawaitable(given) else given
        for piece in _played(told, number, self._info.id):
            if self._gate is not None:
                await self._gate.acquire()
            if request.stream or isinstance(piece, Reply):
                yield piece
        failure = _failure(told)
        if failure is not None:
            raise ModelError(failure)

    async def warm(self) -> None:
        """Nothing is opened ahead."""

    async def aclose(self) -> None:
        self.closed = True


def _failure(told: Given) -> Failure | None:
    if isinstance(told, Failure):
        return told
    return told.error if isinstance(told, ScriptedReply) else None


def _played(told: Given, number: int, model: str) -> list[ReplyPiece]:
    if isinstance(told, Failure):
        return []
    if isinstance(told, Reply):
        said: list[ReplyPiece] = []
        for part in told.content:
            if isinstance(part, Text):
                said.append(TextPiece(part.text))
            elif isinstance(part, Thinking):
                said.append(ThinkingPiece(part.text))
        return [*said, told]
    if isinstance(told, str):
        told = ScriptedReply(text=told)
    elif isinstance(told, ScriptedCall):
        told = ScriptedReply(tool_calls=(told,))
    pieces = list(pieces_of(told))
    return pieces if told.error is not None else [*pieces, reply_of(told, number, model)]
