"""Cache discipline, on the bytes of every wire: a request begins with the one before, or a notice says why not."""

from __future__ import annotations

from typing import Any

import pytest

from protea.adapters.tools.functions import FunctionTool
from protea.domain.commands import Rewind, SetMode, SetModel, Steer, SubmitPrompt
from protea.domain.events import AnyEvent, NoticeGiven, TurnFinished
from protea.domain.script import ScriptedCall, ScriptedReply
from protea.ports.gateway import OpenSession
from protea.testing.loopback import LoopbackProvider
from protea.testing.model_source import TableModelSource
from tests.adapters.models.test_loopback import SPEAKERS, speaker
from tests.application.world import World, of

LONG = "It is a long story, and it goes on. " * 200


async def look(path: str = "") -> str:
    """Look at a file."""
    return f"{path}: {LONG}"


class Modes:
    """A persona whose words depend on the mode, as those of the real ones do."""

    def system(self, *, cwd: str, model: str, mode: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        return ("You are a test.", f"The mode is {mode}.")


STEPS = [
    ScriptedReply(thinking="Where?", tool_calls=(ScriptedCall("look", {"path": "a"}), ScriptedCall("look", {}))),
    ScriptedReply(text=LONG),
] * 8


class Talk:
    """One session that speaks to the loopback provider over a wire of its choice."""

    def __init__(self, provider: LoopbackProvider, *names: str) -> None:
        self.provider = provider
        self.world = World(tools=[FunctionTool(look, parallel=True)])
        self.models = [speaker(name, provider) for name in names]
        self.world.source = TableModelSource(self.models[0], *self.models[1:])
        self.world.fixed.system = Modes().system  # type: ignore[method-assign]  # its persona, another one
        self.session = ""

    async def turn(self, text: str = "go", command: Any = None) -> list[AnyEvent]:
        if not self.session:
            self.session = await self.world.gateway.open(OpenSession(cwd="/w", model=self.models[0].info.id))
        if command is not None:
            await self.world.gateway.submit(self.session, command)
        events = [event async for event in self.world.turn(self.session, SubmitPrompt(text=text))]
        assert of(events, TurnFinished)[0].outcome == "finished", of(events, TurnFinished)
        return events


@pytest.mark.parametrize("name", SPEAKERS)
async def test_turn_after_turn_the_request_begins_with_the_one_before(name: str) -> None:
    async with LoopbackProvider(STEPS, strict=True, after="fail") as provider:
        talk = Talk(provider, name)
        events = [event for _ in range(4) for event in await talk.turn()]
        assert len(provider.requests) == 8
        assert provider.prefix_kept(), provider.prefix_kept().breaks
        assert of(events, NoticeGiven) == []
        await talk.world.gateway.close()


@pytest.mark.parametrize("name", SPEAKERS)
async def test_what_is_steered_in_keeps_it(name: str) -> None:
    async with LoopbackProvider(STEPS, strict=True, after="fail") as provider:
        talk = Talk(provider, name)
        await talk.turn()
        gateway, seen = talk.world.gateway, await talk.world.gateway.history(talk.session)
        await gateway.submit(talk.session, SubmitPrompt(text="go"))
        await gateway.submit(talk.session, Steer(text="and quickly"))
        async for event in gateway.events(talk.session, seen[-1].seq or 0):
            if isinstance(event, TurnFinished):
                break
        await talk.turn()
        assert provider.prefix_kept(), provider.prefix_kept().breaks
        await gateway.close()


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (SetMode(mode="plan"), "the system prompt (mode_changed to plan)"),
        (SetModel(model="other"), "the model (model_switched to"),
    ],
    ids=["mode", "model"],
)
@pytest.mark.parametrize("name", SPEAKERS)
async def test_an_event_that_breaks_it_is_named_in_a_warning(name: str, command: Any, named: str) -> None:
    other = "chat" if name != "chat" else "ollama"
    async with LoopbackProvider(STEPS, strict=True, after="fail") as provider:
        talk = Talk(provider, name, other)
        if isinstance(command, SetModel):
            command = SetModel(model=talk.models[1].info.id)
        await talk.turn()
        (notice,) = of(await talk.turn(command=command), NoticeGiven)
        assert notice.level == "warning"
        assert f"The cached beginning ends at {named}" in notice.text
        assert not provider.prefix_kept()
        assert of(await talk.turn(), NoticeGiven) == [], "it is told once"
        assert provider.prefix_kept(first=2), provider.prefix_kept(first=2).breaks
        await talk.world.gateway.close()


async def test_a_rewind_reads_nothing_anew_and_needs_no_warning() -> None:
    async with LoopbackProvider(STEPS, strict=True, after="fail") as provider:
        talk = Talk(provider, "anthropic")
        first = await talk.turn()
        await talk.turn()
        await talk.world.gateway.submit(talk.session, Rewind(to=of(first, TurnFinished)[0].seq or 0))
        assert of(await talk.turn("otherwise"), NoticeGiven) == []
        await talk.world.gateway.close()


async def test_a_short_conversation_is_not_worth_a_warning() -> None:
    async with LoopbackProvider("Short.") as provider:
        talk = Talk(provider, "anthropic")
        await talk.turn()
        assert of(await talk.turn(command=SetMode(mode="plan")), NoticeGiven) == []
        await talk.world.gateway.close()
