"""The main job with a provider of each kind: it reads, edits and runs the tests of a sample project, headless."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from protea.domain.script import ScriptedCall, ScriptedReply
from protea.testing.loopback import LoopbackProvider
from tests.journeys.world import World

WIRES = ["anthropic", "openai-chat", "openai-responses", "gemini", "ollama"]
RUN = "python3 -B -m unittest -q test_calc"
"""Without bytecode: the edit changes neither the size nor the second of the file, which is all Python looks at."""
STEPS = [
    ScriptedReply(
        text="I look first.",
        tool_calls=(
            ScriptedCall("Glob", {"pattern": "*.py"}),
            ScriptedCall("Read", {"path": "calc.py"}),
            ScriptedCall("Grep", {"pattern": "def "}),
        ),
    ),
    ScriptedCall("Bash", {"command": RUN}),
    ScriptedCall("Edit", {"path": "calc.py", "old_string": "a - b", "new_string": "a + b"}),
    ScriptedCall("Bash", {"command": RUN}),
    "The tests pass now.",
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, LOOP_KEY="a-planted-secret")
    (made.project / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (made.project / "test_calc.py").write_text(
        "import unittest\nfrom calc import add\n\n\nclass Adds(unittest.TestCase):\n"
        "    def test_adds(self):\n        self.assertEqual(add(1, 2), 3)\n"
    )
    return made


def configure(world: World, wire: str, url: str) -> None:
    home = world.home / ".protea"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(
        f'model = "loop/one"\n[providers.loop]\napi = "{wire}"\nbase_url = "{url}"\napi_key_env = "LOOP_KEY"\n'
    )


@pytest.mark.parametrize("wire", WIRES)
def test_it_reads_edits_and_runs_tests_with_a_provider_of_each_kind(world: World, wire: str) -> None:
    with LoopbackProvider.in_thread(STEPS, strict=True, after="fail") as provider:
        configure(world, wire, provider.url(wire))
        events = world.events("--permission-mode", "yolo", "make the tests pass")
        assert len(provider.requests) == len(STEPS)
    result = events[-1]
    assert (result["outcome"], result["exit_code"], result["text"]) == ("finished", 0, "The tests pass now.")
    assert result["turns"] == len(STEPS)
    assert (world.project / "calc.py").read_text() == "def add(a, b):\n    return a + b\n"
    ends = [
        event for event in events if event["type"] == "tool_call_changed" and event["state"] in ("success", "error")
    ]
    assert [(end["call"]["name"], end["state"]) for end in ends[3:]] == [
        ("Bash", "error"),  # the tests failed before the edit
        ("Edit", "success"),
        ("Bash", "success"),
    ]
    assert {end["call"]["name"] for end in ends[:3]} == {"Glob", "Read", "Grep"}
    assert [event["seq"] for event in events if "seq" in event] == list(range(1, len(world_log(world)) + 1))
    written = subprocess.run(
        ["grep", "-r", "a-planted-secret", world.home], capture_output=True, text=True, check=False
    )
    assert written.stdout == ""


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
PLOT = f"open('plot.png', 'wb').write(bytes.fromhex('{base64.b64decode(PIXEL).hex()}'))"


@pytest.mark.parametrize("wire", WIRES)
def test_an_image_that_code_has_drawn_is_seen_by_the_model(world: World, wire: str) -> None:
    steps = [ScriptedCall("RunCode", {"language": "python", "code": PLOT}), "A pixel."]
    with LoopbackProvider.in_thread(steps, strict=True, after="fail") as provider:
        configure(world, wire, provider.url(wire))
        with (world.home / ".protea/config.toml").open("a") as file:
            file.write("[providers.loop.models.one]\nimages = true\n")
        events = world.events("--allow", "RunCode", "draw a pixel")
        _, told = provider.requests
    assert events[-1]["text"] == "A pixel."
    assert told.body.count(PIXEL.encode()) == 1
    assert b"plot.png, 70 bytes]" in told.body


def world_log(world: World) -> list[dict[str, object]]:
    (log,) = world.logs()
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize("wire", WIRES)
def test_what_no_rule_allows_is_not_done_and_the_exit_code_says_so(world: World, wire: str) -> None:
    steps = [STEPS[2], "I was not allowed to."]
    with LoopbackProvider.in_thread(steps, strict=True, after="fail") as provider:
        configure(world, wire, provider.url(wire))
        done = world.run("-p", "--output-format", "json", "make the tests pass")
    assert done.returncode == 5
    result = json.loads(done.stdout)
    assert [denied["tool"] for denied in result["denied"]] == ["Edit"]
    assert (world.project / "calc.py").read_text() == "def add(a, b):\n    return a - b\n"
