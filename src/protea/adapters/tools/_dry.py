"""What a call would change: the tool itself, over a workspace that keeps its hands still. Called by `builtin`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Literal

from protea.adapters.tools._kit import Kit
from protea.domain.looking_back import Recalled
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import Tool
from protea.ports.workspace import Entry, Workspace, WorkspaceError


async def preview(tool: Tool, arguments: Mapping[str, Any]) -> str | None:
    """The unified diff, or None where the call would change nothing."""
    result = await tool.run(arguments, _Nobody())
    return None if result.is_error else result.diff


def still(kit: Kit, may_read: Callable[[str], bool]) -> Kit:
    """The kit of a tool that only says what it would do, and opens only what may be read."""
    dry = copy(kit)
    dry.workspace = _Still(kit.workspace, may_read)
    dry.seen = dict(kit.seen)
    dry.diagnostics = None
    return dry


class _Still:
    """`Workspace` whose writes are accepted and forgotten."""

    def __init__(self, workspace: Workspace, may_read: Callable[[str], bool]) -> None:
        self._workspace = workspace
        self._may_read = may_read

    @property
    def roots(self) -> Sequence[str]:
        return self._workspace.roots

    @property
    def on_disk(self) -> bool:
        return self._workspace.on_disk

    async def stat(self, path: str) -> Entry:
        return await self._workspace.stat(path)

    async def list(self, path: str) -> Sequence[Entry]:
        return await self._workspace.list(path)

    async def read(self, path: str, *, start: int = 0, size: int | None = None) -> bytes:
        if not self._may_read(path):  # what a person has not allowed to be read must not get into a question's diff
            raise WorkspaceError("denied", f"{path} may not be read")
        return await self._workspace.read(path, start=start, size=size)

    async def write(self, path: str, data: bytes, *, expect: Entry | None = None) -> Entry:
        try:
            return await self._workspace.stat(path)
        except WorkspaceError:
            return Entry(path=path, kind="file", size=len(data))

    async def remove(self, path: str) -> None:
        await self._workspace.stat(path)


class _Nobody:
    """`ToolContext` of a call that is not made."""

    session = call_id = ""
    answer: str | None = None
    beside = None
    writes: Literal["kept", "discarded", "refused"] = "refused"

    def may_read(self, path: str) -> bool:
        return False

    def say(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Nobody listens."""

    async def recall(self, wanted: str, limit: int) -> Sequence[Recalled]:
        return ()

    def tools(self) -> Sequence[ToolSpec]:
        return ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult(text="A preview calls nothing.", is_error=True)

    def output_path(self, suffix: str = ".txt") -> str:
        raise WorkspaceError("denied", "a preview keeps no output")
