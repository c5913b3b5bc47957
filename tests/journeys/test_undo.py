"""Undo as a person meets it: a real process ran a build script, another takes it back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.checkpoint.trees import State, state

BUILD = """#!/bin/bash
mkdir -p build/deep; echo one > build/deep/out; printf 'two' > source; rm gone; mv old new; chmod 755 source
git add -A && git -c user.name=a -c user.email=b commit -qm built
"""


class Home:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        for name in ("source", "gone", "old"):
            (self.project / name).write_text(f"{name}\n")
        subprocess.run(["git", "init", "-q", "."], cwd=self.project, check=True)

    def script(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)
        (self.project / name).chmod(0o755)

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "protea", *words],
            cwd=self.project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def protea(self, *words: str, code: int = 0) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, (out, err)
        return out

    def state(self) -> State:
        return state(str(self.project))

    def run(self, script: str, *flags: str) -> None:
        self.protea("-p", "--allow", f"Bash({script})", *flags, "-m", "offline/grammar", f"run {script}")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_build_is_shown_undone_and_redone(home: Home) -> None:
    home.script("build.sh", BUILD)
    before = home.state()
    home.run("./build.sh")
    after = home.state()
    shown = home.protea("diff")
    assert "-source\n+two" in shown
    assert "old mode 100644\nnew mode 100755" in shown
    told = json.loads(home.protea("undo", "--dry-run", "--json"))
    assert told["dry_run"]
    assert home.state() == after
    done = json.loads(home.protea("undo", "--json"))
    assert {os.path.basename(each["path"]): each["what"] for each in done["files"]}["gone"] == "created"
    assert home.state() == before
    home.protea("redo")
    assert home.state() == after
    assert "nothing to redo" in home.start("redo").communicate(timeout=60)[1]


def test_where_no_turn_changed_a_file_that_is_said(home: Home) -> None:
    home.protea("-p", "-m", "offline/grammar", "list files")
    words = {"diff": "no turn has changed a file", "undo": "nothing to undo", "redo": "nothing to redo"}
    for command, said in words.items():
        for flags in ((), ("--dry-run",)) if command != "diff" else ((),):
            process = home.start(command, *flags)
            assert said in process.communicate(timeout=60)[1]
            assert process.returncode == (0 if command == "diff" else 1)


def test_what_a_person_changed_meanwhile_is_left_and_named(home: Home) -> None:
    home.script("edit.sh", "#!/bin/bash\necho turn > source; echo turn > old\n")
    home.run("./edit.sh")
    (home.project / "source").write_text("mine\n")
    told = home.protea("undo", code=1)
    assert "source: it was changed since" in told
    assert (home.project / "source").read_text() == "mine\n"
    assert (home.project / "old").read_text() == "old\n"


def test_what_a_killed_process_had_done_is_undone(home: Home) -> None:
    home.script("slow.sh", "#!/bin/bash\necho turn > source; rm gone; echo x > new; echo all done; sleep 300\n")
    before = home.state()
    words = ("-p", "--output-format", "stream-json", "--allow", "Bash(./slow.sh)", "-m", "offline/grammar")
    process = home.start(*words, "run ./slow.sh")
    assert process.stdout is not None
    assert any("all done" in line for line in process.stdout)  # what it prints is told as it comes
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    home.protea("undo")
    assert home.state() == before
