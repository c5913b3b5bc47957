"""Agents and sessions that a person points at in a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from protea.application.parts import Parts
from protea.domain.commands import SubmitPrompt
from protea.domain.delegation import AgentDefinition
from protea.domain.events import NoticeGiven, PromptSubmitted
from protea.domain.messages import UserMessage, text_of
from protea.ports.gateway import OpenSession
from tests.application.world import World, of, says

REVIEWER = AgentDefinition(name="reviewer", about="reads changes", words="Be strict.", path="/x.md")


class WithAgents(World):
    def _assemble(self, spec: OpenSession) -> Parts:
        from msgspec.structs import replace

        return replace(super()._assemble(spec), named_agents=lambda: [REVIEWER])


def shown(world: World, at: int = -1) -> list[str]:
    """What the model was told by anyone who is no model."""
    return [text_of(each.content) for each in world.model.requests[at].messages if isinstance(each, UserMessage)]


async def test_an_agent_that_is_named_is_to_be_sent() -> None:
    world = WithAgents(says("ok"))
    events = await world.run("@agent-reviewer: look at main.py")
    assert shown(world)[0] == "@agent-reviewer: look at main.py"
    assert "The person wants the agent reviewer to do this" in shown(world)[1]
    assert [event.origin for event in of(events, PromptSubmitted)] == ["user", "mention"]


async def test_a_name_that_no_agent_has_is_told_to_the_person_alone() -> None:
    world = WithAgents(says("ok"))
    events = await world.run("ask @agent-reviewr about it")
    assert [each.text for each in of(events, NoticeGiven)] == [
        "there is no agent reviewr; did you mean @agent-reviewer?"
    ]
    assert len(shown(world)) == 1


@pytest.mark.parametrize("text", ["mail me@agent-reviewer.org", "an @agentic thing", "see @src/agent-reviewer"])
async def test_what_only_looks_like_one_is_text(text: str) -> None:
    world = WithAgents(says("ok"))
    events = await world.run(text)
    assert not of(events, NoticeGiven)
    assert len(shown(world)) == 1


async def two_sessions(world: World, first: Sequence[Any], text: str) -> tuple[str, list[Any]]:
    before = await world.gateway.open(OpenSession(cwd="/w"))
    for command in first:
        assert [event async for event in world.turn(before, command)]
    session = await world.gateway.open(OpenSession(cwd="/w"))
    events = [event async for event in world.turn(session, SubmitPrompt(text=text.format(id=before)))]
    return session, events


async def test_what_was_said_in_another_session_comes_along() -> None:
    world = World(says("It is 42."), says("I see"))
    _, events = await two_sessions(world, [SubmitPrompt(text="what is it?")], "go on from @session:{id}.")
    assert "> what is it?\n\nIt is 42." in shown(world)[1]
    assert [event.origin for event in of(events, PromptSubmitted)] == ["user", "mention"]
    await world.gateway.close()


async def test_whose_words_it_brings_along_count_as_heard_here() -> None:
    world = World(says("a"), says("b"))
    told = SubmitPrompt(text="from outside", origin="channel:telegram")
    session, events = await two_sessions(world, [told], "see @session:{id}")
    assert of(events, PromptSubmitted)[-1].origin == "mention:channel"
    assert world.gateway._open[session].heard == ("channel",)
    await world.gateway.close()


async def test_a_session_that_is_not_there_is_told() -> None:
    world = World(says("ok"))
    events = await world.run("see @session:nowhere")
    assert "nowhere" in of(events, NoticeGiven)[0].text
    assert "is not there: @session:nowhere" in shown(world)[1], "the model says so, and makes nothing up"


async def test_what_is_steered_points_as_well() -> None:
    from protea.application.mentions import mentions

    (found,) = mentions("now (@agent-reviewer) and @agent-reviewer again", [REVIEWER], World().store, "s")
    assert "agent reviewer" in found.told


async def test_it_is_no_words_of_the_persons() -> None:
    world = WithAgents(says("ok"))
    session = await world.gateway.open(OpenSession(cwd="/w"))
    assert [event async for event in world.turn(session, SubmitPrompt(text="@agent-reviewer go"))]
    assert world.gateway._open[session].transcript.prompts == ["@agent-reviewer go"]
    await world.gateway.close()
