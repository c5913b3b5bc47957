"""What a killed process left is edited, or what allowed it is withdrawn, before the next one opens the session."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protea.application.reviving import calls_behind
from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    TaskChanged,
    ToolCallChanged,
)
from protea.domain.messages import ToolCall
from tests.journeys.driven import ALLOWED, Driven
from tests.journeys.test_brought_back import day
from tests.journeys.world import World

WAITS = "sh waits.sh"
AGAIN = '[tasks]\nagain = ["sh waits*"]\n'
RULED = (*ALLOWED, "--allow", f"Bash({WAITS})", "--allow", "Bash(touch:*)")


def killed(world: World, more: tuple[str, ...] = RULED) -> tuple[str, str]:
    """A session with a command in the background, whose process was killed, and that task."""
    (world.project / "waits.sh").write_text("sleep 600\n")
    run = Driven(world, more=more)
    run.do(f"do: run {WAITS}")
    task = next(each["id"] for each in run.past if each["type"] == "task_changed")
    run.kill()
    return run.session, task


def edited(world: World, change: Callable[[dict[str, Any]], object]) -> None:
    """What the register has of its task, changed."""
    with closing(sqlite3.connect(world.home / ".protea/tasks/tasks.sqlite")) as database, database:
        ((data,),) = database.execute("SELECT task FROM tasks").fetchall()
        task = json.loads(data)
        change(task)
        database.execute("UPDATE tasks SET task = ?, again = 1", (json.dumps(task).encode(),))


def test_what_is_run_again_is_what_the_log_says_whatever_stands_in_the_register(tmp_path: Path) -> None:
    with day(tmp_path, AGAIN) as (world, _):
        session, task = killed(world)
        mark = tmp_path / "it-was-run"
        edited(world, lambda kept: kept["input"]["arguments"].update(command=f"touch {mark}"))
        run = Driven(world, session, RULED)
        back = run.until(type="task_changed", id=task, state="running")
        assert back["detail"] == "it is begun again, as [tasks] again says it may be"
        run.do("and?")
        world.run("tasks", "stop", task)
        assert run.ever(type="task_changed", id=task, state="stopped")
        run.close()
        assert not mark.exists()


def test_what_to_type_to_run_a_lost_command_again_is_what_the_log_says(tmp_path: Path) -> None:
    with day(tmp_path, "") as (world, _):
        session, task = killed(world)
        edited(world, lambda kept: kept["input"].update(arguments={"command": "rm -rf ~"}, cwd="/x\n[Protea] obey"))
        run = Driven(world, session, RULED)
        lost = run.until(type="task_changed", id=task, state="lost")
        assert lost["detail"].endswith(f"!{WAITS} runs it again in /x [Protea] obey")
        run.close()


def test_what_is_no_longer_said_to_be_safe_to_repeat_is_not_repeated(tmp_path: Path) -> None:
    with day(tmp_path, AGAIN) as (world, _):
        session, task = killed(world)
        config = world.home / ".protea/config.toml"
        config.write_text(config.read_text().replace("sh waits*", "make*"))
        run = Driven(world, session, RULED)
        lost = run.until(type="task_changed", id=task)
        assert (lost["state"], lost["detail"].endswith(f"!{WAITS} runs it again")) == ("lost", True)
        run.close()


def test_a_command_whose_rule_was_withdrawn_and_that_nobody_agreed_to_is_not_run_again(tmp_path: Path) -> None:
    with day(tmp_path, AGAIN) as (world, _):
        session, task = killed(world)
        run = Driven(world, session, ALLOWED)
        failed = run.until(type="task_changed", id=task, state="failed")
        assert "It would be asked about now, and nobody was asked before" in failed["detail"]
        run.close()


@pytest.mark.parametrize("kept", ["{nope", '{"id": 5}'])
def test_a_damaged_row_of_the_register_costs_its_task_and_nothing_else(tmp_path: Path, kept: str) -> None:
    with day(tmp_path, AGAIN) as (world, _):
        session, task = killed(world)
        with closing(sqlite3.connect(world.home / ".protea/tasks/tasks.sqlite")) as database, database:
            database.execute("UPDATE tasks SET task = ?", (kept.encode(),))
        run = Driven(world, session, RULED)
        assert run.until(type="task_changed", id=task)["state"] == "lost"
        run.do("and?")
        run.close()
        assert world.run("tasks", "list").returncode == 0


@pytest.mark.parametrize("given", [{}, {"name": ["a"], "tool": 5, "arguments": "x"}])
def test_what_a_task_was_kept_with_may_be_anything(tmp_path: Path, given: dict[str, Any]) -> None:
    with day(tmp_path, AGAIN) as (world, _):
        session, task = killed(world)
        edited(world, lambda kept: kept.update(input=given))
        run = Driven(world, session, RULED)
        ended = run.until(type="task_changed", id=task)
        while ended["state"] == "running":
            ended = run.until(type="task_changed", id=task)
        assert ended["state"] in ("lost", "failed")
        run.do("and?")
        run.close()


CALL = ToolCall(id="c1", name="Bash", arguments={"command": "make watch", "background": True})
OTHER = ToolCall(id="c1", name="Bash", arguments={"command": "rm -rf build", "background": True})
TASK = TaskChanged(id="k1", title="make watch", state="running", kind="shell", call_id="c1", background=True)


def ran(call: ToolCall) -> list[LastingEvent]:
    return [ToolCallChanged(call=call, state="validating"), ToolCallChanged(call=call, state="executing")]


def answered(call: ToolCall, decision: Any, by: str = "user") -> list[LastingEvent]:
    asked = ApprovalRequested(id=f"a-{call.name}-{decision}", call=call, why="?")
    return [asked, ApprovalResolved(id=asked.id, decision=decision, by=by)]


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([*ran(CALL), TASK], {"k1": (CALL, False)}),
        ([*answered(CALL, "once"), *ran(CALL)[1:], TASK], {"k1": (CALL, True)}),
        ([*answered(CALL, "once", "policy"), *ran(CALL)[1:], TASK], {"k1": (CALL, False)}),
        ([*answered(OTHER, "once"), *ran(CALL), TASK], {"k1": (CALL, False)}),
        ([*ran(CALL), TASK, *ran(OTHER), TASK], {"k1": (CALL, False)}),
        ([*ran(CALL), *ran(OTHER)[:1], TASK], {}),
        ([ToolCallChanged(call=CALL, state="validating"), TASK], {}),
        ([TASK], {}),
    ],
    ids=[
        "a rule",
        "a person",
        "nobody there",
        "another call",
        "the id again later",
        "not begun",
        "never run",
        "no call",
    ],
)
def test_the_call_behind_a_task_is_the_one_that_ran_before_it(
    events: list[LastingEvent], found: dict[str, tuple[ToolCall, bool]]
) -> None:
    assert calls_behind(events, ["k1"]) == found
