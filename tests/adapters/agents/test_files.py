"""Agents that have a name, from files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.agents import files, none
from protea.domain.delegation import AgentDefinition, read_definition
from protea.domain.surroundings import Surroundings
from protea.ports.agents import Agents
from protea.testing.contracts.agents import AgentsContract
from tests.adapters.around import around

REVIEWER = """---
name: reviewer
description: Looks for mistakes.
  Use it after changes.
tools: Read, Grep, MultiEdit
model: inherit
---
You review.
"""


WRITTEN = {
    "project/.protea/agents/reviewer.md": REVIEWER,
    "project/.claude/agents/reviewer.md": "hidden by the one above",
    "project/.claude/agents/tester.md": "---\nmodel: acme/small\nprofile: careful\ntools: '*'\n---\nYou test.",
    "home/.protea/agents/mine.md": "My own.",
    "home/.claude/agents/reviewer.md": "---\nname: reviewer\n---\nmine",
    "home/.claude/agents/empty.md": "",
    "home/.claude/agents/bad name.md": "x",
    "home/.protea/agents/notes.txt": "not an agent",
}


def made(tmp_path: Path, *, trusted: bool = True) -> Agents:
    return files.create(files.Options(), surroundings=around(tmp_path, WRITTEN, trusted=trusted))


class TestFiles(AgentsContract):
    @pytest.fixture(autouse=True)
    def _make(self, tmp_path: Path) -> None:
        self._made = made(tmp_path)

    def agents(self) -> Agents:
        return self._made


class TestNone(AgentsContract):
    def agents(self) -> Agents:
        return none.create(none.Options())


@pytest.mark.parametrize(
    ("head", "tools"),
    [
        ("tools: []", ("",)),
        ("tools:", ()),
        ("tools: '*'", ()),
        ("tools: [Read]", ("Read",)),
        ("tools: *all", ("*all",)),
    ],
)
def test_an_empty_list_of_tools_is_none_and_no_list_all(head: str, tools: tuple[str, ...]) -> None:
    found = read_definition(f"---\nname: x\n{head}\n---\nwords", "x", "x.md")
    assert isinstance(found, AgentDefinition)
    assert found.tools == tools


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


FORMS = {
    "an unquoted description with colons, quotes and examples in one line": (
        "---\nname: api-writer\ndescription: Use this when an API is designed. Examples:\\n\\n<example>\\nContext: a "
        'new service: billing\\nuser: "Design it"\\nassistant: "I send api-writer"\\n</example>\ncolor: blue\n'
        "tools: Write, Read, Task, LS\n---\n\nYou write APIs.\n",
        {"name": "api-writer", "tools": ("Write", "Read", "Agent", "Glob")},
    ),
    "a folded description and tools as a list": (
        "---\nname: two\ndescription: >\n  Looks at\n  lines.\ntools:\n  - Read\n  - Grep\nmodel: opus\n---\nDo.",
        {"about": "Looks at lines.", "tools": ("Read", "Grep"), "model": "opus"},
    ),
    "a quoted description and a model's bare name": (
        '---\nname: quoted\ndescription: "Says: \\"well\\" and more"\nmodel: claude-sonnet-4-20250514\n---\nSay.',
        {"about": 'Says: "well" and more', "model": "claude-sonnet-4-20250514"},
    ),
    "a name with a version in it": ("---\nname: shell-5.1-expert\n---\nYou know it.", {"name": "shell-5.1-expert"}),
    "what is taken away, and a mode": (
        "---\nname: careful\ndisallowedTools: Write, Edit, MultiEdit\npermissionMode: plan\nhooks:\n  a: b\n---\nDo.",
        {"without": ("Write", "Edit", "Edit"), "plans": True, "tools": ()},
    ),
    "no description, Windows line ends and a byte order mark": (
        "\ufeff---\r\nname: plain\r\ntools: Bash\r\n---\r\nDo it.\r\n",
        {"name": "plain", "tools": ("Bash",), "words": "Do it."},
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_files_are_taken_as_others_write_them(tmp_path: Path, form: str) -> None:
    text, wanted = FORMS[form]
    folder = tmp_path / "project/.claude/agents/team"
    folder.mkdir(parents=True)
    (folder / "given.md").write_text(text, newline="")
    around = Surroundings(
        cwd=str(tmp_path / "project"), root=str(tmp_path / "project"), user_home=str(tmp_path / "home"),
        protea_home=str(tmp_path / "home/.protea"), environment={},
    )  # fmt: skip
    agents = files.create(files.Options(), surroundings=around)
    (found,) = agents.load()
    assert agents.problems == ()
    assert {name: getattr(found, name) for name in wanted} == wanted


def test_what_a_file_says_of_itself_has_a_bound_and_so_has_how_many_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "project/.protea/agents"
    folder.mkdir(parents=True)
    (folder / "a-long-name.md").write_text(f"---\nname: {'n' * 101}\n---\nwords")
    (folder / "a-long-story.md").write_text(f"---\ndescription: {'d ' * 100_000}\n---\nwords")
    for number in range(files.MOST):
        (folder / f"b{number}.md").write_text("words")
    agents = made(tmp_path)
    found = {each.name: each for each in agents.load()}
    assert len(found["a-long-story"].about) <= 1_000
    assert max(len(name) for name in found) <= 100
    assert f"{folder}: there are more than {files.MOST} files in it, and only these are read" in agents.problems
