"""The main job: no key, no network, a task about the project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.world import World

TASK = "find every TODO in src, then tell me which file has the most"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_newcomer_gets_an_answer_without_a_key(world: World) -> None:
    done = world.run("-p", TASK)
    assert done.returncode == 0, done.stderr
    assert "src/alpha.py has the most" in done.stdout


def test_it_says_what_it_is(world: World) -> None:
    assert "offline model" in world.run("-p", "hello").stdout
    assert {event["model"] for event in world.events(TASK) if event["type"] == "message_completed"} == {
        "offline/grammar"
    }


def test_the_whole_way_is_told_event_by_event(world: World) -> None:
    events = world.events(TASK)
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["session_started", "prompt_submitted", "turn_started"]
    assert kinds[-1] == "result"
    assert {"message_completed", "tool_call_changed", "turn_finished"} <= set(kinds)
    lasting = [event["seq"] for event in events[:-1] if "seq" in event]
    assert lasting == list(range(1, len(lasting) + 1))
    assert (events[-1]["outcome"], events[-1]["exit_code"]) == ("finished", 0)


def test_every_call_goes_through_its_states_in_order(world: World) -> None:
    states: dict[str, list[str]] = {}
    for event in world.events(TASK):
        if event["type"] == "tool_call_changed":
            states.setdefault(event["call"]["id"], []).append(event["state"])
    assert states
    assert all(passed == ["validating", "scheduled", "executing", "success"] for passed in states.values())


def test_what_was_shown_is_what_the_log_holds(world: World) -> None:
    shown = [event for event in world.events(TASK)[:-1] if "seq" in event]
    (log,) = world.logs()
    written = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert [event["seq"] for event in shown] == [event["seq"] for event in written][: len(shown)]


def test_the_conversation_goes_on_where_it_was(world: World) -> None:
    first = world.events(TASK)[-1]
    second = world.events("-c", "list files in src")[-1]
    forked = world.events("-r", first["session"], "--fork", "list files in src")[-1]
    assert second["session"] == first["session"]
    assert forked["session"] != first["session"]


def test_nothing_is_changed_that_was_not_allowed(world: World) -> None:
    before = (world.project / "src/beta.py").read_text()
    done = world.run("-p", "replace three with four in src/beta.py")
    assert done.returncode == 5
    assert (world.project / "src/beta.py").read_text() == before


def test_what_was_allowed_is_done(world: World) -> None:
    done = world.run("-p", "--allow", "Edit(src/**)", "replace three with four in src/beta.py")
    assert done.returncode == 0, done.stderr
    assert "four" in (world.project / "src/beta.py").read_text()


def test_home_is_private(world: World) -> None:
    world.run("-p", TASK)
    open_to_others = [path for path in world.home.rglob("*") if path.stat().st_mode & 0o077]
    assert [path for path in open_to_others if ".protea" in path.parts] == []
