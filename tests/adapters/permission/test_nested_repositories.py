"""Looking at a repository goes into those that lie in it, and fetches what is missing: neither may run a program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from protea.adapters.permission._nested import nested
from protea.domain.permission import Verdict
from tests.adapters.permission.scenery import Scenery


def git(folder: Path, *words: str) -> None:
    environment = {
        **{key: os.environ[key] for key in ("PATH",)},
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "file").write_text("x\n")
    git(folder, "add", "file")
    git(folder, "commit", "-qm", "one")
    return folder


def verdicts(folder: Path, *commands: str) -> set[Verdict]:
    scenery = Scenery(str(folder), str(folder.parent / "home"))
    return {scenery.bash(command).verdict for command in commands}


LOOKING = ("git status", "git diff", "git diff --submodule=diff HEAD", "git describe --always --dirty")


@pytest.mark.parametrize("inner", ["sub", "deep/er"])
def test_a_repository_in_the_index_is_looked_through_before_git_goes_into_it(tmp_path: Path, inner: str) -> None:
    top = repository(tmp_path / "top")
    within = repository(top / inner)
    assert verdicts(top, *LOOKING) == {"allow"}
    git(top, "add", inner)
    assert nested(str(top / ".git")) == (inner,)
    assert verdicts(top, *LOOKING) == {"allow"}
    git(within, "config", "core.fsmonitor", "touch pwned; false")
    assert verdicts(top, *LOOKING) == {"ask"}
    git(top, "status")
    assert (within / "pwned").exists(), "git itself goes into it, so the question is one that must be"


def test_a_repository_within_one_within_one(tmp_path: Path) -> None:
    top = repository(tmp_path / "top")
    middle = repository(top / "middle")
    inmost = repository(middle / "inmost")
    git(middle, "add", "inmost")
    git(top, "add", "middle")
    assert verdicts(top, *LOOKING) == {"allow"}
    git(inmost, "config", "diff.external", "touch pwned")
    assert verdicts(top, *LOOKING) == {"ask"}


def test_a_submodule_as_git_makes_it_asks_nothing(tmp_path: Path) -> None:
    library = repository(tmp_path / "library")
    top = repository(tmp_path / "top")
    git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "lib")
    assert "worktree" in (top / ".git/modules/lib/config").read_text()
    assert verdicts(top, *LOOKING) == {"allow"}
    git(top / "lib", "config", "core.worktree", "/")
    assert verdicts(top, *LOOKING) == {"ask"}


def test_an_index_nobody_can_read_asks(tmp_path: Path) -> None:
    top = repository(tmp_path / "top")
    repository(top / "sub")
    git(top, "add", "sub")
    git(top, "update-index", "--index-version", "4")
    assert nested(str(top / ".git")) is None
    assert verdicts(top, "git status") == {"ask"}


def test_what_a_partial_clone_fetches_with_is_looked_at(tmp_path: Path) -> None:
    top = repository(tmp_path / "top")
    git(top, "config", "remote.origin.url", str(tmp_path / "other"))
    git(top, "config", "remote.origin.promisor", "true")
    assert verdicts(top, "git log -p", "git show HEAD") == {"allow"}
    git(top, "config", "remote.origin.uploadpack", "touch pwned; git-upload-pack")
    assert verdicts(top, "git log -p", "git show HEAD") == {"ask"}
