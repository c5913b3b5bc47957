"""Undo where more than one is at work, where it was cut off, and where git was used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from protea.domain.changes import Changes
from tests.adapters.checkpoint.trees import State, Tree

Make = Callable[[str], Tree]


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Tree] = []

    def make(name: str) -> Tree:
        made.append(Tree(tmp_path, name))
        return made[-1]

    yield make
    for each in made:
        await each.checkpoint.aclose()


async def undo(tree: Tree, changes: Changes | None) -> list[str]:
    assert changes is not None
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    return [f"{os.path.basename(each.path)}: {each.why}" for each in restored.skipped]


async def command(tree: Tree, script: str) -> None:
    await tree.checkpoint.before_command([script], tree.root)
    tree.run(script)
    await tree.checkpoint.after_command()


async def test_turns_of_two_sessions_that_interleave_are_undone_each_alone(sessions: Make) -> None:
    one, two = sessions("one"), sessions("two")
    for name in ("a", "b", "both"):
        one.write(name, "before")
    one.checkpoint.begin("one", "t1")
    two.checkpoint.begin("two", "t1")
    await command(one, "printf one > a; printf one > made-by-one")
    await command(two, "printf two > b; printf two > made-by-two")
    await command(one, "printf one >> both")
    first = await one.checkpoint.finish()
    await command(two, "mkdir deep; printf two > deep/er")
    second = await two.checkpoint.finish()
    assert one.files(first) == {"a": "changed", "made-by-one": "created", "both": "changed"}
    assert two.files(second) == {"b": "changed", "made-by-two": "created", "deep": "created", "deep/er": "created"}
    assert await undo(one, first) == []
    assert sorted(os.listdir(one.root)) == ["a", "b", "both", "deep", "made-by-two"]
    assert [one.path(name).read_text() for name in ("a", "b", "both")] == ["before", "two", "before"]
    assert await undo(two, second) == []
    assert {name: one.path(name).read_text() for name in os.listdir(one.root)} == dict.fromkeys(
        ("a", "b", "both"), "before"
    )


async def test_what_one_writes_while_a_command_of_the_other_runs_is_its_own(sessions: Make) -> None:
    one, two = sessions("one"), sessions("two")
    one.write("tool", "before")
    one.checkpoint.begin("one", "t1")
    two.checkpoint.begin("two", "t1")
    await one.checkpoint.before_command(["make"], one.root)
    one.run("printf built > built")
    path = str(two.path("tool"))
    await two.checkpoint.before_write(path)
    two.write("tool", "written by the other")
    await two.checkpoint.after_write(path)
    await one.checkpoint.after_command()
    first, second = await one.checkpoint.finish(), await two.checkpoint.finish()
    assert one.files(first) == {"built": "created"}
    assert two.files(second) == {"tool": "changed"}
    assert await undo(one, first) == []
    assert one.path("tool").read_text() == "written by the other"


async def test_what_nobody_can_tell_apart_is_left_to_neither_and_said(sessions: Make) -> None:
    one, two = sessions("one"), sessions("two")
    one.write("a", "before")
    one.checkpoint.begin("one", "t1")
    two.checkpoint.begin("two", "t1")
    await one.checkpoint.before_command(["make"], one.root)
    await two.checkpoint.before_command(["make"], two.root)
    one.run("printf after > a")
    await one.checkpoint.after_command()
    await two.checkpoint.after_command()
    for tree in (one, two):
        changes = await tree.checkpoint.finish()
        assert changes is not None
        assert changes.files == ()
        ((path, why),) = [(each.path, each.why) for each in changes.uncovered]
        assert os.path.basename(path) == "a"
        assert "nobody can tell whose change it is" in why


async def test_an_undo_in_one_session_is_no_change_of_the_turn_that_runs_in_another(sessions: Make) -> None:
    one, two = sessions("one"), sessions("two")
    one.write("a", "before")
    changes = await one.turn("printf after > a")
    two.checkpoint.begin("two", "t1")
    await two.checkpoint.before_command(["x"], two.root)
    assert await undo(one, changes) == []
    two.run("printf two > b")
    await two.checkpoint.after_command()
    assert two.files(await two.checkpoint.finish()) == {"b": "created"}


# ── cut off ────────────────────────────────────────────────────────────────────────────────────────────────────────

UNDO = """
import asyncio, json, sys
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
from tests.adapters.checkpoint.trees import Tree
async def main():
    tree = Tree(Path(sys.argv[2]))
    await tree.checkpoint.restore([sys.argv[3]], "undo")
    print("done", flush=True)
