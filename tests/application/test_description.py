"""What faces can ask: each topic is answered, in the same shape whether or not a session is open."""

from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest

from protea.adapters.tools.functions import FunctionTool
from protea.application.meter import PIECE, metered
from protea.domain.messages import Text, UserMessage
from protea.domain.usage import ModelInfo, Usage
from protea.ports.gateway import OpenSession, Topic
from tests.application.world import World, says


def plain(text: str = "x") -> str:
    """Says it again."""
    return text


def shown(number: int) -> int:
    """Has an example."""
    return number


def world() -> World:
    return World(says("hello"), tools=[plain, FunctionTool(shown, example={"number": 3}, effects=("net.egress",))])


@pytest.mark.parametrize("topic", get_args(Topic))
async def test_a_topic_has_one_shape_with_and_without_a_session(topic: Topic) -> None:
    made = world()
    without = await made.gateway.describe(topic)
    session = await made.gateway.open(OpenSession(cwd="/w"))
    within = await made.gateway.describe(topic, session)
    if isinstance(without, dict) and without:
        assert set(without) <= set(within)
    elif without is not None:
        assert type(without) is type(within)
    await made.gateway.close()


async def test_tools_are_told_with_what_they_do_and_an_example_where_they_have_one() -> None:
    made = world()
    told: dict[str, dict[str, Any]] = {each["name"]: each for each in await made.gateway.describe("tools")}
    assert set(told) == {"plain", "shown"}
    assert told["shown"]["example"] == {"number": 3}
    assert told["shown"]["effects"] == ["net.egress"]
    assert "example" not in told["plain"]
    assert "file" not in told["plain"]
    await made.gateway.close()


async def test_models_say_what_they_lack_and_nothing_where_they_lack_nothing() -> None:
    made = world()
    (model,) = (each for each in await made.gateway.describe("models") if each["id"] == "test/one")
    assert "lacks" not in model
    await made.gateway.close()


async def test_a_session_tells_its_state() -> None:
    made = world()
    session = await made.gateway.open(OpenSession(cwd="/w"))
    about = await made.gateway.describe("session", session)
    assert (about["model"], about["mode"]) == ("test/one", "normal")
    assert [mode["name"] for mode in await made.gateway.describe("modes", session)] == ["normal", "plan", "yolo"]
    await made.gateway.close()


async def test_a_long_conversation_is_measured_in_pieces() -> None:
    passed = 0

    async def somebody_else() -> None:
        nonlocal passed
        while True:
            await asyncio.sleep(0)
            passed += 1

    other = asyncio.create_task(somebody_else())
    messages = (UserMessage((Text("x" * 40),)),) * 4000
    told = await metered(
        ModelInfo("a/b"), None, system=(), instructions=0, tools=(), messages=messages, summed_up=False, seen=Usage()
    )
    other.cancel()
    assert told["used"] == 4000 * (40 + 20) // 4  # as `length_of` has it
    assert passed >= 4000 // PIECE - 1
