"""Ten turns with tools, thinking and images, another provider at each, through whole sessions and over real HTTP.

The provider is strict: a request its wire would refuse ends the turn. Every ordered pair of wires is gone through.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from protea.adapters.tools.functions import FunctionTool
from protea.domain.commands import SetModel, SubmitPrompt
from protea.domain.events import MessageCompleted, ToolCallChanged, TurnFinished
from protea.domain.messages import Image, Thinking
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.domain.tools import ToolResult
from protea.ports.gateway import OpenSession
from protea.testing.loopback import LoopbackProvider
from protea.testing.model_source import TableModelSource
from tests.adapters.models.test_loopback import SPEAKERS, speaker
from tests.application.consistency import faults
from tests.application.world import World, of

PIXEL = Image(
    "image/png", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TURNS = 10


async def look(path: str = "") -> str:
    """Look at a file."""
    return f"{path or 'all'}: stars"


async def picture() -> ToolResult:
    """Look at a picture."""
    return ToolResult(text="A picture.", images=(PIXEL,))


def steps() -> list[ScriptedReply]:
    """Two replies a turn: thoughts and calls, then thoughts and an answer."""
    calls = [
        (ScriptedCall("look", {"path": "a"}),),
        (ScriptedCall("look", {"path": "b"}), ScriptedCall("look", {}), ScriptedCall("picture", {})),
        (ScriptedCall("picture", {}),),
        (ScriptedCall("look", {"pth": 1}), ScriptedCall("nobody", {"x": 1})),
    ]
    out = []
    for turn in range(TURNS):
        text = "Let me see." if turn % 2 else ""
        out.append(ScriptedReply(thinking="Where to look?", text=text, tool_calls=calls[turn % len(calls)]))
        out.append(ScriptedReply(thinking="So it is." if turn % 3 else "", text=f"Stars, {turn}."))
    return out


@pytest.mark.parametrize("pair", list(itertools.product(SPEAKERS, SPEAKERS)), ids="/".join)
async def test_a_conversation_goes_through_every_change_of_provider(pair: tuple[str, str]) -> None:
    async with LoopbackProvider(steps(), after="fail", strict=True) as provider:
        world = World(tools=[FunctionTool(look, parallel=True), picture])
        models: list[Any] = [speaker(name, provider) for name in dict.fromkeys(pair)]
        world.source = TableModelSource(*models)
        ids = [models[0].info.id, models[-1].info.id]
        session = await world.gateway.open(OpenSession(cwd="/w", model=ids[0]))
        for turn in range(TURNS):
            effort = ("high", None, "low")[turn % 3]
            await world.gateway.submit(session, SetModel(model=ids[turn % 2], effort=effort))
            prompt = SubmitPrompt(text=f"Look, {turn}.", images=(PIXEL,) if turn % 3 == 0 else ())
            events = [event async for event in world.turn(session, prompt)]
            (ended,) = of(events, TurnFinished)
            assert ended.outcome == "finished", f"turn {turn}: {ended.error}"
            said = of(events, MessageCompleted)
            assert [event.model for event in said] == [ids[turn % 2]] * 2
            assert any(isinstance(part, Thinking) for part in said[0].content)
            ends = [event.state for event in of(events, ToolCallChanged) if event.result is not None]
            assert ends == (["error"] * 2 if turn % 4 == 3 else ["success"] * (3 if turn % 4 == 1 else 1))
        log = list(world.store.read(session))
        assert faults(log) == []
        assert [request.status for request in provider.requests] == [200] * 2 * TURNS
        await world.gateway.close()
