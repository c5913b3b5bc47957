"""What a tool is given when a test calls it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from protea.domain.looking_back import Recalled
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import Beside, Toolset


class RecordedCall:
    """`ToolContext` that keeps what was said; outputs go to files in `folder`, numbered. Parts of the call are run by
    `toolset`, and nobody is asked."""

    def __init__(
        self,
        folder: str,
        *,
        call_id: str = "call",
        answer: str | None = None,
        unreadable: Collection[str] = (),
        toolset: Toolset | None = None,
        writes: Literal["kept", "discarded", "refused"] = "kept",
        beside: Beside | None = None,
    ) -> None:
        self.beside = beside
        self.writes = writes
        self.folder = folder
        self.unreadable = unreadable
        """Absolute paths that `may_read` refuses."""
        self.session = "session"
        self.call_id = call_id
        self.answer = answer
        self.toolset = toolset
        self.past: list[Recalled] = []
        """What `recall` looks through."""
        self.parts: list[tuple[str, dict[str, Any]]] = []
        """The calls that were made as parts of this one."""
        self.said: list[tuple[Literal["stdout", "stderr"], str]] = []

    @property
    def text(self) -> str:
        """All that was said, joined."""
        return "".join(text for _, text in self.said)

    def may_read(self, path: str) -> bool:
        return path not in self.unreadable

    def say(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        self.said.append((stream, text))

    async def recall(self, wanted: str, limit: int) -> Sequence[Recalled]:
        return [each for each in self.past if wanted in each.text][:limit]

    def tools(self) -> Sequence[ToolSpec]:
        return () if self.toolset is None else self.toolset.specs()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        self.parts.append((name, dict(arguments)))
        tool = None if self.toolset is None else self.toolset.tool(name)
        if tool is None:
            return ToolResult(text=f"There is no tool named {name}.", is_error=True)
        return await tool.run({tool.spec.aliases.get(key, key): value for key, value in arguments.items()}, self)

    def output_path(self, suffix: str = ".txt") -> str:
        number = len(os.listdir(self.folder))
        return os.path.join(self.folder, f"{number}-{self.call_id}{suffix}")
