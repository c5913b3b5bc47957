"""Agents that have a name, from files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.agents import files, none
from protea.domain.surroundings import Surroundings
from protea.ports.agents import Agents
from protea.testing.contracts.agents import AgentsContract

REVIEWER = """---
name: reviewer
description: Looks for mistakes.
  Use it after changes.
tools: Read, Grep, MultiEdit
model: inherit
---
You review.
"""


def made(tmp_path: Path, *, trusted: bool = True) -> Agents:
    for path, text in {
        "project/.protea/agents/reviewer.md": REVIEWER,
        "project/.claude/agents/reviewer.md": "hidden by the one above",
        "project/.claude/agents/tester.md": "---\nmodel: acme/small\nprofile: careful\ntools: '*'\n---\nYou test.",
        "home/.protea/agents/mine.md": "My own.",
        "home/.claude/agents/reviewer.md": "---\nname: reviewer\n---\nmine",
        "home/.claude/agents/empty.md": "",
        "home/.claude/agents/bad name.md": "x",
        "home/.protea/agents/notes.txt": "not an agent",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    project, home = str(tmp_path / "project"), str(tmp_path / "home")
    around = Surroundings(
        cwd=project, root=project, user_home=home, protea_home=f"{home}/.protea", environment={}, trusted=trusted
    )
    return files.create(files.Options(), surroundings=around)


class TestFiles(AgentsContract):
    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._made = made(tmp_path)

    def agents(self) -> Agents:
        return self._made


class TestNone(AgentsContract):
    def agents(self) -> Agents:
        return none.create(none.Options())


def test_a_projects_own_come_before_a_persons(tmp_path: Path) -> None:
    agents = made(tmp_path)
    found = {each.name: each for each in agents.load()}
    assert {name: each.words for name, each in found.items()} == {
        "mine": "My own.",
        "reviewer": "You review.",
        "tester": "You test.",
    }
    reviewer, tester = found["reviewer"], found["tester"]
    assert (reviewer.about, reviewer.tools, reviewer.model) == (
        "Looks for mistakes. Use it after changes.",
        ("Read", "Grep", "Edit"),
        "",
    )
    assert (tester.tools, tester.model, tester.profile) == ((), "acme/small", "careful")
    assert len(agents.problems) == 2


def test_a_project_nobody_trusts_brings_none(tmp_path: Path) -> None:
    assert {each.name: each.words for each in made(tmp_path, trusted=False).load()} == {
        "mine": "My own.",
        "reviewer": "mine",
    }


def test_what_is_no_file_holds_nobody_up(tmp_path: Path) -> None:
    agents = made(tmp_path)
    os.mkfifo(tmp_path / "home/.protea/agents/pipe.md")
    assert "pipe" not in {each.name for each in agents.load()}
    assert len(agents.problems) == 3
