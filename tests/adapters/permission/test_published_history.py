"""Commits that a remote has are not made anew unasked, whatever allows git; those of this clone alone are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.adapters.permission.test_effects import decide


class Clone:
    """A repository of three commits, cloned from a bare one."""

    def __init__(self, folder: Path) -> None:
        self.remote = folder / "remote.git"
        self.path = folder / "repo"
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.remote))
        git(folder, "clone", "-q", str(self.remote), str(self.path))
        git(self.path, "checkout", "-q", "-b", "main")
        for number in range(3):
            self.commit(f"c{number}")
        self.git("push", "-q", "-u", "origin", "main")

    def git(self, *words: str) -> str:
        return git(self.path, *words)

    def commit(self, name: str) -> None:
        (self.path / name).write_text(name)
        self.git("add", name)
        self.git("commit", "-qm", name)

    def asks(self, command: str) -> str | None:
        """Why `Bash(git:*)` and yolo mode, which agree, ask; None where both allow."""
        ruled = decide(self.path, "Bash", command, allow=("Bash(git:*)",))
        yolo = decide(self.path, "Bash", command, mode="yolo")
        assert ruled.verdict == yolo.verdict, (ruled.why, yolo.why)
        assert ruled.verdict == "allow" or "rewrites what" in ruled.why, ruled.why
        return None if ruled.verdict == "allow" else yolo.why


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """One that is only looked at."""
    return Clone(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A repository without a remote."""
    made = Clone.__new__(Clone)
    made.path = tmp_path_factory.mktemp("alone")
    made.git("init", "-q", "-b", "main")
    for name in ("c0", "c1", "c2"):
        made.commit(name)
    return made


REWRITING = [
    "git commit --amend --no-edit",
    "git commit --am -m x",
    "git commit -a --amend -m 'more'",
    "git add . && git commit --amend -C HEAD",
    "git --no-pager commit --amend",
    "git reset --hard HEAD~1",
    "git reset --soft HEAD^",
    "git reset @~2",
    "git reset HEAD^^ --",
    "git rebase --root",
    "git rebase --onto c0",
    "git branch -f main HEAD~1",
    "git branch --force main c0",
    "git checkout -B main HEAD~1",
    "git switch -C main HEAD~1",
]
EVERYDAY = [
    "git commit -m more",
    "git commit --allow-empty -m 'say --amend'",
    "git reset",
    "git reset -q -- c0",
    "git reset HEAD c0",
    "git reset HEAD~1 -- c0",
    "git reset --hard",
    "git reset --hard HEAD",
    "git reset --hard @{u}",
    "git reset --hard origin/main",
    "git rebase",
    "git rebase origin/main",
    "git rebase --continue",
    "git rebase --abort",
    "git branch mine",
    "git branch -f mine HEAD~2",
    "git checkout -b mine",
    "git checkout -B mine",
    "git checkout -B main origin/main",
    "git switch -c mine HEAD~1",
    "git merge mine",
    "git cherry-pick HEAD",
    "git revert HEAD",
    "git commit --fixup HEAD",
]


@pytest.mark.parametrize("command", REWRITING)
def test_what_is_on_a_remote_is_asked_about(unchanged: Clone, command: str) -> None:
    assert "origin/main has" in (unchanged.asks(command) or "")


@pytest.mark.parametrize("command", ["sh -c 'git commit --amend'", "env git commit --amend", "command git reset @^"])
def test_wrapped_it_is_the_same(unchanged: Clone, command: str) -> None:
    rules = ("Bash(git:*)", "Bash(sh:*)", "Bash(env:*)", "Bash(command:*)")
    assert decide(unchanged.path, "Bash", command, allow=rules).verdict == "ask"
    assert decide(unchanged.path, "Bash", command, mode="yolo").verdict == "ask"


@pytest.mark.parametrize("command", EVERYDAY)
def test_what_makes_nothing_of_others_anew_is_not(unchanged: Clone, command: str) -> None:
    assert unchanged.asks(command) is None


