"""What the log of the process says of a session."""

from __future__ import annotations

import logging

import pytest

from protea.domain.errors import Failure
from protea.ports.gateway import OpenSession
from tests.application.world import World, calls, says


def look() -> str:
    """Look."""
    return "a secret wall"


async def lines(caplog: pytest.LogCaptureFixture, world: World, level: int) -> list[str]:
    with caplog.at_level(level, "protea.sessions"):
        await world.run("my private prompt")
    return [f"{record.levelname.lower()} {record.getMessage()}" for record in caplog.records]


async def test_each_event_is_a_line_without_any_text_of_the_conversation(caplog: pytest.LogCaptureFixture) -> None:
    told = await lines(caplog, World(calls(("look", {})), says("my answer"), tools=[look]), logging.DEBUG)
    shown = [" ".join(line.split()[3:5]) for line in told]
    assert shown[:3] == ["session_started test", shown[1], shown[2]]
    assert [line.rpartition(" ")[2] for line in told if "tool_call_changed" in line][-1] == "success"
    assert any(line.startswith("debug") and "turn_finished" in line and "after 2 replies" in line for line in told)
    assert not any(word in line for line in told for word in ("private", "secret", "answer"))


async def test_by_default_only_what_went_wrong_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert await lines(caplog, World(says("fine")), logging.WARNING) == []
    failed = Failure(kind="auth", message="The key is wrong.", retryable=False)
    (line,) = await lines(caplog, World(failed), logging.WARNING)
    assert line.startswith("warning ")
    assert "turn_finished" in line
    assert "auth: The key is wrong." in line


async def test_that_a_session_began_is_information(caplog: pytest.LogCaptureFixture) -> None:
    world = World(says("fine"))
    with caplog.at_level(logging.INFO, "protea.sessions"):
        await world.gateway.open(OpenSession(cwd="/w"))
        await world.gateway.close()
    assert ["session_started" in record.getMessage() for record in caplog.records] == [True]
