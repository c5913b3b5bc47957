"""From outside: tool calls of `protea -p --sandbox …`, and `protea sandbox run`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from protea.adapters.sandbox._obstacles import find_bwrap, trouble
from protea.domain.script import ScriptedCall
from protea.testing.contracts.sandbox import PATH
from protea.testing.loopback import LoopbackProvider
from tests.journeys.world import World

WHY_NOT = trouble(find_bwrap(PATH, ()))
needs_bwrap = pytest.mark.skipif(WHY_NOT is not None, reason=f"bubblewrap cannot be used here: {WHY_NOT}")

ATTACK = """#!/bin/sh
echo EVIL > ../outside
echo EVIL > .git/hooks/pre-commit
echo EVIL > .mcp.json
cat ~/.ssh/id ~/.protea/config.toml
find ~/.protea -name events.jsonl
echo fine > new
"""
"""In a file: what the text of a command says would be refused before there is anything for the walls to do."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, LOOP_KEY="a-planted-secret")
    subprocess.run(["git", "init", "-q", made.project], check=True)
    (made.home / ".ssh").mkdir()
    (made.home / ".ssh/id").write_text("SECRET")
    (made.home / ".protea").mkdir(mode=0o700)
    return made


def converse(world: World, *flags: str, script: tuple[str, ...]) -> list[str]:
    """What the model was told of each command."""
    steps = [*(ScriptedCall("Bash", {"command": each}) for each in script), "Done."]
    with LoopbackProvider.in_thread(steps, strict=True, after="fail") as provider:
        (world.home / ".protea/config.toml").write_text(
            f'model = "loop/one"\n[providers.loop]\napi = "openai-chat"\nbase_url = "{provider.url("openai-chat")}"\n'
            'api_key_env = "LOOP_KEY"\n'
        )
        done = world.run("-p", "--output-format", "stream-json", *flags, "go")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    ends = ("success", "error", "denied", "cancelled")
    return [
        str(event["result"]["text"] if event.get("result") else event)
        for event in events
        if event["type"] == "tool_call_changed" and event["state"] in ends
    ]


@needs_bwrap
@pytest.mark.parametrize("mode", ["yolo", "normal"])
@pytest.mark.parametrize("kind", ["bubblewrap", "auto"])
def test_tool_calls_run_behind_walls(world: World, mode: str, kind: str) -> None:
    program = world.project / "build.sh"
    program.write_text(ATTACK)
    program.chmod(0o755)
    flags = ("--sandbox", kind, "--permission-mode", mode, "--allow", "Bash(./build.sh)")
    (told,) = converse(world, *flags, script=("./build.sh",))
    assert (world.project / "new").read_text() == "fine\n", told
    assert "Read-only file system" in told
    assert "SECRET" not in told
    assert "LOOP_KEY" not in told
    assert "events.jsonl" not in told
    assert not (world.project.parent / "outside").exists()
    assert not (world.project / ".git/hooks/pre-commit").exists()
    assert soon(lambda: not (world.project / ".mcp.json").exists())


@needs_bwrap
def test_the_directory_lasts_between_calls(world: World) -> None:
    script = ("cd src && echo x > made", "pwd; ls")
    first, second = converse(world, "--sandbox", "bubblewrap", "--permission-mode", "yolo", script=script)
    assert f"[the working directory is now {world.project}/src]" in first, first
    assert f"{world.project}/src" in second
    assert "made" in second


def test_a_sandbox_that_cannot_be_had_runs_nothing_and_says_why(world: World) -> None:
    world.environment["DOCKER_HOST"] = "unix:///nonexistent.sock"
    done = world.run("-p", "--sandbox", "docker", "--permission-mode", "yolo", "run `touch ran`")
    assert done.returncode == 1, done.stderr
    assert "no container engine listens at /nonexistent.sock" in done.stderr
    assert not (world.project / "ran").exists()


