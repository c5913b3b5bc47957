"""Git in a project nobody has trusted: free to read as long as the repository holds only what git itself wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from protea.domain.permission import Decision
from tests.adapters.permission.scenery import Scenery

READING = ("git status", "git diff", "git log --oneline -3", "git show HEAD", "git branch -a")


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    (origin / "a.txt").write_text("a\n")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "first")
    git(tmp_path, "clone", "-q", "--no-hardlinks", str(origin), "clone")
    return tmp_path / "clone"


def decide(clone: Path, command: str, *, trusted: bool = False) -> Decision:
    return Scenery(str(clone), str(clone.parent / "home")).bash(command, trusted=trusted)


def test_a_fresh_clone_is_read_without_a_question(clone: Path) -> None:
    assert {command: decide(clone, command).verdict for command in READING} == dict.fromkeys(READING, "allow")


def test_so_is_a_folder_below_it(clone: Path) -> None:
    (clone / "deep").mkdir()
    decision = Scenery(str(clone), str(clone.parent / "home")).bash(
        "git status", trusted=False, cwd=str(clone / "deep")
    )
    assert decision.verdict == "allow"


def setting(text: str) -> Callable[[Path], None]:
    def change(clone: Path) -> None:
        with (clone / ".git/config").open("a") as file:
            file.write(text)

    return change


def hook(clone: Path) -> None:
    path = clone / ".git/hooks/post-index-change"
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\ntouch pwned\n")
    path.chmod(0o755)


def submodule(clone: Path) -> None:
    git(clone, "submodule", "add", "-q", str(clone.parent / "origin"), "sub")
    shutil.rmtree(clone / ".git/modules")  # even where git keeps it in the folder itself
    git(clone, "config", "--remove-section", f"submodule.{'sub'}")


def nested(clone: Path) -> None:
    """A repository that was committed as a submodule without saying so: git status looks into it."""
    git(clone.parent, "clone", "-q", "origin", str(clone / "inner"))
    git(clone, "add", "inner")


def borrowed(clone: Path) -> None:
    (clone / ".git/objects/info").mkdir(exist_ok=True)
    (clone / ".git/objects/info/alternates").write_text(str(clone.parent / "origin/.git/objects") + "\n")


def elsewhere(clone: Path) -> None:
    (clone / ".git").rename(clone.parent / "elsewhere")
    (clone / ".git").symlink_to(clone.parent / "elsewhere")


@pytest.mark.parametrize(
    "change",
    [
        setting("[core]\n\tfsmonitor = ./x.sh\n"),
        setting("[core]\n\tfsmonitor = true\n"),
        setting("[core]\n\thooksPath = hooks\n"),
        setting("[core]\n\tpager = ./x.sh\n"),
        setting("[include]\n\tpath = ../config\n"),
        setting('[includeIf "gitdir:**"]\n\tpath = ../config\n'),
        setting('[filter "x"]\n\tclean = ./x.sh\n'),
        setting('[diff "x"]\n\ttextconv = ./x.sh\n'),
        setting("[diff]\n\texternal = ./x.sh\n"),
        setting("[alias]\n\tst = !./x.sh\n"),
        setting("[extensions]\n\tworktreeConfig = true\n"),
        setting("[core] fsmonitor = ./x.sh\n"),
        setting("[user]\n\tname = a\\\n[core]\n\tfsmonitor = ./x.sh\n"),
        setting("[CORE]\n\tFSMonitor\n"),
        setting('[remote "o"]\n\tuploadpack = ./x.sh\n'),
        hook,
        submodule,
        nested,
        borrowed,
        elsewhere,
    ],
)
def test_whatever_git_did_not_write_itself_asks(clone: Path, change: Callable[[Path], None]) -> None:
    change(clone)
    for command in ("git status", "git diff", "git log"):
        decision = decide(clone, command)
        assert decision.verdict == "ask", command
    assert not os.path.lexists(clone / "pwned")


def test_no_repository_at_all_has_nothing_to_run(tmp_path: Path) -> None:
    assert decide(tmp_path, "git status").verdict == "allow"
