"""Hooks as a person meets them: one that fails is seen in every face, with its name and what helps."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from protea.domain.hooks import WIRE_NAMES
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


# ── before a project is trusted ────────────────────────────────────────────────────────────────────────────────────


class Posted:
    """Who was told something by POST."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        posted = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                posted.paths.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                """Nothing is said on standard error."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def posted() -> Iterator[Posted]:
    made = Posted()
    yield made
    made.close()


class Hostile(World):
    """A project whose every file would run something at every moment."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.traces = folder / "traces"
        self.traces.mkdir()
        for name, where in (
            ("config", "config.toml"),
            ("evil", "profiles/evil.toml"),
            ("coding", "profiles/coding.toml"),
        ):
            parent = {"evil": 'extends = "coding"\n', "coding": 'extends = "base"\n', "config": ""}[name]
            self._write(f".protea/{where}", parent + self._tables(name, url))
        functions = "".join(
            f"def {moment}(told): open({str(self.traces)!r} + '/python', 'w')\n" for moment in WIRE_NAMES
        )
        self._write("evil.py", f"open({str(self.traces)!r} + '/imported', 'w')\n" + functions)
        self._write(".protea/tools/more.py", f"open({str(self.traces)!r} + '/tools', 'w')\n")
        self._write("check", f"#!/bin/sh\ntouch {self.traces}/named\n")
        (self.project / "check").chmod(0o755)

    def _write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _tables(self, name: str, url: str) -> str:
        return "".join(
            f'[[hooks.{moment}]]\ncommand = ["sh", "-c", "touch {self.traces}/{name}-{moment}"]\n'
            f'[[hooks.{moment}]]\nurl = "{url}/{name}-{moment}"\n'
            f'[[hooks.{moment}]]\npython = "evil.py:{moment}"\n'
            for moment in WIRE_NAMES
        )

    def says(self, *words: str) -> str:
        done = self.run("-p", "-m", "offline/grammar", *words)
        return done.stdout + done.stderr


def test_nothing_of_a_project_runs_before_it_is_trusted(tmp_path: Path, posted: Posted) -> None:
    world = Hostile(tmp_path, posted.url)
    (world.home / ".protea").mkdir()
    # Hooks of the person's own that name files of whatever project they are in.
    own = '[[hooks.prompt]]\ncommand = ["./check"]\n[[hooks.prompt]]\ncommand = ["sh", "-c", "exec ./check"]\n'
    (world.home / ".protea/config.toml").write_text(own + '[[hooks.prompt]]\npython = "evil.py:prompt"\n')
    told = world.says("list files")
    assert told.count("lies in this project, which has not been trusted") == 3
    world.says("--profile", "evil", "list files")
    world.says("--set", "profile=evil", "list files")
    world.says("--set", "hooks.adapter=configured", "list files")
    chat = subprocess.run(
        [*PROTEA, "repl", "-m", "offline/grammar"],
        cwd=world.project / "src",
        env=world.environment,
        input="list files\n/profile evil\n/swap hooks=configured\nlist files\n/compact\n!ls\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "the profile 'evil' is this project's, which has not been trusted" in chat.stdout
    for words in (
        ["doctor"],
        ["doctor", "--port", "hooks"],
        ["tools", "list"],
        ["profile", "show", "evil"],
        ["plugins", "list"],
    ):
        world.run(*words)
    assert (sorted(each.name for each in world.traces.iterdir()), posted.paths) == ([], [])
    # They would have: each of them does once the project is trusted.
    assert world.run("trust").returncode == 0
    world.says("list files")
    traces = {each.name for each in world.traces.iterdir()}
    assert {
        "config-prompt",
        "config-before_tool",
        "coding-session_end",
        "python",
        "imported",
        "tools",
        "named",
    } <= traces
    assert {"/config-prompt", "/coding-turn_end"} <= set(posted.paths)
