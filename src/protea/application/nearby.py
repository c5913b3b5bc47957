"""Instruction files about what the model has just touched: told once, before its next reply. Made by `turns`."""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Iterator, Sequence

from protea.application.hub import Hub
from protea.domain.events import InstructionsFound
from protea.domain.messages import ToolCall
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolResult
from protea.domain.transcript import Transcript
from protea.ports.instructions import Instructions

_PATHS = ("path", "file_path", "notebook_path")
"""Arguments that name a file."""


class Nearby:
    """For one turn of a session."""

    def __init__(
        self,
        instructions: Instructions,
        around: Surroundings,
        cwd: Callable[[], str | None],
        transcript: Transcript,
        hub: Hub,
        look: Callable[[Sequence[str]], Awaitable[None]] | None,
    ) -> None:
        """`look`, if there is need of it, is awaited with files (absolute) before anything is read about them."""
        self._instructions = instructions
        self._around = around
        self._cwd = cwd
        self._transcript = transcript
        self._hub = hub
        self._look = look
        self._looked: set[str] = set()
        """Files whose surroundings are known by now."""

    async def after_calls(self, ran: Sequence[tuple[ToolCall, ToolResult]]) -> None:
        """Record what the instruction files say of the files these calls named, where it is new to the model."""
        base = self._cwd() or self._around.cwd
        touched = [posixpath.join(base, path) for call, result in ran if result.denied is None for path in _named(call)]
        if base != self._around.cwd:
            touched.append(base)  # a command went there
        new = [path for path in dict.fromkeys(touched) if path not in self._looked]
        if not new:
            return
        self._looked.update(new)
        if self._look is not None:
            await self._look(new)
        found = self._instructions.near(self._around.cwd, new)
        self._hub.record(
            *(
                InstructionsFound(path=each.path, text=each.text)
                for each in found
                if each.path not in self._transcript.instructed
            )
        )


def _named(call: ToolCall) -> Iterator[str]:
    """The files a call names, as it names them."""
    if not isinstance(call.arguments, dict):
        return
    for name in _PATHS:
        value = call.arguments.get(name)
        if isinstance(value, str) and "\0" not in value:
            yield value
    patch = call.arguments.get("patch")
    if isinstance(patch, str):
        from protea.domain.patch import PatchError, parse  # the call that used it has loaded it

        try:
            yield from (change.path for change in parse(patch))
        except PatchError:
            return
