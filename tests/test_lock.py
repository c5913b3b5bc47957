"""`profile.lock`, from outside: written, drifted from, refused."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest


class Place:
    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        (self.project / ".git").mkdir(parents=True)
        (self.project / "AGENTS.md").write_text("Use tabs.\n")
        self.home = folder / "home"
        self.home.mkdir()
        self.profiles = self.home / "protea" / "profiles"
        self.profiles.mkdir(parents=True)
        self.lock = self.project / ".protea" / "profile.lock"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PROTEA_HOME": str(self.home / "protea"),
            "PROTEA_MODEL": "offline/grammar",
            "NO_COLOR": "1",
            "TERM": "xterm",
        }

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "protea", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self.project,
            env=self.environment,
        )

    def at_a_terminal(self, *words: str, answers: list[tuple[str, str]]) -> tuple[str, int]:
        """Everything that was shown, and the exit code; each answer is typed once what it answers stands there."""
        process, leader = pty.fork()
        if process == 0:
            os.chdir(self.project)
            os.execve(sys.executable, [sys.executable, "-m", "protea", *words], self.environment)
        shown, deadline = "", time.monotonic() + 60
        try:
            while time.monotonic() < deadline:
                if answers and answers[0][0] in shown:
                    os.write(leader, answers.pop(0)[1].encode())
                ready, _, _ = select.select([leader], [], [], 0.2)
                try:
                    data = os.read(leader, 65536) if ready else b""
                except OSError:
                    break
                if ready and not data:
                    break
                shown += data.decode("utf-8", "replace")
            _, status = os.waitpid(process, 0)
        finally:
            os.close(leader)
        return shown, os.waitstatus_to_exitcode(status)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    assert made.run("trust").returncode == 0
    return made


def test_what_was_locked_and_is_as_it_was_is_not_mentioned(place: Place) -> None:
    done = place.run("profile", "lock")
    assert done.returncode == 0
    assert done.stdout.startswith("coding is locked: ")
    text = place.lock.read_text()
    for item in (
        "persona (normal)",
        "persona (plan)",
        "instructions AGENTS.md",
        "tool Bash",
        "file protea/coding.toml",
    ):
        assert f'"{item}" = "sha256:' in text
    assert str(place.project) not in text
    first = place.lock.read_bytes()
    place.run("profile", "lock")
    assert place.lock.read_bytes() == first
    asked = place.run("-p", "hello", "--frozen")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert place.run("profile", "lock", "--check").stdout == "Everything is as it was locked.\n"


def test_a_drift_is_one_line_and_refused_where_nothing_may_drift(place: Place) -> None:
    place.run("profile", "lock")
    (place.project / "AGENTS.md").write_text("Use tabs.\nNever test.\n")
    place.run("trust")  # else it is not used at all
    told = "1 thing is not as it was locked: instructions AGENTS.md changed"
    goes_on = place.run("-p", "hello")
    assert goes_on.returncode == 0
    assert goes_on.stderr == f"protea: profile.lock: {told}; 'protea profile lock' accepts it, --frozen refuses it\n"
    refused = place.run("-p", "hello", "--frozen")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"protea: --frozen: {told}; `protea profile lock` accepts it\n"
    check = place.run("profile", "lock", "--check")
    assert check.returncode == 1
    assert "instructions AGENTS.md: changed\n" in check.stdout
    assert "    +Never test.\n" in check.stdout
    machine = json.loads(place.run("profile", "lock", "--check", "--json").stdout)
    assert [(each["item"], each["change"]) for each in machine] == [("instructions AGENTS.md", "changed")]
    assert place.run("profile", "lock").returncode == 0
    assert place.run("-p", "hello", "--frozen").returncode == 0


def test_other_tools_and_other_words_are_a_drift(place: Place) -> None:
    mine = place.profiles / "mine.toml"
    mine.write_text('extends = "coding"\n')
    assert place.run("profile", "lock", "--profile", "mine").returncode == 0
    mine.write_text('extends = "coding"\n[persona]\nappend = "Obey."\n[toolset]\nwithout = ["Glob"]\n')
    found = json.loads(place.run("profile", "lock", "--check", "--json", "--profile", "mine").stdout)
    changes = {each["item"]: each["change"] for each in found}
    assert changes == {
        "file ~/.protea/profiles/mine.toml": "changed",
        "persona (normal)": "changed",
        "persona (plan)": "changed",
        "tool Glob": "gone",
    }
    assert place.run("-p", "hello").stderr == ""  # another profile is another matter


def test_frozen_needs_a_lock_and_lets_nothing_be_exchanged(place: Place) -> None:
    done = place.run("-p", "hello", "--frozen")
    assert done.returncode == 1
    assert done.stderr == "protea: --frozen: the profile coding is not locked; `protea profile lock` does that\n"
    place.run("profile", "lock")
    chat = place.run("repl", "--frozen", stdin="/profile base\nhello\n")
    assert "--frozen: what was locked is not exchanged" in chat.stdout
    assert chat.returncode == 0


def test_a_lock_that_nobody_trusts_keeps_nobody_from_working(place: Place) -> None:
    place.run("profile", "lock")
    place.run("trust", "--forget")
    (place.project / "AGENTS.md").write_text("Other.\n")
    assert "profile.lock" not in place.run("-p", "hello").stderr


def test_a_person_is_shown_the_diff_and_asked(place: Place) -> None:
    place.run("profile", "lock")
    (place.project / "AGENTS.md").write_text("Use tabs.\nNever \x1b[2J test.\n")
    place.run("trust")  # else it is not used at all
    shown, code = place.at_a_terminal("repl", answers=[("n leave > ", "n\r")])
    assert code == 1
    assert "instructions AGENTS.md: changed" in shown
    assert "+Never ␛[2J test." in shown
    shown, code = place.at_a_terminal(
        "repl", answers=[("n leave > ", "what\r"), ("n leave > ", "y\r"), ("/help", "/exit\r")]
    )
    assert code == 0
    shown, code = place.at_a_terminal("repl", answers=[("n leave > ", "l\r"), ("/help", "/exit\r")])
    assert code == 0
    shown, code = place.at_a_terminal("repl", answers=[("/help", "/exit\r")])
    assert (code, "n leave" in shown) == (0, False)


def test_what_is_no_lock_is_told(place: Place) -> None:
    place.lock.parent.mkdir(exist_ok=True)
    place.lock.write_text("coding = 3\n")
    done = place.run("-p", "hello")
    assert done.returncode == 1
    assert done.stderr.startswith(f"protea: {place.lock}: this is no lock file")
