"""What a session had going in the background when its process was killed, and what of it the next one brings back."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from protea.testing.loopback import LoopbackProvider, ScriptedCall
from protea.testing.loopback.recording import Recorded
from tests.adapters.task_runner.test_durable import database, postgresql
from tests.journeys.driven import ALLOWED, CONFIG, WITHIN, Driven
from tests.journeys.world import World

__all__ = ["database", "postgresql"]

RUNNERS = {
    "in-process": "",
    "sqlite": '[ports.task_runner]\nadapter = "durable"\n',
    "postgresql": '[ports.task_runner]\nadapter = "durable"\ndatabase = "{database}"\n',
}


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


class Mind:
    """Sends an agent behind and runs commands behind, as it is told; the agent reads a file, then hangs once."""

    def __init__(self) -> None:
        self.hangs = True
        self.told: list[str] = []
        """What the agent was told, whenever it was asked."""

    def __call__(self, asked: Recorded) -> Any:
        messages = asked.json["messages"]
        users = [str(each["content"]) for each in messages if each["role"] == "user"]
        last = messages[-1]
        if "errand" in users[0]:
            self.told.append(users[-1])
            if not any(each["role"] == "tool" for each in messages):
                return ScriptedCall("Read", {"path": "src/alpha.py"})
            return never() if self.hangs else "alpha has two things left to do: FACT-alpha."
        if last["role"] == "tool":
            return "It is under way."
        match users[-1].partition("do: ")[2].split(" ", 1):
            case ["send", _]:
                return ScriptedCall("Agent", {"prompt": "errand", "title": "look at alpha", "background": True})
            case ["run", command]:
                return ScriptedCall("Bash", {"command": command, "background": True})
            case _:
                return "Understood."


@contextmanager
def day(tmp_path: Path, settings: str) -> Iterator[tuple[World, Mind]]:
    mind = Mind()
    with LoopbackProvider.in_thread([mind], after="cycle") as provider:
        world = World(tmp_path, DAY_KEY="k")
        (world.home / ".protea").mkdir(mode=0o700)
        config = CONFIG.format(url=provider.url("openai-chat")) + settings
        (world.home / ".protea/config.toml").write_text(config)
        yield world, mind


def settings(runner: str, request: pytest.FixtureRequest) -> str:
    text = RUNNERS[runner]
    return text.format(database=request.getfixturevalue("database")) if "{" in text else text


@pytest.mark.parametrize("runner", RUNNERS)
def test_an_agent_takes_up_its_session_where_the_process_was_killed(
    tmp_path: Path, runner: str, request: pytest.FixtureRequest
) -> None:
    with day(tmp_path, settings(runner, request)) as (world, mind):
        run = Driven(world)
        run.do("do: send it")
        begun = next(each for each in run.past if each["type"] == "task_changed")
        while not (child := next((each["child"] for each in run.past if each.get("child")), "")):
            run.until(type="task_changed")
        until(lambda: '"state":"success"' in log_of(world, child))
        run.kill()
        mind.hangs = False
        run = Driven(world, run.session)
        back = run.ever(type="task_changed", id=begun["id"], state="running")[0]
        assert back["detail"] == f"it takes up its session {child}"
        done = run.until(type="task_changed", id=begun["id"], state="done")
        assert (done["child"], done["kind"]) == (child, "agent")
        assert {each["title"] for each in run.ever(type="task_changed", id=begun["id"])} == {begun["title"]}
        run.do("and?")
        run.close()
        assert "[Protea] The process that ran you ended" in mind.told[-1]
        log = log_of(world, child)
        assert "FACT-alpha" in log
        assert log.count('"type":"session_started"') == 1, "one session, gone on with"
        raw = log_of(world, run.session)
        assert "The agent has ended: done." in raw
        assert "FACT-alpha" in raw
        (task,) = json.loads(world.run("tasks", "list", "--json").stdout)
        assert (task["state"], task["runs"]) == ("done", 2)


@pytest.mark.parametrize("runner", ["in-process", "postgresql"])
def test_a_command_is_begun_again_only_where_that_was_said_to_be_safe(
    tmp_path: Path, runner: str, request: pytest.FixtureRequest
) -> None:
    again = '[tasks]\nagain = ["sleep 6*"]\n' + settings(runner, request)
    with day(tmp_path, again) as (world, _):
        run = Driven(world)
        run.do("do: run sleep 600")
        run.do("do: run echo before; sleep 500")
        begun = {each["title"]: each for each in run.past if each["type"] == "task_changed"}
        assert len(begun) == 2
        run.kill()
        run = Driven(world, run.session)
        lost = run.until(type="task_changed", state="lost")
        assert lost["id"] == begun["echo before; sleep 500"]["id"]
        told = re.fullmatch(
            r"it was interrupted; what it had written is in (/.*); !echo before; sleep 500 runs it again",
            lost["detail"],
        )
        assert told is not None
        assert Path(told[1]).read_text() == "before\n"
        (back,) = run.ever(type="task_changed", id=begun["sleep 600"]["id"], state="running")
        assert back["detail"] == "it is begun again, as [tasks] again says it may be"
        listed = {each["title"]: each for each in json.loads(world.run("tasks", "list", "--json").stdout)}
        assert listed["echo before; sleep 500"]["state"] == "lost"
        assert (listed["sleep 600"]["state"], listed["sleep 600"]["runs"]) == ("running", 2)
        stopped = world.run("tasks", "stop", back["id"])
        assert stopped.stdout == f"{back['id']}: stopped\n"
        run.until(type="task_changed", id=back["id"], state="stopped")
        run.close()


def test_a_command_that_is_over_at_once_when_it_is_begun_again_is_done(tmp_path: Path) -> None:
    with day(tmp_path, '[tasks]\nagain = ["sh twice.sh"]\n') as (world, _):
        script = "if [ -e once ]; then echo all is well; else touch once; sleep 600; fi\n"
        (world.project / "twice.sh").write_text(script)
        rules = (*ALLOWED, "--allow", "Bash(sh twice.sh)")
        run = Driven(world, more=rules)
        run.do("do: run sh twice.sh")
        (task,) = {each["id"] for each in run.past if each["type"] == "task_changed"}
        until((world.project / "once").exists)
        run.kill()
        run = Driven(world, run.session, rules)
        ended = run.until(type="task_changed", id=task, state="done")
        assert "all is well" in ended["detail"]
        run.close()


def log_of(world: World, session: str) -> str:
    path = world.home / ".protea/sessions" / session / "events.jsonl"
    return path.read_text() if path.exists() else ""


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.02)