def hidden(world: World) -> None:
    """A PATH on which bubblewrap cannot work comes first; what lies behind it is not asked for."""
    folder = world.home.parent / "bin"
    folder.mkdir()
    (folder / "bwrap").write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    (folder / "bwrap").chmod(0o755)
    world.environment["PATH"] = f"{folder}:{world.environment['PATH']}"


def test_auto_without_bubblewrap_warns_and_goes_on(world: World) -> None:
    hidden(world)
    done = world.run("-p", "--sandbox", "auto", "run `echo $((40 + 2))`", "--permission-mode", "yolo")
    assert "commands run without walls" in done.stderr


def test_bubblewrap_that_does_not_work_runs_nothing(world: World) -> None:
    hidden(world)
    done = world.run("sandbox", "run", "--", "touch", "ran")
    assert done.returncode == 126
    assert "nothing was run" in done.stderr
    assert not (world.project / "ran").exists()


@needs_bwrap
def test_sandbox_run_passes_on_what_the_command_says_and_how_it_ends(world: World) -> None:
    done = world.run("sandbox", "run", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert world.run("sandbox", "run", "--", "sh", "-c", "kill -9 $$").returncode == 137
    assert world.run("sandbox", "run", "--", "no-such-program").returncode == 127
    assert world.run("sandbox", "run", "--timeout", "0.3", "--", "sleep", "60").returncode == 124


@needs_bwrap
@pytest.mark.parametrize("more", [(), ("--adapter", "bubblewrap"), ("--adapter", "auto")])
def test_sandbox_run_takes_the_options_that_are_set_without_an_adapter(world: World, more: tuple[str, ...]) -> None:
    data = world.home / "data"
    data.mkdir()
    (data / "x.txt").write_text("shown\n")
    read = ("sandbox", "run", *more, "--", "cat", str(data / "x.txt"))
    assert world.run(*read).stdout == ""
    (world.home / ".protea").mkdir(exist_ok=True)
    config = world.home / ".protea/config.toml"
    config.write_text(f'[ports.sandbox]\nreadable = ["{data}"]\n')
    assert world.run(*read).stdout == "shown\n"


@needs_bwrap
def test_sandbox_run_says_which_options_are_of_another_adapter(world: World) -> None:
    (world.home / ".protea").mkdir(exist_ok=True)
    (world.home / ".protea/config.toml").write_text('[ports.sandbox]\nadapter = "docker"\nreadable = ["/srv"]\n')
    done = world.run("sandbox", "run", "--adapter", "bubblewrap", "--", "echo", "fine")
    assert done.stdout == "fine\n"
    assert "readable of [ports.sandbox]: not used, since they are set for docker" in done.stderr


@needs_bwrap
def test_sandbox_run_has_walls_unless_told_otherwise(world: World) -> None:
    script = ("sh", "-c", "echo x > ../outside; ls -d /proc/[0-9]* | wc -l")
    assert int(world.run("sandbox", "run", "--", *script).stdout) < 10
    assert not (world.project.parent / "outside").exists()
    world.run("sandbox", "run", "--adapter", "none", "--", *script)
    assert (world.project.parent / "outside").exists()


@needs_bwrap
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_sandbox_run_that_is_ended_leaves_nothing(world: World, number: int) -> None:
    process = world.start("sandbox", "run", "--", "sh", "-c", "setsid sleep 4751 & echo ready; sleep 4752")
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert soon(lambda: not _in(world.project))
    assert soon(lambda: not (world.project / ".mcp.json").exists())


def soon(true: Callable[[], bool]) -> bool:
    """Within five seconds: what a command leaves is removed by its supervisor, which nothing here can wait for."""
    for _ in range(500):
        if true():
            return True
        signal.sigtimedwait([], 0.01)
    return true()


def _in(folder: Path) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.readlink(f"/proc/{name}/cwd") == str(folder):
                found.append(int(name))
        except OSError:
            continue
    return found
