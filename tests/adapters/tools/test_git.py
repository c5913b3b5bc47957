"""Git on real repositories in the states that people leave them in."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from protea.domain.schema import problems
from protea.domain.tools import ToolResult
from protea.testing.toolset import RecordedCall
from tests.adapters.tools.conftest import Project


async def call(project: Project, **arguments: Any) -> ToolResult:
    tool = project.tools.tool("Git")
    assert tool is not None
    assert problems(arguments, tool.spec.parameters) == []
    project.last = RecordedCall(str(project.outputs), toolset=project.tools)
    return await tool.run(arguments, project.last)


def git(where: Project | Path, *words: str, fails: bool = False) -> str:
    folder = where.root if isinstance(where, Project) else where
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stderr
    return done.stdout.rstrip("\n")


@pytest.fixture
def repository(project: Project) -> Project:
    git(project, "init", "-q", "-b", "main")
    git(project, "config", "user.name", "Test")
    git(project, "config", "user.email", "test@example.invalid")
    project.write({"a.txt": "one\n"})
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    return project


def conflict(project: Project, how: str) -> None:
    git(project, "switch", "-qc", "other")
    project.write({"a.txt": "other\n"})
    git(project, "commit", "-qam", "other")
    git(project, "switch", "-q", "main")
    project.write({"a.txt": "main\n"})
    git(project, "commit", "-qam", "main")
    git(project, how, "other", fails=True)


NAMES = [
    "with space.txt",
    "ümläut.txt",
    "line\nbreak.txt",
    "-dash",
    'quote".txt',
    "tab\t.txt",
    "a[1].txt",
    "日本/語.txt",
]


async def test_files_of_any_name_are_told_and_committed(repository: Project) -> None:
    repository.write(dict.fromkeys(NAMES, "x\n"))
    status = await call(repository, action="status")
    for name in ("ümläut.txt", "日本/"):
        assert f"?? {name}" in status.text.splitlines()
    done = await call(repository, action="commit", paths=NAMES, message="All names")
    assert not done.is_error, done.text
    assert "create mode 100644 ümläut.txt" in done.text
    assert sorted(git(repository, "ls-files", "-z").split("\0")[:-1]) == sorted(["a.txt", *NAMES])
    for name in NAMES:
        repository.write({name: "y\n"})
    shown = await call(repository, action="diff", paths=["ümläut.txt", "日本/語.txt"])
    assert "+++ b/ümläut.txt" in shown.text
    assert "+++ b/日本/語.txt" in shown.text


async def test_a_hook_that_fails_is_told_and_no_commit_is_made(repository: Project) -> None:
    hook = repository.root / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho 'a.txt:1: too long' >&2\nexit 1\n")
    hook.chmod(0o755)
    repository.write({"a.txt": "two\n"})
    done = await call(repository, action="commit", all=True, message="two")
    assert done.is_error
    assert done.text == "a.txt:1: too long\n[exit code 1]\n[no commit was made]"
    assert git(repository, "log", "--format=%s") == "first"


async def test_a_commit_that_no_branch_has_is_said_to_be_one(repository: Project) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert "HEAD (no branch)" in (await call(repository, action="status")).text
    repository.write({"a.txt": "two\n"})
    done = await call(repository, action="commit", all=True, message="two")
    assert done.text.endswith("\n[no branch has this commit: branch with create and a name keeps it]")
    assert not (await call(repository, action="branch", create=True, name="kept")).is_error
    assert git(repository, "log", "-1", "--format=%s", "kept") == "two"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("merge", "a merge is not finished"),
        ("rebase", "a rebase is not finished"),
        ("cherry-pick", "a cherry-pick is not finished"),
    ],
)
async def test_what_is_not_finished_is_told_with_the_status(repository: Project, how: str, said: str) -> None:
    assert "[" not in (await call(repository, action="status")).text
    conflict(repository, how)
    status = await call(repository, action="status")
    assert "UU a.txt" in status.text
    assert f"[{said}" in status.text.splitlines()[-1]
    refused = await call(repository, action="commit", message="too early")
    assert refused.is_error
    assert refused.text.endswith("[no commit was made]")


async def test_a_merge_is_finished_by_a_commit_with_paths(repository: Project) -> None:
    conflict(repository, "merge")
    repository.write({"a.txt": "both\n"})
    done = await call(repository, action="commit", paths=["a.txt"], message="Merge other")
    assert not done.is_error, done.text
    assert git(repository, "rev-list", "--parents", "-1", "HEAD").count(" ") == 2
    assert "not finished" not in (await call(repository, action="status")).text


async def test_what_is_not_finished_in_a_worktree_is_told_there(repository: Project, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "side", str(repository.root / "side"))
    git(repository.root / "side", "switch", "-qc", "x")
    (repository.root / "side/a.txt").write_text("x\n")
    git(repository.root / "side", "commit", "-qam", "x")
    git(repository.root / "side", "switch", "-q", "side")
    (repository.root / "side/a.txt").write_text("y\n")
    git(repository.root / "side", "commit", "-qam", "y")
    git(repository.root / "side", "merge", "x", fails=True)
    assert "not finished" not in (await call(repository, action="status")).text
    bash = repository.tools.tool("Bash")
    assert bash is not None
    await bash.run({"command": "cd side"}, RecordedCall(str(repository.outputs)))
    assert "a merge is not finished" in (await call(repository, action="status")).text


async def test_submodules_are_told_and_committed_like_files(repository: Project, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "-q", "-b", "main")
    git(inner, "commit", "-q", "--allow-empty", "-m", "inner")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "vendored")
    done = await call(repository, action="commit", paths=[".gitmodules", "vendored"], message="Vendor it")
    assert "create mode 160000 vendored" in done.text
    git(repository.root / "vendored", "commit", "-q", "--allow-empty", "-m", "more")
    assert " M vendored" in (await call(repository, action="status")).text.splitlines()


@pytest.mark.parametrize("folder", ["../side tree", "../with~tilde", "../a..b", "../.hidden", "../x.lock", "../ü"])
async def test_a_worktree_in_a_folder_of_any_name_has_a_branch(repository: Project, folder: str) -> None:
    made = await call(repository, action="worktree", create=True, name=folder)
    assert not made.is_error, made.text
    assert (repository.root / folder / "a.txt").exists()
    assert folder.removeprefix("../") in (await call(repository, action="worktree")).text
    assert not (await call(repository, action="worktree", delete=True, name=folder)).is_error
    assert not (repository.root / folder).exists()


ODD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"action": "commit", "message": " \n"}, "A commit needs a message"),
    ({"action": "commit", "message": "x", "paths": ["gone.txt"]}, "did not match any files"),
    ({"action": "commit", "message": "x"}, "nothing to commit"),
    ({"action": "commit", "message": "x", "paths": ["/etc/passwd"]}, "outside repository"),
    ({"action": "diff", "revision": "nope"}, "unknown revision"),
    ({"action": "diff", "revision": "--output=x"}, "is no revision"),
    ({"action": "log", "limit": 1, "paths": ["gone.txt"]}, "[no output]"),
    ({"action": "show", "revision": "HEAD:a.txt"}, "one"),
    ({"action": "show", "revision": "$(touch pwned)"}, "unknown revision"),
    ({"action": "blame", "paths": ["a.txt", "b.txt"]}, "blame needs one file"),
    ({"action": "blame", "paths": ["gone.txt"]}, "no such path"),
    ({"action": "branch", "create": True, "name": "bad..name"}, "not a valid branch name"),
    ({"action": "branch", "create": True, "name": "main"}, "already exists"),
    ({"action": "branch", "delete": True, "name": "main"}, "main"),
    ({"action": "switch", "name": "nope"}, "invalid reference"),
    ({"action": "switch", "name": ""}, "switch needs a name"),
    ({"action": "worktree", "create": True, "name": "."}, "already exists"),
    ({"action": "unstash"}, "No stash entries"),
    ({"action": "stash"}, "No local changes"),
    ({"action": "restore", "paths": ["gone.txt"]}, "did not match any file"),
    ({"action": "commit", "message": "x" * 200_000, "all": True}, "Argument list too long"),
)


@pytest.mark.parametrize(("arguments", "said"), ODD)
async def test_odd_calls_get_an_answer_that_says_what_is_wrong(
    repository: Project, arguments: dict[str, Any], said: str
) -> None:
    done = await call(repository, **arguments)
    assert said in done.text
    assert not (repository.root / "pwned").exists()


async def test_where_there_is_no_repository_that_is_said(project: Project) -> None:
    assert "not a git repository" in (await call(project, action="status")).text
