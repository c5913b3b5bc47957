"""A day of work from outside: builds, failures, compactions, jobs in the background, agents, two crashes by kill -9.

Facts are planted in what is said, in results of calls, in what jobs and agents bring; in the end each must be before
the model's eyes or be found in the log, and every task must be told as it ended. `-m long` is 500 turns of it.
"""

from __future__ import annotations

import asyncio
import json
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protea.domain.event_codec import decode
from protea.domain.events import AnyEvent, Compacted, TaskChanged, ToolCallChanged, TurnFinished, UnknownEvent
from protea.testing.loopback import LoopbackProvider, ScriptedCall
from protea.testing.loopback.recording import Recorded
from tests.journeys.world import World

WITHIN = 40
FACT = re.compile(r"FACT-\w+")
CONFIG = """
[providers.day]
api = "openai-chat"
base_url = "{url}"
api_key_env = "DAY_KEY"
[providers.day.models.one]
context = 200000
"""
ALLOWED = (
    "--allow",
    "Edit(made/**)",
    "--allow",
    "Agent",
    "--allow",
    "Bash(echo:*)",
    "--allow",
    "Bash(sleep:*)",
    "--allow",
    "Bash(false)",
)


KINDS = ("fail", "build", "write")
"""What is done in turn."""


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


class Mind:
    """What the model says: it does what it was told last."""

    def __init__(self) -> None:
        self.hangs = True
        """Whether an agent that is told to hang never answers."""
        self.hung = threading.Event()
        """Set once it does."""

    def __call__(self, asked: Recorded) -> Any:
        messages = asked.json["messages"]
        users = [str(each["content"]) for each in messages if each["role"] == "user"]
        if "[Protea] This conversation is about to b" in users[-1]:  # it is asked to sum up
            return "In short: " + " ".join(dict.fromkeys(FACT.findall(asked.body.decode())))
        if (agent := re.match(r"errand (\w+)", users[0])) is not None:
            if agent[1] == "hang" and self.hangs:
                self.hung.set()
                return never()
            return f"The agent brings FACT-agent{agent[1]}."
        told = next(text for text in reversed(users) if "do: " in text)
        since = messages[max(i for i, each in enumerate(messages) if "do: " in str(each["content"])) :]
        if any(each["role"] == "tool" for each in since):
            return "Done."
        verb, _, rest = told.partition("do: ")[2].partition(" ")
        match verb:
            case "build":
                return ScriptedCall("Bash", {"command": f"echo FACT-build{rest}"})
            case "write":
                return ScriptedCall("Write", {"path": f"made/{rest}.txt", "content": f"FACT-file{rest}\n"})
            case "fail":
                return ScriptedCall("Bash", {"command": "false"})
            case "behind":
                return ScriptedCall("Bash", {"command": f"sleep {rest}", "background": True})
            case "send":
                return ScriptedCall("Agent", {"prompt": f"errand {rest}", "title": f"errand {rest}"})
            case "resume":
                return ScriptedCall("Agent", {"prompt": "go on", "resume": rest})
            case _:
                return "Understood."


