"""Hooks as a person meets them: one that fails is seen in every face, with its name and what helps."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interfaces.tui.terminal import Terminal
from tests.journeys.world import PROTEA, World

FUNCTIONS = """
import time

def raises(told):
    return told["no such key"]

def hangs(told):
    time.sleep(600)

def words(told):
    return "no"
"""

FAILING = {
    "exits": ('command = ["sh", "-c", "echo out of disk >&2; exit 3"]', "exit code 3: out of disk"),
    "missing": ('command = ["no-such-program"]', "put it on PATH"),
    "no json": ('command = ["sh", "-c", "echo {oops"]', "its answer is no JSON"),
    "useless": ('command = ["sh", "-c", "echo \'{\\"updatedInput\\": {}}\'"]', "here it is updatedPrompt"),
    "forks": ('command = ["sh", "-c", "sleep 600 & sleep 600"]\ntimeout = 0.5', "it took longer than 0.5 s"),
    "nobody": ('url = "http://127.0.0.1:9/"', "nothing listens there"),
    "raises": ('python = "~/mine.py:raises"', "mine.py, line 5"),
    "hangs": ('python = "~/mine.py:hangs"\ntimeout = 0.5', "it took longer than 0.5 s"),
    "words": ('python = "~/mine.py:words"', "no JSON object"),
    "import": ('python = "~/other.py:check"', "it cannot be imported"),
}
"""Name → (its table, words of what is told)."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    (made.home / "mine.py").write_text(FUNCTIONS)
    (made.home / "other.py").write_text("import nowhere\n")
    tables = "".join(f'[[hooks.prompt]]\nname = "{name}"\n{table}\n' for name, (table, _) in FAILING.items())
    end = '[[hooks.session_end]]\nname = "the last"\ncommand = ["sh", "-c", "exit 9"]\n'
    (made.home / ".protea").mkdir()
    (made.home / ".protea/config.toml").write_text(tables + end)
    return made


@pytest.fixture
def screen(world: World) -> Iterator[Terminal]:
    # A shell stands around it: what is said after the screen has gone is seen where it was begun.
    command = [*PROTEA, "-m", "offline/grammar"]
    kept = {**world.environment, "TERM": "xterm-256color"}
    opened = Terminal(command, kept, cwd=str(world.project), columns=150, rows=60)
    yield opened
    opened.close()


def all_told(text: str) -> None:
    flat = " ".join(text.split())
    for name, (_, words) in FAILING.items():
        assert f"the hook {name} failed:" in flat, name
        assert words in flat, name


def test_a_hook_that_fails_is_told_on_standard_error_and_in_the_stream(world: World) -> None:
    done = world.run("-p", "-m", "offline/grammar", "list files")
    assert done.returncode == 0, "none of them is strict"
    all_told(done.stderr)
    assert "the hook the last failed: exit code 9" in done.stderr
    done = world.run("-p", "-m", "offline/grammar", "--output-format", "stream-json", "list files")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    all_told("\n".join(event.get("failed", "") for event in events))
    all_told(world.run("export").stdout)


def test_it_is_told_in_the_plain_chat(world: World) -> None:
    words = [*PROTEA, "repl", "-m", "offline/grammar"]
    done = subprocess.run(
        words,
        cwd=world.project,
        env=world.environment,
        input="list files\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    all_told(done.stdout)
    assert "the hook the last failed: exit code 9" in done.stdout


def test_it_is_told_on_the_full_screen_and_behind_it(world: World, screen: Terminal) -> None:
    screen.see(" NORMAL ")
    screen.type("list files\r")
    all_told(screen.see("src/alpha.py", "the hook import failed"))
    screen.type("/exit\r")
    assert screen.ends() == 0
    assert "protea: the hook the last failed: exit code 9" in screen.raw


def test_a_strict_one_refuses_and_says_who_did_and_why(world: World) -> None:
    config = world.home / ".protea/config.toml"
    for name in ("exits", "nobody", "raises", "forks"):
        table, words = FAILING[name]
        config.write_text(f'[[hooks.prompt]]\nname = "{name}"\n{table}\nstrict = true\n')
        done = world.run("-p", "-m", "offline/grammar", "list files")
        assert (done.returncode, done.stdout) == (5, ""), name
        assert f"The hook {name} refused the prompt: the hook {name} failed:" in done.stderr
        assert words in done.stderr
