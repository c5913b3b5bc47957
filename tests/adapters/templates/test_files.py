"""Slash commands of one's own, from files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.templates import files, none
from protea.ports.templates import Templates
from protea.testing.contracts.templates import TemplatesContract
from tests.adapters.around import around

WRITTEN = {
    "project/.protea/commands/review.md": "Look at $1.",
    "project/.protea/commands/git/tidy.md": "Tidy up.",
    "project/.claude/commands/review.md": "hidden by the one above",
    "home/.protea/commands/mine.md": "My own.",
    "home/.protea/commands/review.md": "hidden, too",
    "home/.protea/commands/empty.md": "",
    "home/.protea/commands/notes.txt": "not a command",
}


def made(tmp_path: Path, *, trusted: bool = True) -> files.FileTemplates:
    return files.create(files.Options(), surroundings=around(tmp_path, WRITTEN, trusted=trusted))


class TestFiles(TemplatesContract):
    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._made = made(tmp_path)

    def templates(self) -> Templates:
        return self._made


class TestNone(TemplatesContract):
    def templates(self) -> Templates:
        return none.create(none.Options())


def test_a_projects_own_come_before_a_persons(tmp_path: Path) -> None:
    templates = made(tmp_path)
    assert {each.name: each.body for each in templates.load()} == {
        "git:tidy": "Tidy up.",
        "mine": "My own.",
        "review": "Look at $1.",
    }
    assert len(templates.problems) == 1


def test_a_project_nobody_trusts_brings_none(tmp_path: Path) -> None:
    assert {each.name: each.body for each in made(tmp_path, trusted=False).load()} == {
        "mine": "My own.",
        "review": "hidden, too",
    }


def test_what_is_no_file_holds_nobody_up(tmp_path: Path) -> None:
    templates = made(tmp_path)
    os.mkfifo(tmp_path / "home/.protea/commands/pipe.md")
    (tmp_path / "home/.protea/commands/dead.md").symlink_to("gone")
    assert "pipe" not in {each.name for each in templates.load()}
    assert len(templates.problems) == 3


def test_what_of_a_head_is_not_used_is_told(tmp_path: Path) -> None:
    templates = made(tmp_path)
    (tmp_path / "home/.protea/commands/mine.md").write_text("---\nmodel: fast\n---\nMy own.")
    assert "mine" in {each.name for each in templates.load()}
    assert any(problem.endswith("mine.md: model is not used: /model chooses it") for problem in templates.problems)


def test_a_head_of_which_much_is_not_used_is_told_of_in_a_few_lines(tmp_path: Path) -> None:
    templates = made(tmp_path)
    path = tmp_path / "home/.protea/commands/odd.md"
    path.write_text("---\n" + "".join(f"key{number}: x\n" for number in range(50_000)) + "---\nwords")
    assert "odd" in {each.name for each in templates.load()}
    told = [each for each in templates.problems if each.startswith(str(path))]
    assert told[-1] == f"{path}: 49995 more are not used"
    assert len(told) == 6