asyncio.run(main())
"""


async def test_an_undo_that_is_killed_at_any_moment_is_finished_by_the_same_again(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    for number in range(280):
        tree.write(f"{number % 7}/{number}", f"{number}" * 400, 0o640)
    tree.write("0/twin", "twin")
    os.link(tree.path("0/twin"), tree.path("1/twin"))
    tree.path("3").chmod(0o550)
    before = tree.state()
    changes = await tree.turn(
        'for f in [0-5]/*; do printf changed > "$f"; done; rm -r 6; mkdir made; cd made; touch $(seq 40)'
    )
    after = tree.state()
    assert changes is not None
    halfway = 0
    # Something that becomes true in the midst of it.
    for come in (
        lambda: tree.path("6").exists(),
        lambda: not tree.path("made").exists(),
        lambda: tree.path("0/0").read_text() != "changed",
        lambda: tree.path("2/2").read_text() != "changed",
        lambda: tree.path("4/11").read_text() != "changed",
    ):
        halfway += killed(tmp_path, changes.checkpoint, come)
        # Each file is whole, as it was or as it is to be.
        for path, (mode, data, _) in tree.state().items():
            if mode & 0o170000 == 0o100000 and not path.endswith((b".protea-undo", b"/twin")):
                assert data in {version[path][1] for version in (before, after) if path in version}, path
        await tree.checkpoint.restore([changes.checkpoint], "undo")
        assert tree.state() == before
        await tree.checkpoint.restore([changes.checkpoint], "redo")
        assert without_times(tree.state()) == without_times(after)
    assert halfway, "none was killed in time"
    await tree.checkpoint.aclose()


def without_times(found: State) -> dict[bytes, tuple[int, bytes]]:
    return {path: each[:2] for path, each in found.items()}


def killed(folder: Path, checkpoint: str, come: Callable[[], bool]) -> bool:
    """Undo in a process that is killed as soon as something has come; whether that was before its end."""
    words = [sys.executable, "-c", UNDO, json.dumps([path for path in sys.path if path]), str(folder), checkpoint]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while process.poll() is None and not come():
            assert time.monotonic() < until
        process.send_signal(signal.SIGKILL)
        assert process.stdout is not None
        return "done" not in process.stdout.read()


# ── git ────────────────────────────────────────────────────────────────────────────────────────────────────────────

GIT = "git -c user.name=a -c user.email=b@c.example -c init.defaultBranch=main "


def a_repository(tree: Tree) -> None:
    tree.write("a", "one\n")
    tree.run(f"{GIT} init -q; git add -A; {GIT} commit -qm first; git branch side; {GIT} tag v0")
    tree.run(f"git checkout -q side; printf side > b; git add -A; {GIT} commit -qm side; git checkout -q main")
    tree.write("a", "changed, not committed\n")


@pytest.mark.parametrize(
    "script",
    [
        f"git add -A; {GIT} commit -qm second",
        "git checkout -q -f side",
        f"git checkout -q -b other; {GIT} commit -qam x",
        f"{GIT} stash -q",
        f"{GIT} stash -q; {GIT} stash pop -q; {GIT} stash -q",
        f"{GIT} commit -qam x; {GIT} merge -q side -m merged; git tag v1; git branch -D side",
        f"{GIT} commit -qam x; {GIT} rebase -q side; git gc -q --prune=now",
        "git reset -q --hard; git clean -qfd; rm -rf .git/logs",
        "git mv a c; git rm -qf --cached c; git update-ref refs/notes/x HEAD; git config user.name evil",
        "rm -rf .git",
    ],
)
async def test_what_git_did_by_the_shell_is_undone_to_the_last_byte(tmp_path: Path, script: str) -> None:
    tree = Tree(tmp_path)
    a_repository(tree)
    before = without_times(tree.state())
    said = tree_says(tree)
    changes = await tree.turn(script)
    assert changes is not None
    assert not changes.uncovered
    restored = await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert not restored.skipped
    assert without_times(tree.state()) == before
    assert tree_says(tree) == said
    await tree.checkpoint.aclose()


def tree_says(tree: Tree) -> str:
    looks = ("fsck --strict", "status --short --branch", "stash list", "log --all --decorate=full", "reflog")
    words = "; ".join(f"git {look} || echo it failed" for look in looks)
    return subprocess.run(["sh", "-c", words], cwd=tree.root, capture_output=True, text=True).stdout


async def test_of_a_worktree_whose_repository_lies_elsewhere_the_files_are_undone_and_the_rest_is_named(
    tmp_path: Path,
) -> None:
    tree = Tree(tmp_path)
    words = f"{GIT} init -q ../main; cd ../main; echo one > a; git add -A; {GIT} commit -qm first"
    tree.run(f"{words}; git worktree add -q ../project")
    changes = await tree.turn(f"echo two > a; {GIT} commit -qam second")
    assert changes is not None
    ((path, why),) = [(each.path, each.why) for each in changes.uncovered]
    assert path == f"{tree.root}/.git"
    assert "lies outside of the workspace" in why
    await tree.checkpoint.restore([changes.checkpoint], "undo")
    assert tree.path("a").read_text() == "one\n"
    quiet = await tree.turn("echo three > a")
    assert quiet is not None
    assert not quiet.uncovered
    await tree.checkpoint.aclose()
