"""What others have of a repository is rewritten or removed by nobody who was not told to, however it is spelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.permission.test_effects import decide

OVERWRITING = [
    "git push --force",
    "git push --forc origin main",
    "git push --m",
    "git push -f origin main",
    "git push -uf origin main",
    "git push --force-with-lease",
    "git push --force-with-lease=main:1234",
    "git push origin +main",
    "git push -- origin +HEAD:main",
    "git push origin :main",
    "git push --delete origin main",
    "git push -d origin main",
    "git push --mirror",
    "git push --prune origin",
    "git push origin main && git push -f",
    "git --no-pager push -f",
    "git -C . push --force",
    "git -c push.default=current push -f",
    "command git push -f",
    "sh -c 'git push --force'",
    "git send-pack origin +main",
    "git filter-branch --force HEAD",
    "git filter-repo --force",
]
PLAIN = [
    "git push",
    "git push -u origin main",
    "git push origin HEAD:main",
    "git push --tags",
    "git push --follow-tags --force-if-includes",
    "git push -o ci.skip -q",
    "git push --dry-run -- origin main",
]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    project = tmp_path / "repo"
    (project / ".git").mkdir(parents=True)
    return project


@pytest.mark.parametrize("command", OVERWRITING)
def test_no_starred_rule_covers_it(repo: Path, command: str) -> None:
    rules = ("Bash(git:*)", "Bash(git push:*)", "Bash(git *)", "Bash(sh:*)", "Bash(command:*)")
    decision = decide(repo, "Bash", command, allow=rules)
    assert decision.verdict == "ask", decision.why


@pytest.mark.parametrize("command", PLAIN)
def test_a_rule_for_pushing_covers_pushing(repo: Path, command: str) -> None:
    assert decide(repo, "Bash", command, allow=("Bash(git push:*)",)).verdict == "allow"


def test_a_rule_with_these_very_words_covers_it(repo: Path) -> None:
    command = "git push --force-with-lease origin mine"
    assert decide(repo, "Bash", command, allow=(f"Bash({command})",)).verdict == "allow"


@pytest.mark.parametrize(
    "command", [*OVERWRITING, *PLAIN, "git subtree push -P a origin main", "git pf", "git lfs push"]
)
def test_yolo_asks_before_anything_is_published(repo: Path, command: str) -> None:
    assert decide(repo, "Bash", command, mode="yolo").verdict == "ask"


@pytest.mark.parametrize(
    "command",
    ["git stash push --include-untracked -m wip", "git switch config", "git branch clone", "git commit -m push"],
)
def test_yolo_does_not_take_a_word_for_a_command(repo: Path, command: str) -> None:
    assert decide(repo, "Bash", command, mode="yolo").verdict == "allow"
