"""A session killed with -9 at any moment opens and goes on."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import pytest

from protea.domain.event_codec import decode
from protea.domain.events import UnknownEvent
from tests.journeys.world import World

KILLS = 100
TASK = 'read src/alpha.py, append "more" to notes.txt, run `seq 3000`, find every TODO in src'
ALLOWED = ("--permission-mode", "yolo", "--allow", "Bash(seq:*)", "--allow", "Write(**)", "--allow", "Edit(**)")


@pytest.mark.timeout(900)
def test_a_session_killed_at_a_hundred_random_moments_opens_and_goes_on_each_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    (world.project / "notes.txt").write_text("begin\n")
    first = json.loads(world.run("-p", "--output-format", "json", *ALLOWED, TASK).stdout)
    assert first["outcome"] == "finished", first
    session = first["session"]
    killed = 0
    for number in range(KILLS):
        # From before its first line of Python to after its last.
        moment = random.uniform(0.01, 0.45)
        process = world.start("-p", "-r", session, "--output-format", "stream-json", *ALLOWED, TASK)
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        done = world.run("-p", "-r", session, "--output-format", "json", "list files in src")
        told = f"kill {number} after {moment:.3f} s: {done.stdout}{done.stderr}"
        assert done.returncode == 0, told
        assert json.loads(done.stdout)["session"] == session, told
        (log,) = world.logs()
        events = [decode(line) for line in log.read_bytes().splitlines()]
        assert [event.seq for event in events] == list(range(1, len(events) + 1)), told
        assert not [event for event in events if isinstance(event, UnknownEvent)], told
    assert killed >= KILLS // 4, f"only {killed} of {KILLS} runs were killed before they ended"