@pytest.mark.parametrize("command", [*REWRITING, *EVERYDAY])
def test_without_a_remote_nobody_has_anything(alone: Clone, command: str) -> None:
    assert alone.asks(command) is None


def test_commits_of_this_clone_may_be_made_anew_as_far_as_they_go(clone: Clone) -> None:
    clone.commit("mine1")
    first = clone.git("rev-parse", "HEAD")
    clone.commit("mine2")
    for command in ("git commit --amend --no-edit", "git reset --soft HEAD~2", f"git reset --soft {first[:8]}"):
        assert clone.asks(command) is None
    assert clone.asks("git reset --soft HEAD~3") == "git reset --soft rewrites what origin/main has"
    assert clone.asks(f"git reset --hard {clone.git('rev-parse', 'HEAD~3')}") is not None


def test_a_branch_that_was_pushed_is_not_put_upon_another_unasked(clone: Clone) -> None:
    clone.git("switch", "-qc", "topic")
    clone.commit("t1")
    assert clone.asks("git rebase main") is None
    clone.git("push", "-q", "origin", "topic")
    assert clone.asks("git rebase main") == "git rebase rewrites what origin/topic has"
    assert clone.asks("git rebase main topic") is not None
    assert clone.asks("git rebase origin/topic") is None
    clone.git("switch", "-q", "main")
    assert clone.asks("git rebase main topic") == "git rebase rewrites what origin/topic has"


def test_what_was_pushed_once_is_others_also_after_they_went_on(clone: Clone, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(clone.remote), str(other))
    (other / "theirs").write_text("x")
    git(other, "add", ".")
    git(other, "commit", "-qm", "theirs")
    git(other, "push", "-q")
    clone.git("fetch", "-q")
    assert clone.git("rev-parse", "HEAD") != clone.git("rev-parse", "origin/main")
    assert clone.asks("git commit --amend --no-edit") == "git commit --amend rewrites what origin/main has"


def test_packed_branches_worktrees_and_a_detached_head_are_seen(clone: Clone, tmp_path: Path) -> None:
    clone.git("pack-refs", "--all")
    clone.git("gc", "-q")
    assert clone.asks("git commit --amend") is not None
    assert clone.asks("git reset --hard HEAD~1") is not None
    clone.commit("mine")
    assert clone.asks("git commit --amend --no-edit") is None
    clone.git("gc", "-q")
    assert clone.asks("git reset --soft HEAD~1") is None
    assert clone.asks("git reset --soft HEAD~2") is not None
    clone.git("checkout", "-q", "--detach", "origin/main")
    assert clone.asks("git commit --amend --no-edit") is not None
    tree = tmp_path / "tree"
    clone.git("worktree", "add", "-q", "-b", "tree", str(tree), "origin/main")
    decision = decide(tree, "Bash", "git commit --amend --no-edit", mode="yolo")
    assert (decision.verdict, decision.why) == ("ask", "git commit --amend rewrites what origin/main has")


def test_a_rule_with_these_very_words_allows_it(clone: Clone) -> None:
    command = "git commit --amend --no-edit"
    assert decide(clone.path, "Bash", command, allow=(f"Bash({command})",)).verdict == "allow"
    assert decide(clone.path, "Bash", command, allow=(f"Bash({command})",), mode="yolo").verdict == "allow"


def test_what_cannot_be_read_asks(clone: Clone) -> None:
    (clone.path / ".git/reftable").mkdir()
    assert clone.asks("git commit --amend") == "git commit --amend rewrites what a remote perhaps has"
    assert clone.asks("git commit -m x") is None


@pytest.mark.parametrize("damage", ["HEAD", "packed-refs", "refs/heads/main", "refs/remotes/origin/main"])
def test_a_damaged_repository_is_no_crash(clone: Clone, damage: str) -> None:
    path = clone.path / ".git" / damage
    for data in (b"", b"\0\xff" * 5000, b"ref: refs/heads/" + b"a" * 3000, b"ref: " + b"../" * 50 + b"etc/passwd\n"):
        path.write_bytes(data)
        decide(clone.path, "Bash", "git commit --amend", mode="yolo")
