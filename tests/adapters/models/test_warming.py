"""While a person types, what the first request needs is done; connections serve turn after turn."""

from __future__ import annotations

from typing import Any

import pytest

from protea.domain.commands import SetModel, SubmitPrompt
from protea.domain.events import TurnFinished
from protea.ports.gateway import OpenSession
from protea.testing.loopback import LoopbackProvider
from protea.testing.model_source import TableModelSource
from tests.adapters.models.test_loopback import SPEAKERS, speaker
from tests.application.world import World, of


async def told(world: World, session: str) -> list[Any]:
    return [event async for event in world.turn(session, SubmitPrompt(text="go"))]


@pytest.mark.parametrize("name", SPEAKERS)
async def test_a_connection_stands_before_the_first_prompt_and_serves_every_turn(name: str) -> None:
    async with LoopbackProvider("Hello.") as provider:
        world = World()
        world.source = TableModelSource(speaker(name, provider))
        session = await world.gateway.open(OpenSession(cwd="/w", model=world.source.default()))
        await provider.connected(1, within=30)
        assert provider.requests == []
        for _ in range(3):
            assert of(await told(world, session), TurnFinished)[0].outcome == "finished"
        assert provider.connections == 1
        assert {request.connection for request in provider.requests} == {1}
        await world.gateway.close()


async def test_a_model_that_is_chosen_is_warmed_too() -> None:
    async with LoopbackProvider("Hello.") as first, LoopbackProvider("Hello.") as second:
        world = World()
        world.source = TableModelSource(speaker("anthropic", first), speaker("ollama", second))
        session = await world.gateway.open(OpenSession(cwd="/w", model=world.source.default()))
        await world.gateway.submit(session, SetModel(model="ollama/qwen3"))
        await second.connected(1, within=30)
        await world.gateway.close()


async def test_without_anybody_there_nothing_is_done_ahead() -> None:
    async with LoopbackProvider("Hello.") as provider:
        world = World()
        world.source = TableModelSource(speaker("anthropic", provider))
        await world.gateway.open(OpenSession(cwd="/w", model=world.source.default(), interactive=False))
        await world.gateway.close()
        assert provider.connections == 0


async def test_a_provider_that_cannot_be_reached_is_told_by_the_request_and_not_before() -> None:
    world = World()

    class Nowhere:
        def url(self, _wire: str) -> str:
            return "http://127.0.0.1:9"

    model = speaker("anthropic", Nowhere())  # type: ignore[arg-type]  # an address is all that is asked of it
    world.source = TableModelSource(model)
    session = await world.gateway.open(OpenSession(cwd="/w", model=world.source.default()))
    await model.warm()
    error = of(await told(world, session), TurnFinished)[0].error
    assert error is not None
    assert error.kind == "connection"
    await world.gateway.close()
