"""What the head of a SKILL.md says, and what it may."""

from __future__ import annotations

import pytest

from protea.domain.permission import Decision
from protea.domain.skill import Skill, body_of, narrowed, read_skill, tools_of
from protea.domain.tools import Effect, ToolSpec

WHOLE = """---
name: pdf-forms
description: >
  Fill in PDF forms.
  Use when a form is to be filled.
license: MIT
compatibility: Needs pdftk
metadata:
  author: someone
allowed-tools: Read Bash(pdftk:*)
---
# How
Read the form first.
"""


def test_a_skill_by_the_standard_has_no_faults() -> None:
    skill = read_skill(WHOLE, "/s/pdf-forms/SKILL.md", "pdf-forms")
    assert isinstance(skill, Skill)
    assert (skill.name, skill.faults) == ("pdf-forms", ())
    assert skill.description == "Fill in PDF forms. Use when a form is to be filled."
    assert skill.allowed_tools == ("Read", "Bash(pdftk:*)")
    assert body_of(WHOLE) == "# How\nRead the form first."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# no head", "no head between"),
        ("---\nname: x\n---\nbody", "no description"),
        ("---\nname: x\ndescription: y\n---\n\n", "nothing below the head"),
        ("---\nname: ../x\ndescription: y\n---\nbody", "cannot be a name"),
    ],
)
def test_what_is_no_skill_says_why(text: str, words: str) -> None:
    found = read_skill(text, "/s/x/SKILL.md", "x")
    assert isinstance(found, str)
    assert words in found


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("name: Other\ndescription: y", "lies in a folder called x"),
        ("description: y", "called like its folder"),
        ("name: X_y\ndescription: y", "is no name for a skill"),
        (f"name: x\ndescription: {'y' * 2000}", "2000 characters"),
    ],
)
def test_what_harms_nobody_is_told_and_let_pass(head: str, words: str) -> None:
    found = read_skill(f"---\n{head}\n---\nbody", "/s/x/SKILL.md", "x")
    assert isinstance(found, Skill)
    assert words in " ".join(found.faults)


@pytest.mark.parametrize(
    ("value", "tools"),
    [
        ("Read, Grep", ("Read", "Grep")),
        ("Bash(git log:*) Read", ("Bash(git log:*)", "Read")),
        ("Bash(a, b),Read", ("Bash(a, b)", "Read")),
        (("Read", "Bash(x y)"), ("Read", "Bash(x y)")),
        ("", ()),
    ],
)
def test_allowed_tools_are_read_in_every_form_they_are_written_in(
    value: str | tuple[str, ...], tools: tuple[str, ...]
) -> None:
    assert tools_of(value) == tools


@pytest.mark.parametrize(
    ("tool", "effects", "listed", "verdict"),
    [
        ("Write", ("fs.write",), ("Read",), "ask"),
        ("Write", ("fs.write",), ("Edit",), "allow"),
        ("Edit", ("fs.write",), ("MultiEdit",), "allow"),
        ("Bash", ("proc.exec",), ("Bash(git:*)",), "allow"),
        ("Bash", ("proc.exec",), ("Read", "Grep"), "ask"),
        ("Read", ("fs.read",), ("Bash(x)",), "allow"),
        ("TodoWrite", (), ("Bash",), "allow"),
        ("mcp__a__b", (), ("mcp__a__*",), "allow"),
        ("mcp__a__b", (), ("Read",), "ask"),
        ("Agent", ("delegate",), ("Task",), "allow"),
    ],
)
def test_what_a_skill_declares_narrows_and_never_allows(
    tool: str, effects: tuple[Effect, ...], listed: tuple[str, ...], verdict: str
) -> None:
    spec = ToolSpec(tool, "", {}, effects)
    assert narrowed(Decision("allow", "a rule"), spec, {"s": listed}).verdict == verdict
    assert narrowed(Decision("ask", "no rule"), spec, {"s": (tool,)}).verdict == "ask"
    assert narrowed(Decision("deny", "a rule"), spec, {"s": (tool,)}).verdict == "deny"
    assert narrowed(Decision("allow", "a rule"), spec, {}).verdict == "allow"


def test_a_command_that_only_reads_is_left_as_it_is() -> None:
    spec = ToolSpec("Bash", "", {}, ("proc.exec",))
    assert narrowed(Decision("allow", "it reads", harmless=True), spec, {"s": ("Read",)}).verdict == "allow"
