"""Agents in git worktrees, with a real git: what they find there, what is told of it, what stays and what is swept."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from protea.domain.delegation import Errand
from protea.domain.tools import ToolResult
from protea.testing.toolset import RecordedCall
from tests.adapters.tools.beside import RecordedBeside
from tests.adapters.tools.conftest import Project

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

ROOT = Path(__file__).parents[3]


def git(folder: Path | str, *words: str) -> str:
    names = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    done = subprocess.run(["git", *names, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(project: Project) -> Project:
    project.write({"src/a.py": "x = 1\n", ".gitignore": "*.log\n"})
    git(project.root, "init", "-q", "-b", "main")
    git(project.root, "add", "-A")
    git(project.root, "commit", "-q", "-m", "one")
    return project


async def sent(
    project: Project, work: Callable[[Errand], Awaitable[str]], call_id: str = "c1", **arguments: object
) -> tuple[ToolResult, RecordedBeside]:
    beside = RecordedBeside(work)
    tool = project.tools.tool("Agent")
    assert tool is not None
    call = RecordedCall(str(project.outputs), call_id=call_id, beside=beside)
    return await tool.run({"prompt": "look", "worktree": True, **arguments}, call), beside


def places(project: Project) -> list[str]:
    """The worktrees there are besides the project itself."""
    lines = git(project.root, "worktree", "list", "--porcelain").splitlines()
    return [line.removeprefix("worktree ") for line in lines if line.startswith("worktree ")][1:]


def branches(project: Project) -> list[str]:
    return git(project.root, "branch", "--list", "protea/*", "--format=%(refname:short)").splitlines()


def read(folder: str, name: str) -> str:
    return Path(folder, name).read_text()


def write(folder: str, name: str, text: str) -> None:
    path = Path(folder, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


async def looks(errand: Errand) -> str:
    return read(errand.cwd, "src/a.py")


async def test_it_works_on_a_branch_of_its_own_and_what_changed_nothing_is_removed(repository: Project) -> None:
    seen: list[tuple[str, str]] = []

    async def look(errand: Errand) -> str:
        seen.append((errand.cwd, git(errand.cwd, "branch", "--show-current")))
        write(errand.cwd, "build.log", "ignored files are nothing that was changed")
        return await looks(errand)

    result, beside = await sent(repository, look)
    assert result.text == "x = 1\n\n[it has changed nothing; its worktree is removed]"
    ((place, branch),) = seen
    assert not place.startswith(str(repository.root))
    assert branch == "protea/project-session-c1"
    assert f"a git worktree of your own, {place}, on the branch {branch}" in beside.sent[0].words
    assert (places(repository), branches(repository)) == ([], [])
    assert os.path.basename(place) not in os.listdir(os.path.dirname(place))


async def test_changed_files_are_named_and_it_is_kept_until_it_is_merged(repository: Project) -> None:
    async def change(errand: Errand) -> str:
        write(errand.cwd, "src/a.py", "x = 2\n")
        git(errand.cwd, "commit", "-q", "-a", "-m", "two")
        return "changed"

    result, beside = await sent(repository, change)
    place = beside.sent[0].cwd
    assert result.text == (
        f"changed\n[its worktree {place}, branch protea/project-session-c1, is kept: 1 commit; 1 file changed in them: "
        "M src/a.py]\n`git merge protea/project-session-c1` takes its commits."
    )
    await sent(repository, looks, "c2")
    assert places(repository) == [place], "what is in it is nowhere else"
    git(repository.root, "merge", "-q", "protea/project-session-c1")
    await sent(repository, looks, "c3")
    assert (places(repository), branches(repository)) == ([], []), "all of it is in the project now"
    assert (repository.root / "src/a.py").read_text() == "x = 2\n"


async def test_what_it_has_not_committed_is_named_and_kept(repository: Project) -> None:
    async def change(errand: Errand) -> str:
        write(errand.cwd, "new/b.py", "y")
        return "changed"

    result, beside = await sent(repository, change)
    assert "is kept: 0 commits; 1 file not committed: ?? new/b.py]" in result.text
    assert "git merge" not in result.text
    assert read(beside.sent[0].cwd, "new/b.py") == "y"


async def test_what_was_not_committed_where_it_was_sent_from_is_told_and_stays_there(repository: Project) -> None:
    repository.write({"src/a.py": "x = 3\n", "notes.txt": "mine"})
    result, beside = await sent(repository, looks)
    assert result.text.startswith("x = 1\n"), "it has what was committed"
    assert "1 changed and 1 untracked files in" in beside.sent[0].words
    assert (repository.root / "src/a.py").read_text() == "x = 3\n"
    assert (repository.root / "notes.txt").read_text() == "mine"


async def test_submodules_are_told_and_hinder_nothing(repository: Project, tmp_path: Path) -> None:
    other = tmp_path / "library"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    git(other, "commit", "-q", "--allow-empty", "-m", "one")
    git(repository.root, "submodule", "--quiet", "add", str(other), "library")
    git(repository.root, "commit", "-q", "-a", "-m", "with a library")
    result, beside = await sent(repository, looks)
    assert "Its submodules are empty until `git submodule update --init`" in beside.sent[0].words
    assert result.text.endswith("[it has changed nothing; its worktree is removed]")

    async def fill(errand: Errand) -> str:
        git(errand.cwd, "submodule", "--quiet", "update", "--init")
        return "filled"

    result, _ = await sent(repository, fill, "c2")
    assert result.text.endswith("[it has changed nothing; its worktree is removed]")
    assert places(repository) == []


@pytest.mark.parametrize("switch", [("checkout", "-q", "--detach", "main"), ("checkout", "-q", "-b", "mine", "main")])
async def test_what_was_committed_and_left_behind_on_its_branch_is_kept(
    repository: Project, switch: tuple[str, ...]
) -> None:
    async def change(errand: Errand) -> str:
        write(errand.cwd, "src/a.py", "x = 2\n")
        git(errand.cwd, "commit", "-q", "-a", "-m", "two")
        git(errand.cwd, *switch)
        return "changed"

    result, _ = await sent(repository, change)
    assert "is kept" in result.text
    assert "Its branch protea/project-session-c1 has others, which it has left." in result.text
    assert git(repository.root, "show", "protea/project-session-c1:src/a.py") == "x = 2"


async def test_what_was_committed_on_no_branch_is_told_by_its_commit(repository: Project) -> None:
    async def change(errand: Errand) -> str:
        git(errand.cwd, "checkout", "-q", "--detach")
        git(errand.cwd, "branch", "-q", "-D", "protea/project-session-c1")
        write(errand.cwd, "src/a.py", "x = 2\n")
        git(errand.cwd, "commit", "-q", "-a", "-m", "two")
        return "changed"

    result, beside = await sent(repository, change)
    commit = git(beside.sent[0].cwd, "rev-parse", "HEAD")[:12]
    assert result.text.endswith(f"`git merge {commit}` takes its commits.")


async def test_what_it_says_it_was_made_from_is_no_option_of_git(repository: Project, tmp_path: Path) -> None:
    async def lie(errand: Errand) -> str:
        write(errand.cwd, "src/a.py", "x = 2\n")
        inside = git(errand.cwd, "rev-parse", "--absolute-git-dir")
        write(inside, "protea-base", f"--output={tmp_path}/written")
        return "lied"

    await sent(repository, lie)
    result, _ = await sent(repository, looks)
    assert "what it was made from is no commit any more" in result.text
    assert not (tmp_path / "written").exists()


async def test_an_agent_that_is_cut_off_leaves_what_it_did_and_nothing_else(repository: Project) -> None:
    inside = asyncio.Event()
    place: list[str] = []

    async def hang(errand: Errand) -> str:
        place.append(errand.cwd)
        inside.set()
        await asyncio.Event().wait()
        return "never"

    sending = asyncio.create_task(sent(repository, hang))
    async with asyncio.timeout(30):
        await inside.wait()
    assert places(repository) == place
    sending.cancel()
    await asyncio.wait([sending])
    assert places(repository) == []


async def test_several_at_once_are_apart(repository: Project) -> None:
    async def sign(errand: Errand) -> str:
        write(errand.cwd, "who.txt", errand.profile)
        return errand.profile

    profiles = ["coding", "base", "reviewer"]
    result, beside = await sent(repository, sign, profiles=profiles, worktree=True)
    assert {errand.profile: read(errand.cwd, "who.txt") for errand in beside.sent} == {name: name for name in profiles}
    assert result.text.count("is kept: 0 commits; 1 file not committed") == 3


DYING = """
import asyncio, sys
from pathlib import Path
from protea.adapters.tools import builtin
from tests.adapters.tools.conftest import Project
from tests.adapters.tools.test_worktree import sent

