"""Plan mode holds below the tools, whatever an engine or a person allows."""

from __future__ import annotations

from typing import Any

import pytest

from protea.adapters.tools.functions import FunctionTool
from protea.domain.events import ToolCallChanged, TurnFinished
from protea.domain.tools import ToolResult
from protea.ports.toolset import ToolContext
from protea.testing.sandbox import RecordingSandbox
from tests.application.world import World, calls, of, says


async def write(path: str, context: ToolContext) -> str:
    """Writes."""
    raise AssertionError(f"{path} was written in plan mode, {context.writes}")


async def read(path: str, context: ToolContext) -> str:
    """Reads."""
    return f"{path}: {context.writes}"


async def Bash(command: str, context: ToolContext) -> ToolResult:  # the tool's name
    """Runs."""
    return ToolResult(text=f"{command}: {context.writes}")


def tools() -> tuple[FunctionTool, ...]:
    return (
        FunctionTool(write, effects=("fs.write",)),
        FunctionTool(read, effects=("fs.read",)),
        FunctionTool(Bash, effects=("proc.exec",)),
    )


async def results(*named: tuple[str, dict[str, Any]], discards: bool = False) -> list[ToolResult]:
    world = World(calls(*named), says("done"), tools=tools())
    world.sandbox = RecordingSandbox()
    world.sandbox.throws_away = discards
    events = await world.run("go", mode="plan")
    assert of(events, TurnFinished)
    return [each.result for each in of(events, ToolCallChanged) if each.result is not None]


async def test_nothing_that_writes_or_runs_is_let_through_by_an_engine_that_allows_everything() -> None:
    wrote, looked, executed = await results(
        ("write", {"path": "x"}), ("read", {"path": "x"}), ("Bash", {"command": "make"})
    )
    assert (wrote.denied, executed.denied) == ("plan mode", "plan mode")
    assert looked.text == "x: refused"


async def test_commands_run_where_nothing_of_them_stays() -> None:
    (executed,) = await results(("Bash", {"command": "pytest"}), discards=True)
    assert executed.text == "pytest: discarded"


@pytest.mark.parametrize("mode", ["normal", "yolo"])
async def test_in_other_modes_what_is_written_stays(mode: str) -> None:
    world = World(calls(("Bash", {"command": "make"})), says("done"), tools=tools())
    events = await world.run("go", mode=mode)
    assert [each.result.text for each in of(events, ToolCallChanged) if each.result] == ["make: kept"]
