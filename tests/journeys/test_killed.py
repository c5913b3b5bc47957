"""A session killed with -9 at any moment opens and goes on."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from protea.domain.event_codec import decode
from protea.domain.events import AnyEvent, ToolCallChanged, UnknownEvent
from tests.journeys.world import World

TASK = 'read src/alpha.py, append "more" to notes.txt, run `seq 3000`, find every TODO in src'
ALLOWED = ("--permission-mode", "yolo", "--allow", "Bash(seq:*)", "--allow", "Write(**)", "--allow", "Edit(**)")
STREAM = ("--output-format", "stream-json")
ENDS = ("success", "error", "cancelled")

Start = Callable[[World, str], "subprocess.Popen[bytes]"]


def allowed(world: World, session: str) -> subprocess.Popen[bytes]:
    """A run that reads, writes, runs and searches on its own."""
    return world.start("-p", "-r", session, *STREAM, *ALLOWED, TASK)


def asked(world: World, session: str) -> subprocess.Popen[bytes]:
    """A run whose questions are answered as they come, from standard input."""
    words = ("-p", "-r", session, "--input-format", "stream-json", *STREAM)
    process = world.start(*words, stdin=subprocess.PIPE)
    say(process, {"type": "submit_prompt", "text": TASK})
    return process


def say(process: subprocess.Popen[bytes], command: dict[str, str]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError):  # it may have been killed
        process.stdin.write(json.dumps(command).encode() + b"\n")
        process.stdin.flush()


def follow(process: subprocess.Popen[bytes]) -> None:
    """Read what it tells to the end, and answer what it asks."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line) if line.endswith(b"\n") else {}
        if process.stdin is None:
            continue
        if event.get("type") == "approval_requested":
            say(process, {"type": "resolve_approval", "id": event["id"], "decision": "once"})
        if event.get("type") == "turn_finished":
            with contextlib.suppress(OSError):
                process.stdin.close()


def ended_by_itself(process: subprocess.Popen[bytes], moment: float) -> bool:
    """Whether it was over by then; else it is killed."""
    follower = threading.Thread(target=follow, args=(process,), daemon=True)
    follower.start()
    ended = True
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        ended = False
        process.kill()
        process.wait(30)
    follower.join(30)
    assert not follower.is_alive(), "somebody still holds the standard output of a process that is gone"
    for stream in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    return ended


def events_of(world: World) -> Sequence[AnyEvent]:
    (log,) = world.logs()
    return [decode(line) for line in log.read_bytes().splitlines()]


def last_of(world: World) -> str:
    """The kind of the last whole line in the log: where in its life the session was killed."""
    (log,) = world.logs()
    line: dict[str, Any] = json.loads(log.read_bytes().rpartition(b"\n")[0].rpartition(b"\n")[2])
    return " ".join(filter(None, (line["type"], line.get("state"))))


def check(world: World, told: str) -> None:
    """The log is whole: numbers without a gap, every event known, every call of the past ended."""
    events = events_of(world)
    assert [event.seq for event in events] == list(range(1, len(events) + 1)), told
    assert not [event for event in events if isinstance(event, UnknownEvent)], told
    states: dict[str, str] = {}
    for event in events:
        if isinstance(event, ToolCallChanged):
            states[event.call.id] = event.state
    assert set(states.values()) <= set(ENDS), told


def kill_again_and_again(tmp_path: Path, start: Start, kills: int) -> Counter[str]:
    """Where the session was each time it was killed."""
    world = World(tmp_path)
    (world.project / "notes.txt").write_text("begin\n")
    first = json.loads(world.run("-p", "--output-format", "json", *ALLOWED, TASK).stdout)
    assert first["outcome"] == "finished", first
    session = first["session"]
    began = time.monotonic()
    assert ended_by_itself(start(world, session), 60)
    long = time.monotonic() - began  # on this machine, as busy as it is
    where: Counter[str] = Counter()
    for number in range(kills):
        # From before its first line of Python to after its last; more often in the second half, where the turn is.
        moment = long * random.triangular(0.02, 1.05, 0.75)
        if ended_by_itself(start(world, session), moment):
            where["over"] += 1
        else:
            where[last_of(world)] += 1
        done = world.run("-p", "-r", session, "--output-format", "json", "list files in src")
        told = f"kill {number} after {moment:.3f} s: {done.stdout}{done.stderr}"
        assert done.returncode == 0, told
        assert json.loads(done.stdout)["session"] == session, told
        check(world, told)
    return where


@pytest.mark.parametrize("start", [allowed, asked])
def test_a_session_killed_at_random_moments_opens_and_goes_on_each_time(tmp_path: Path, start: Start) -> None:
    where = kill_again_and_again(tmp_path, start, 8)
    assert where["over"] < 8


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start", [allowed, asked])
def test_a_session_killed_at_a_hundred_random_moments_opens_and_goes_on_each_time(tmp_path: Path, start: Start) -> None:
    where = kill_again_and_again(tmp_path, start, 100)
    assert where["over"] < 50, where
    # Of the moments a turn has, many were hit, not the same one again and again.
    assert len(where) >= 6, where
