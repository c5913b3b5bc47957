"""Races whose runners are careless or hostile, with a real git: what that does to the others, to the project, to who
takes what one of them did."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protea.domain.delegation import Errand
from protea.domain.tools import ToolResult
from protea.testing.toolset import RecordedCall
from tests.adapters.tools.beside import RecordedBeside
from tests.adapters.tools.conftest import Project
from tests.adapters.tools.test_worktree import git, places, write

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

ROOT = Path(__file__).parents[3]
Runs = Callable[[Path], object]


@pytest.fixture
def repository(project: Project) -> Project:
    project.write({"a.py": "x = 1\n", "old.txt": "old\n"})
    git(project.root, "init", "-q", "-b", "main")
    committed(project)
    return project


def committed(project: Project, **files: str | bytes) -> None:
    project.write(files)
    git(project.root, "add", "-A")
    git(project.root, "commit", "-q", "-m", "more")


async def asked(project: Project, beside: RecordedBeside | None = None, **arguments: Any) -> ToolResult:
    tool = project.tools.tool("Race")
    assert tool is not None
    call_id = str(arguments.pop("call_id", "c1"))
    call = RecordedCall(str(project.outputs), call_id=call_id, beside=beside, toolset=project.tools)
    return await tool.run(arguments, call)


async def raced(project: Project, *runners: Runs, call_id: str = "c1") -> ToolResult:
    waiting = list(runners)

    async def runs(errand: Errand) -> str:
        waiting.pop(0)(Path(errand.cwd))
        return "done"

    names = [f"r{number}" for number in range(len(runners))]
    return await asked(project, RecordedBeside(runs), action="run", prompt="do it", runners=names, call_id=call_id)


async def picked(project: Project, number: int) -> ToolResult:
    return await asked(project, action="pick", number=number)


def good(tree: Path) -> None:
    (tree / "good.py").write_text("y = 1\n")


def idle(tree: Path) -> None:
    """Changes nothing."""


def left(project: Project) -> list[str]:
    """What lies where races are kept."""
    folder = Path(project.surroundings.environment.get("XDG_CACHE_HOME", "") or project.root.parent / ".cache")
    return sorted(os.listdir(folder / "protea-worktrees/races"))


# ── a runner that breaks its own worktree ───────────────────────────────────────────────────────────────────────────


def removes_git(tree: Path) -> None:
    (tree / ".git").unlink()


def removes_all(tree: Path) -> None:
    shutil.rmtree(tree)


def locks(tree: Path) -> None:
    git(tree, "worktree", "lock", str(tree))


def spoils_the_index(tree: Path) -> None:
    Path(git(tree, "rev-parse", "--absolute-git-dir"), "index").write_text("garbage")


def locks_the_index(tree: Path) -> None:
    Path(git(tree, "rev-parse", "--absolute-git-dir"), "index.lock").touch()


def closes_a_folder(tree: Path) -> None:
    (tree / "closed").mkdir()
    (tree / "closed/x").write_text("x")
    (tree / "closed").chmod(0)


@pytest.mark.parametrize(
    "bad",
    [removes_git, removes_all, locks, spoils_the_index, locks_the_index, closes_a_folder],
    ids=lambda f: f.__name__,
)
async def test_one_that_breaks_its_worktree_costs_the_others_nothing_and_leaves_nothing(
    repository: Project, bad: Runs
) -> None:
    result = await raced(repository, bad, good)
    assert not result.is_error
    assert "good.py +1 -0" in result.text
    taken = await picked(repository, 2)
    assert not taken.is_error
    assert (repository.root / "good.py").read_text() == "y = 1\n"
    assert (places(repository), left(repository)) == ([], [])


async def test_what_a_runner_did_can_be_taken_though_its_worktree_is_gone(repository: Project) -> None:
    await raced(repository, good, good)
    shutil.rmtree(places(repository)[0])
    assert not (await picked(repository, 1)).is_error
    assert (repository.root / "good.py").exists()
    assert left(repository) == []


async def test_what_happens_in_a_worktree_after_the_race_does_not_count(repository: Project) -> None:
    await raced(repository, good, idle)
    (tree, _) = places(repository)
    write(tree, "good.py", "import evil\n")
    git(tree, "add", "-A")
    await picked(repository, 1)
    assert (repository.root / "good.py").read_text() == "y = 1\n"


# ── a runner that wants git to run something for it ─────────────────────────────────────────────────────────────────


def planted(folder: Path, mark: Path) -> None:
    """Make git run a command for every file it reads in this repository."""
    git(folder, "config", "filter.x.clean", f"touch {mark}; cat")
    git(folder, "config", "core.fsmonitor", f"touch {mark}; false")
    (folder / ".gitattributes").write_text("* filter=x\n")


def nested(tree: Path, mark: Path) -> None:
    inner = tree / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "f").write_text("1")
    git(inner, "add", "f")
    git(inner, "commit", "-q", "-m", "1")
    git(tree, "add", "inner")
    (inner / "f").write_text("2")
    planted(inner, mark)


def instead(tree: Path, mark: Path) -> None:
    (tree / ".git").unlink()
    git(tree, "init", "-q")
    planted(tree, mark)


@pytest.mark.parametrize("plants", [nested, instead], ids=lambda f: f.__name__)
async def test_nothing_a_runner_planted_is_run_by_protea(
    repository: Project, plants: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    mark = tmp_path / "it-was-run"
    await raced(repository, lambda tree: plants(tree, mark), good)
    assert not mark.exists()
    await asked(repository, action="diff", number=1)
    await picked(repository, 1)
    assert not mark.exists()


async def test_nothing_an_agent_in_a_worktree_planted_is_run_by_protea(repository: Project, tmp_path: Path) -> None:
    mark = tmp_path / "it-was-run"

    async def works(errand: Errand) -> str:
        nested(Path(errand.cwd), mark)
        return "done"

    tool = repository.tools.tool("Agent")
    assert tool is not None
    call = RecordedCall(str(repository.outputs), call_id="c1", beside=RecordedBeside(works))
    result = await tool.run({"prompt": "look", "worktree": True}, call)
    assert "is kept" in result.text
    assert not mark.exists()


async def test_a_repository_planted_in_the_project_is_not_asked_when_a_race_begins(
    repository: Project, tmp_path: Path
) -> None:
    mark = tmp_path / "it-was-run"
    nested(repository.root, mark)
    assert not (await raced(repository, good, idle)).is_error
    assert not mark.exists()


async def test_a_worktree_without_git_is_not_taken_for_a_part_of_a_repository_around_it(repository: Project) -> None:
    home = repository.root.parent
    git(home, "init", "-q")
    await raced(repository, removes_git, good)
    assert git(home, "ls-files") == ""


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("call_id", ["../../../../../../x", "a\nb", "a" * 300, "-rf", "ü/..", ""])
async def test_the_id_of_a_call_leads_nowhere_else(repository: Project, call_id: str) -> None:
    result = await raced(repository, good, idle, call_id=call_id)
    assert not result.is_error
    for place in places(repository):
        assert os.path.dirname(place) == str(repository.root.parent / ".cache/protea-worktrees/races")
    await picked(repository, 1)
    assert left(repository) == []


NAMES = ["nl\nx", 'q"x', "t\tx", "b\\x", "ünï", " lead", "trail ", "sp ace", "-dash", "a → b"]


async def test_files_with_odd_names_are_taken_under_these_names(repository: Project) -> None:
    def writes(tree: Path) -> None:
        for name in NAMES:
            (tree / name).write_text("1\n")

    result = await raced(repository, writes, idle)
    assert "nl\\nx +1 -0" in result.text, "one name is not shown as two"
    assert not (await picked(repository, 1)).is_error
    assert sorted(os.listdir(repository.root)) == sorted([*NAMES, ".git", "a.py", "old.txt"])


@pytest.mark.parametrize("name", ["we\nird", ' "q" ', "ü \\n x"])
async def test_a_project_with_an_odd_name_takes_them_into_itself(tmp_path: Path, name: str) -> None:
    from protea.adapters.tools import builtin

    project = Project(Path(os.path.realpath(tmp_path)), builtin.Options())  # noqa: ASYNC240 - a test's own folder
    os.rename(project.root, project.root.parent / name)
    project.root = project.root.parent / name
    from msgspec.structs import replace

    project.surroundings = replace(project.surroundings, cwd=str(project.root), root=str(project.root))
    project.tools = project.open(builtin.Options())
    git(project.root, "init", "-q", "-b", "main")
    committed(project, a="1\n")
    await raced(project, good, idle)
    assert not (await picked(project, 1)).is_error
    assert sorted(os.listdir(project.root)) == [".git", "a", "good.py"]
    assert sorted(os.listdir(tmp_path)) == sorted([".cache", "outputs", name])
    await project.close()


# ── kinds of change ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_each_kind_of_change_is_taken_exactly_or_named(repository: Project) -> None:
    committed(
        repository,
        empty="",
        crlf=b"a\r\nb\r\n",
        to_crlf=b"a\nb\n",
        latin=b"caf\xe9\n",
        data=b"\0\1",
        moved="1\n",
        program="#!/bin/sh\n",
        folder_x="1\n",
    )

    def changes(tree: Path) -> None:
        (tree / "empty").unlink()
        (tree / "crlf").write_bytes(b"a\r\nc\r\n")
        (tree / "to_crlf").write_bytes(b"a\r\nb\r\n")
        (tree / "latin").write_bytes(b"caf\xe9 au lait\n")
        (tree / "data").write_bytes(b"\0\2")
        (tree / "moved").rename(tree / "elsewhere")
        (tree / "program").chmod(0o755)
        (tree / "new_empty").touch()
        (tree / "new_crlf").write_bytes(b"q\r\n\r\nr\r\n")
        (tree / "new_latin").write_bytes(b"caf\xe9\n")
        (tree / "bare").write_text("no line feed")
        (tree / "link").symlink_to("/etc/passwd")
        (tree / "like_a_patch").write_text("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\ndiff --git a/z b/z\n")

    await raced(repository, changes, idle)
    taken = await picked(repository, 1)
    assert not taken.is_error
    exactly = {
        "crlf": b"a\r\nc\r\n",
        "elsewhere": b"1\n",
        "new_empty": b"",
        "new_crlf": b"q\r\n\r\nr\r\n",
        "bare": b"no line feed",
        "like_a_patch": b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\ndiff --git a/z b/z\n",
    }
    for name, content in exactly.items():
        assert (repository.root / name).read_bytes() == content, name
    for name in ("empty", "moved", "new_latin", "link"):
        assert name not in os.listdir(repository.root)
    for name, content in {"to_crlf": b"a\nb\n", "latin": b"caf\xe9\n", "data": b"\0\1"}.items():
        assert (repository.root / name).read_bytes() == content, name
    for name in ("to_crlf", "latin", "data", "new_latin", "link"):
        assert f"not taken, a patch cannot say it: {name};" in taken.text
    assert "[not done: chmod +x program]" in taken.text
    assert len(places(repository)) == 1, "what was not taken is nowhere else"


async def test_a_change_of_a_mode_alone_can_be_picked(repository: Project) -> None:
    await raced(repository, lambda tree: (tree / "a.py").chmod(0o755), idle)
    taken = await picked(repository, 1)
    assert (taken.is_error, "chmod +x a.py" in taken.text) == (False, True)


async def test_a_file_in_the_place_of_a_folder_is_not_half_taken(repository: Project) -> None:
    committed(repository, **{"d/x": "1\n"})

    def swaps(tree: Path) -> None:
        shutil.rmtree(tree / "d")
        (tree / "d").write_text("a file now\n")
        (tree / "a.py").unlink()
        (tree / "a.py").mkdir()
        (tree / "a.py/x").write_text("1\n")
        good(tree)

    await raced(repository, swaps, idle)
    taken = await picked(repository, 1)
    assert not taken.is_error
    assert (repository.root / "d/x").read_text() == "1\n"
    assert (repository.root / "a.py").read_text() == "x = 1\n"
    assert (repository.root / "good.py").exists()


async def test_a_file_that_was_changed_meanwhile_is_not_removed(repository: Project) -> None:
    await raced(repository, lambda tree: (tree / "old.txt").unlink(), good)
    repository.write({"old.txt": "hours of work\n"})
    refused = await picked(repository, 1)
    assert refused.is_error
    assert refused.text.startswith("Nothing was taken and nothing dropped.")
    assert (repository.root / "old.txt").read_text() == "hours of work\n"
    assert len(places(repository)) == 2


async def test_thousands_of_files_are_taken_and_not_all_of_them_told(repository: Project) -> None:
    def writes(tree: Path) -> None:
        for number in range(1000):
            (tree / f"f{number}").write_text("x\n" if number % 2 else "")

    await raced(repository, writes, idle)
    taken = await picked(repository, 1)
    assert len(os.listdir(repository.root)) == 1003
    assert len(taken.text) < 10_000
    assert "… and 800 more files" in taken.text


# ── repositories in odd states ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_nested_repository_without_a_commit_does_not_hinder_a_race(repository: Project) -> None:
    (repository.root / "inner").mkdir()
    git(repository.root / "inner", "init", "-q")
    assert not (await raced(repository, good, idle)).is_error
    await picked(repository, 1)
    assert (repository.root / "good.py").exists()


async def test_submodules_are_neither_changes_nor_lost(repository: Project, tmp_path: Path) -> None:
    other = tmp_path / "library"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    git(other, "commit", "-q", "--allow-empty", "-m", "one")
    git(repository.root, "submodule", "--quiet", "add", str(other), "library")
    committed(repository)
    before = git(repository.root, "ls-files", "--stage")
    seen: list[str] = []
    result = await raced(repository, good, lambda tree: seen.append(git(tree, "ls-files", "--stage")))
    assert seen == [before]
    assert "2 files" not in result.text
    await picked(repository, 1)
    assert git(repository.root, "status", "--porcelain") == "?? good.py"


async def test_in_the_midst_of_a_merge_runners_see_what_lies_there(repository: Project) -> None:
    git(repository.root, "checkout", "-q", "-b", "other")
    committed(repository, **{"a.py": "x = 2\n"})
    git(repository.root, "checkout", "-q", "main")
    committed(repository, **{"a.py": "x = 3\n"})
    with pytest.raises(AssertionError):
        git(repository.root, "merge", "other")
    seen: list[str] = []
    await raced(repository, lambda tree: seen.append((tree / "a.py").read_text()), good)
    assert "<<<<<<<" in seen[0]
    await picked(repository, 2)
    assert git(repository.root, "status", "--porcelain") == "UU a.py\n?? good.py"


# ── processes that die ──────────────────────────────────────────────────────────────────────────────────────────────

KILLED = """
import asyncio, os, sys
from pathlib import Path
from protea.domain.delegation import Errand
from tests.adapters.tools.beside import RecordedBeside
from tests.adapters.tools.conftest import Project
from tests.adapters.tools.test_race import asked
from protea.adapters.tools import builtin

async def works(errand: Errand) -> str:
    Path(errand.cwd, "half.py").write_text("half\\n")
    print("at work", flush=True)
    await asyncio.Event().wait()

project = Project(Path(sys.argv[1]), builtin.Options())
asyncio.run(asked(project, RecordedBeside(works), action="run", prompt="x", runners=["a", "b"]))
"""


async def test_of_a_race_whose_process_died_what_was_done_can_be_taken(repository: Project) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(repository.root.parent)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert [await process.stdout.readline() for _ in range(2)] == [b"at work\n"] * 2
        busy = await asked(repository, action="show")
        assert (busy.is_error, busy.text) == (True, "A race of this session is under way")
    finally:
        process.kill()
        await process.wait()
    shown = await asked(repository, action="show")
    assert shown.text.splitlines()[3].split() == ["1", "a", "cut", "off", "1", "file,", "+1", "-0"]
    assert "waits for a choice" in (await raced(repository, good, good)).text
    assert not (await picked(repository, 2)).is_error
    assert (repository.root / "half.py").read_text() == "half\n"
    assert (places(repository), left(repository)) == ([], [])
