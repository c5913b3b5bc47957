"""Turns of the offline model with the built-in tools on a real folder, without the application around them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from protea.adapters.models import offline
from protea.adapters.sandbox import none
from protea.adapters.tools import builtin
from protea.adapters.workspace import disk
from protea.domain.messages import (
    AssistantMessage,
    Message,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    calls_of,
    text_of,
)
from protea.domain.reply import ModelRequest, Reply
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolResult, ToolSpec
from protea.testing.search import ListSearch
from protea.testing.toolset import RecordedCall
from protea.testing.web import ScriptedWeb

SPECS = builtin.specs(builtin.Options())


class Talk:
    """A conversation with the offline model in `folder`. `denied` tools answer as the permission engine would."""

    def __init__(
        self,
        folder: Path,
        *,
        denied: Sequence[str] = (),
        offered: Sequence[ToolSpec] = SPECS,
        answer: str | None = None,
        schema: dict[str, Any] | None = None,
    ) -> None:
        around = Surroundings(
            cwd=str(folder),
            root=str(folder),
            user_home=str(folder),
            protea_home=str(folder / ".protea"),
            environment={"PATH": "/usr/local/bin:/usr/bin:/bin"},
        )
        self.folder = folder
        self.messages: list[Message] = []
        self.calls: list[ToolCall] = []
        self.turns = 0
        self._denied = denied
        self._offered = tuple(offered)
        self._answer = answer
        self._schema = schema
        self._sandbox = none.create(none.Options())
        self._tools = builtin.create(
            builtin.Options(),
            workspace=disk.create(disk.Options(), surroundings=around),
            sandbox=self._sandbox,
            surroundings=around,
            web=ScriptedWeb(),
            search=ListSearch(),
        )
        self._model = offline.create(offline.Options())

    async def ask(self, prompt: str) -> str:
        """The answer to a prompt; the calls it took are added to `calls`."""
        self.messages.append(UserMessage((Text(prompt),)))
        self.turns = 0
        while True:
            self.turns += 1
            assert self.turns < 30, "the turn does not end"
            request = ModelRequest(tuple(self.messages), tools=self._offered, schema=self._schema)
            *_, last = [piece async for piece in self._model.stream(request)]
            assert isinstance(last, Reply)
            self.messages.append(AssistantMessage(last.content, last.model))
            calls = calls_of(last.content)
            if not calls:
                return text_of(last.content)
            for call in calls:
                result = await self._run(call)
                self.messages.append(ToolMessage(call.id, call.name, result.text, result.is_error))

    async def _run(self, call: ToolCall) -> ToolResult:
        self.calls.append(call)
        assert not isinstance(call.arguments, msgspec.UnsetType)
        spec = next(spec for spec in self._offered if spec.name == call.name)
        jsonschema.validate(call.arguments, spec.parameters)
        if call.name in self._denied:
            return ToolResult("Not allowed: a rule is against it", is_error=True)
        tool = self._tools.tool(call.name)
        assert tool is not None
        return await tool.run(call.arguments, RecordedCall(str(self.folder), answer=self._answer))

    async def aclose(self) -> None:
        await self._tools.aclose()
        await self._sandbox.aclose()