def fits(event: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(event.get(name) == value for name, value in wanted.items())


class Day:
    """A run of Protea that is told one thing after another, and may be killed."""

    def __init__(self, world: World, session: str = "", more: Sequence[str] = ALLOWED) -> None:
        words = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "-m", "day/one", *more]
        self.process = world.start(*words, *(("-r", session) if session else ()), stdin=subprocess.PIPE)
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.past: list[dict[str, Any]] = []
        self.session = session
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):
                self.events.put(json.loads(line))

    def say(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def until(self, **wanted: Any) -> dict[str, Any]:
        """Until it is told from now on."""
        while True:
            event = self.events.get(timeout=WITHIN)
            self.past.append(event)
            self.session = event.get("session") or self.session
            if fits(event, wanted):
                return event

    def ever(self, count: int = 1, **wanted: Any) -> list[dict[str, Any]]:
        """Until so many of them have been told, before or from now on."""
        while len(found := [event for event in self.past if fits(event, wanted)]) < count:
            self.until(**wanted)
        return found

    def do(self, what: str) -> None:
        self.say(type="submit_prompt", text=what)
        assert self.until(type="turn_finished")["outcome"] == "finished"

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.process.wait(WITHIN)
        self.reader.join(WITHIN)
        self.process.stdout.close()
        self.process.stderr.close()


class Lived(msgspec.Struct, frozen=True):
    """What a day left."""

    world: World
    session: str
    child: str
    seen: str
    """The last request."""
    told: int


def day(tmp_path: Path, *, turns: int) -> Lived:
    mind, told = Mind(), 0
    with LoopbackProvider.in_thread([mind], after="cycle") as provider:
        world = World(tmp_path, DAY_KEY="k")
        (world.home / ".protea").mkdir(mode=0o700)
        (world.home / ".protea/config.toml").write_text(CONFIG.format(url=provider.url("openai-chat")))
        run = Day(world)
        part = -(-(turns - 18) // 6)  # eighteen are for jobs and agents

        def work(run: Day) -> None:
            nonlocal told
            for _ in range(part):
                told += 1
                run.do(f"FACT-said{told} do: {KINDS[told % 3]} {told}")

        work(run)
        for number in range(3):
            run.do(f"do: behind 0.{number + 2}")
            run.ever(number + 1, type="task_changed", state="done", kind="shell")
        for number in range(5):
            run.do(f"do: send {number}")
        work(run)
        run.say(type="invoke", text="/compact")
        run.until(type="compacted")
        work(run)

        # An agent hangs, and the process is killed.
        run.say(type="submit_prompt", text="FACT-crash1 do: send hang")
        child = run.until(type="task_changed", state="running", kind="agent")["child"]
        assert mind.hung.wait(WITHIN), "in the midst of its turn"
        run.kill()
        run = Day(world, run.session)
        lost = run.until(type="task_changed", state="lost")
        assert lost["child"] == child
        assert child in lost["detail"]
        mind.hangs = False
        run.do(f"do: resume {child}")
        work(run)
        run.say(type="invoke", text="/compact")
        run.until(type="compacted")

        # A job runs in the background, and the process is killed.
        run.do("FACT-crash2 do: behind 600")
        run.do("do: behind 601")
        run.kill()
        run = Day(world, run.session)
        for each in run.ever(2, type="task_changed", state="lost"):
            assert re.search(r"what it had written is in /.*; !sleep 60\d runs it again", each["detail"])
        for number in range(5, 10):
            run.do(f"do: send {number}")
        work(run)
        run.say(type="invoke", text="/compact")
        run.until(type="compacted")
        work(run)
        run.do("and now?")
        seen = provider.requests[-1].body.decode()
        run.close()
        assert run.process.returncode == 0
    return Lived(world, run.session, child, seen, told)


def verify(lived: Lived) -> None:
    world, session, child, seen, told = lived.world, lived.session, lived.child, lived.seen, lived.told
    logs = {path.parent.name: [decode(line) for line in path.read_bytes().splitlines()] for path in world.logs()}
    for name, events in logs.items():
        whole(events, name)
    log = logs[session]
    facts = {f"FACT-said{n}" for n in range(1, told + 1)} | {"FACT-crash1", "FACT-crash2", "FACT-agenthang"}
    facts |= {f"FACT-build{n}" for n in range(1, told + 1) if n % 3 == 1} | {f"FACT-agent{n}" for n in range(10)}
    facts |= {f"FACT-file{n}" for n in range(1, told + 1) if n % 3 == 2}
    raw = (world.home / ".protea/sessions" / session / "events.jsonl").read_text()
    assert {fact for fact in facts if fact not in raw} == set(), "in the log, where Recall finds them"
    assert {fact for fact in facts if fact not in seen} == set(), "before the model's eyes"
    assert len([each for each in log if isinstance(each, Compacted) and each.how == "summarise"]) == 3
    made = {path.name: path.read_text() for path in (world.project / "made").iterdir()}
    assert made == {f"{n}.txt": f"FACT-file{n}\n" for n in range(1, told + 1) if n % 3 == 2}, "every file, and no other"
    calls = [each for each in log if isinstance(each, ToolCallChanged) and each.call.name == "Bash"]
    failed = [each for each in calls if each.state == "error"]
    assert len(failed) == sum(n % 3 == 0 for n in range(1, told + 1)), "every failure is one"
    ends = {each.id: each for each in log if isinstance(each, TaskChanged)}
    kinds = sorted((each.kind, each.state) for each in ends.values())
    assert kinds == sorted(
        [("agent", "done")] * 11 + [("agent", "lost")] + [("shell", "done")] * 3 + [("shell", "lost")] * 2
    )
    outcomes = [each.outcome for each in logs[child] if isinstance(each, TurnFinished)]
    assert outcomes == ["interrupted", "finished"], "the agent went on where it was"
    listed = json.loads(world.run("tasks", "list", "--json").stdout)
    assert sorted(each["state"] for each in listed) == ["done"] * 3 + ["lost"] * 2


def whole(events: Sequence[AnyEvent], name: str) -> None:
    assert [event.seq for event in events] == list(range(1, len(events) + 1)), name
    assert not [event for event in events if isinstance(event, UnknownEvent)], name
    states = {event.call.id: event.state for event in events if isinstance(event, ToolCallChanged)}
    assert set(states.values()) <= {"success", "error", "cancelled"}, name


@pytest.fixture(scope="module")
def short_day(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return day(tmp_path_factory.mktemp("day"), turns=34)


def test_a_short_day_ends_with_every_fact_file_and_task_as_it_should_be(short_day: Lived) -> None:
    verify(short_day)


def cut(path: Path, old: str, new: str = "") -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    "loses",
    [
        "a fact from the model's eyes",
        "a fact from the log",
        "a file",
        "a word in a file",
        "the end of a task",
        "an event",
    ],
)
def test_the_day_notices_what_is_missing(short_day: Lived, tmp_path: Path, loses: str) -> None:
    world = copy(short_day.world)
    world.home, world.project = tmp_path / "home", tmp_path / "project"
    shutil.copytree(short_day.world.home, world.home)
    shutil.copytree(short_day.world.project, world.project)
    world.environment = {**short_day.world.environment, "HOME": str(world.home)}
    lived = msgspec.structs.replace(short_day, world=world)
    log = world.home / ".protea/sessions" / lived.session / "events.jsonl"
    verify(lived)
    match loses:
        case "a fact from the model's eyes":
            lived = msgspec.structs.replace(lived, seen=lived.seen.replace("FACT-agent3", ""))
        case "a fact from the log":
            cut(log, "FACT-agent3")
        case "a file":
            (world.project / "made/2.txt").unlink()
        case "a word in a file":
            (world.project / "made/2.txt").write_text("FACT-file3\n")
        case "the end of a task":
            lines = log.read_text().splitlines(keepends=True)
            last = max(at for at, line in enumerate(lines) if '"state":"lost"' in line)
            log.write_text(
                "".join([*lines[:last], lines[last].replace('"state":"lost"', '"state":"running"'), *lines[last + 1 :]])
            )
        case "an event":
            lines = log.read_text().splitlines(keepends=True)
            log.write_text("".join(lines[:20] + lines[21:]))
    with pytest.raises(AssertionError):
        verify(lived)


@pytest.mark.long
def test_a_day_of_five_hundred_turns_does_as_well(tmp_path: Path) -> None:
    lived = day(tmp_path, turns=500)
    verify(lived)
    log = lived.world.home / ".protea/sessions" / lived.session / "events.jsonl"
    assert log.read_text().count('"type":"turn_finished"') >= 500
