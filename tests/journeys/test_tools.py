"""Tools as a session runs them: decided, told of, waking it. A loopback provider plays the model."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from protea.domain.script import ScriptedCall
from protea.testing.loopback import LoopbackProvider
from tests import toolchains
from tests.journeys.world import World
from tests.registry import registry


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, LOOP_KEY="a-planted-secret")
    (made.home / ".protea").mkdir()
    return made


class Talk:
    """A session that stays open: commands go in by lines, events come out."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def send(self, **command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def until(self, kind: str, **like: Any) -> dict[str, Any]:
        """The next event of a kind, with these fields."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["type"] == kind and like.items() <= event.items():
                return event
        raise AssertionError(f"it ended before there was a {kind} {like}")

    def close(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(30)

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.kill()


def test_a_line_that_a_monitor_hears_wakes_an_idle_session(world: World) -> None:
    (world.project / "watch.sh").write_text(
        "until [ -e go ]; do sleep 0.05; done; echo nothing; echo ERROR: it broke\n"
        "until [ -e end ]; do sleep 0.05; done\n"
    )
    steps = [
        ScriptedCall("Monitor", {"command": "sh watch.sh", "pattern": "^ERROR"}),
        "I watch.",
        "I saw it.",
        "It is over.",
    ]
    with LoopbackProvider.in_thread(steps) as provider:
        world.speak_to(provider.url("anthropic"), "[tasks]\nwake = true\n")
        process = world.start(
            "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--allow", "Bash(sh watch.sh)",
            stdin=subprocess.PIPE,
        )  # fmt: skip
        with Talk(process) as talk:
            talk.send(type="submit_prompt", text="watch it")
            talk.until("turn_finished", outcome="finished")
            (world.project / "go").touch()
            told = talk.until("prompt_submitted", origin="task")["text"]
            talk.until("turn_finished", outcome="finished")
            (world.project / "end").touch()
            ended = talk.until("prompt_submitted", origin="task")["text"]
            talk.until("turn_finished", outcome="finished")
            assert talk.close() == 0
        sent = [request.body.decode() for request in provider.requests]
    assert "says:\n> ERROR: it broke" in told
    assert "nothing" not in told
    assert "has ended: done" in ended
    assert "ERROR: it broke" in sent[2]


@pytest.mark.parametrize("patch", ["", "nonsense", "diff --git a/x b/x\nGIT binary patch\nliteral 3\n"])
def test_what_is_no_patch_is_told_to_the_model_and_asked_of_nobody(world: World, patch: str) -> None:
    with LoopbackProvider.in_thread([ScriptedCall("Patch", {"patch": patch}), "I see."]) as provider:
        world.speak_to(provider.url("anthropic"))
        result = world.events("change it")[-1]
        sent = provider.requests[1].body.decode()
    assert (result["outcome"], result["denied"]) == ("finished", [])
    assert "Nothing was changed." in sent


def test_arguments_that_were_put_into_text_are_understood_and_decided_as_they_are_meant(world: World) -> None:
    calls = [
        ScriptedCall("Read", {"path": "src/alpha.py", "limit": "1"}),
        ScriptedCall("Edit", {"path": "src/alpha.py", "edits": '[{"old_string": "x = 1", "new_string": "x = 2"}]'}),
        ScriptedCall("Read", {"path": "src/alpha.py", "limit": "one"}),
    ]
    with LoopbackProvider.in_thread([*calls, "I see."]) as provider:
        world.speak_to(provider.url("anthropic"))
        events = world.events("go", "--allow", "Edit")
    results = [each["result"] for each in events if each["type"] == "tool_call_changed" and "result" in each]
    assert "1\t# TODO: one" in results[0]["text"]
    assert "x = 1" not in results[0]["text"]
    assert [each["is_error"] for each in results] == [False, False, True]
    assert "x = 2" in (world.project / "src/alpha.py").read_text()
    assert "`limit` must be an integer, not the string 'one'" in results[2]["text"]


def test_each_step_of_a_pipeline_is_decided_by_itself_and_it_says_what_was_done(world: World) -> None:
    steps = [
        {"tool": "Grep", "arguments": {"pattern": "TODO", "output": "count"}, "name": "found"},
        {"tool": "Write", "arguments": {"path": "a.txt", "content": "${found}"}},
        {"tool": "Bash", "arguments": {"command": "touch b.txt"}},
        {"tool": "Write", "arguments": {"path": "c.txt", "content": "x"}},
    ]
    with LoopbackProvider.in_thread([ScriptedCall("Pipeline", {"steps": steps}), "I see."]) as provider:
        world.speak_to(provider.url("anthropic"))
        done = world.run(
            "-p", "go", "--output-format", "stream-json", "--allow", "Edit(/a.txt)", "--allow", "Edit(/c.txt)"
        )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 5
    assert {each["tool"] for each in events[-1]["denied"]} == {"Bash", "Pipeline"}
    ended = [each for each in events if each["type"] == "tool_call_changed" and "result" in each]
    whole = ended.pop()
    assert [(each["call"]["name"], each["state"]) for each in ended] == [
        ("Grep", "success"), ("Write", "success"), ("Bash", "error"),
    ]  # fmt: skip
    assert {each["parent"] for each in ended} == {whole["call"]["id"]}
    assert "2/4 Write: done" in whole["result"]["text"]
    assert "[1 step after it was not run]" in whole["result"]["text"]
    assert sorted(path.name for path in world.project.glob("*.txt")) == ["a.txt"]
    assert "alpha.py" in (world.project / "a.txt").read_text()


def test_hundreds_of_tools_cost_a_request_nothing_until_one_is_looked_for(world: World) -> None:
    (world.home / ".protea/tools").mkdir()
    doing = ["weighs apples", "paints a fence", "counts sheep", "bakes bread"]
    (world.home / ".protea/tools/many.py").write_text(
        "".join(
            f"def tool_{number}(x: int = 1) -> str:\n"
            f'    "Number {number}: {doing[number % 4]}."\n    return "ran {number}"\n'
            for number in range(400)
        )
    )
    steps = [
        ScriptedCall("ToolSearch", {"query": "paint fence 137", "limit": 3}),
        ScriptedCall("tool_137", {}),
        ScriptedCall("MultiEdit", {"path": "a", "edits": []}),
        "Painted.",
    ]
    with LoopbackProvider.in_thread(steps) as provider:
        world.speak_to(provider.url("anthropic"))
        assert world.run("-p", "go", "--allow", "tool_137").returncode == 0
        sent = [request.body.decode() for request in provider.requests]
    assert "tool_137" not in sent[0]
    assert len(sent[0]) < 20_000
    assert "tool_137: Number 137: paints a fence." in sent[1]
    assert "ran 137" in sent[2]
    assert "There is no tool named MultiEdit. Did you mean Edit?" in sent[3]


def test_what_a_package_changed_is_undone(world: World) -> None:
    toolchains.program("npm")
    before = '{"name": "made", "version": "1.0.0"}\n'
    (world.project / "package.json").write_text(before)
    call = ScriptedCall("Packages", {"manager": "npm", "action": "add", "names": ["looped"]})
    with registry() as known, LoopbackProvider.in_thread([call, "Added."], after="cycle") as provider:
        known.npm("looped", "1.0.0")
        (world.project / ".npmrc").write_text(
            f"registry={known.url}/\naudit=false\nfund=false\nupdate-notifier=false\ncache={world.home}/npm\n"
        )
        world.speak_to(provider.url("anthropic"))
        refused = world.run("-p", "add it")
        assert refused.returncode == 5
        assert "to allow it, add --allow 'Bash(npm install looped)'" in refused.stderr
        assert known.asked == []
        done = world.run("-p", "--allow", "Bash(npm install:*)", "add it")
        assert done.returncode == 0, done.stderr
    assert json.loads((world.project / "package.json").read_text())["dependencies"] == {"looped": "^1.0.0"}
    assert (world.project / "node_modules/looped/index.js").exists()
    undone = world.run("undo")
    assert undone.returncode == 0, undone.stderr
    assert (world.project / "package.json").read_text() == before
    assert not (world.project / "node_modules/looped/index.js").exists()
