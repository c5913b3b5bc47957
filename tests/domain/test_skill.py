"""What the head of a SKILL.md says, and what it may."""

from __future__ import annotations

import pytest

from protea.domain.skill import Skill, body_of, read_skill

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