async def main():
    project = Project(Path(sys.argv[1]), builtin.Options())
    async def work(errand):
        if sys.argv[3]:
            Path(errand.cwd, sys.argv[3]).write_text("half done")
        print(errand.cwd, flush=True)
        await asyncio.Event().wait()
    await sent(project, work, sys.argv[2])

asyncio.run(main())
"""


def begun(project: Project, call_id: str, writes: str) -> tuple[subprocess.Popen[str], str]:
    """Another process, in which an agent is at work; and where."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    folder = str(project.root.parent)
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, folder, call_id, writes], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def ended(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


async def test_what_a_killed_process_left_is_swept_unless_there_is_something_in_it(repository: Project) -> None:
    one, empty = begun(repository, "c1", "")
    two, full = begun(repository, "c2", "half.txt")
    try:
        await sent(repository, looks, "c3")
        assert set(places(repository)) == {empty, full}, "somebody works in them"
        refused, _ = await sent(repository, looks, "c1")
        assert "another process works in" in refused.text
    finally:
        ended(one)
        ended(two)
    await sent(repository, looks, "c4")
    assert places(repository) == [full]
    assert branches(repository) == ["protea/project-session-c2"]
    assert read(full, "half.txt") == "half done"


async def test_an_agent_that_is_brought_back_goes_on_in_the_one_it_had(repository: Project) -> None:
    process, place = begun(repository, "c1", "half.txt")
    ended(process)

    async def go_on(errand: Errand) -> str:
        return read(errand.cwd, "half.txt")

    result, beside = await sent(repository, go_on, "c1", resume="s_1")
    assert beside.sent[0].cwd == place
    assert result.text.startswith("half done\n[its worktree")


async def test_one_whose_folder_somebody_has_removed_is_made_again_with_what_was_committed_in_it(
    repository: Project,
) -> None:
    async def commits(errand: Errand) -> str:
        write(errand.cwd, "src/b.py", "y = 2\n")
        git(errand.cwd, "add", "-A")
        git(errand.cwd, "commit", "-q", "-m", "two")
        return "committed"

    await sent(repository, commits)
    (place,) = places(repository)
    shutil.rmtree(place)

    async def finds(errand: Errand) -> str:
        return read(errand.cwd, "src/b.py")

    result, _ = await sent(repository, finds)
    assert not result.is_error, result.text
    assert result.text.startswith("y = 2")
    assert f"its worktree {place}, branch {branches(repository)[0]}, is kept: 1 commit" in result.text


async def test_nobody_works_on_a_branch_that_is_checked_out_elsewhere(repository: Project) -> None:
    async def commits(errand: Errand) -> str:
        git(errand.cwd, "commit", "-q", "--allow-empty", "-m", "two")
        return "committed"

    await sent(repository, commits)
    (place,), (branch,) = places(repository), branches(repository)
    git(repository.root, "worktree", "remove", "--force", place)
    git(repository.root, "switch", "-q", branch)
    result, beside = await sent(repository, looks)
    assert result.text.endswith(f"its branch {branch} is checked out in {repository.root}")
    assert beside.sent == []


async def test_where_there_is_no_commit_or_no_repository_it_is_said(project: Project) -> None:
    result, _ = await sent(project, looks)
    assert "There is no worktree for the agent: not a git repository" in result.text
    git(project.root, "init", "-q")
    result, _ = await sent(project, looks)
    assert "the repository has no commit yet" in result.text
