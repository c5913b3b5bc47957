"""What a SKILL.md gets wrong: each fault with its line and what mends it."""

from __future__ import annotations

import pytest

from protea.domain.skill import LONGEST_COMPATIBILITY, LONGEST_DESCRIPTION, LONGEST_NAME, Skill, read_skill
from protea.domain.skill_check import faults_of

FINE = """---
name: pdf-forms
description: >-
  Fill in forms: PDF only. # no comment in a block
license: MIT
compatibility: Needs pdftk
metadata:
  author: someone
  anything: at all
allowed-tools: Read Bash(git log:*) mcp__x__*
---
# How
See [fields](references/fields.md#top), [site](https://example.org), [this](#how), `[no](link.md)`, <references/>.

```
[x](nowhere.md)
```
"""


def told(text: str, folder: str = "x", files: tuple[str, ...] = ()) -> list[str]:
    return [f"{fault.line}: {fault.what}; {fault.mend}" for fault in faults_of(text, folder, files)]


def test_one_by_the_standard_has_no_fault() -> None:
    assert told(FINE, "pdf-forms", ("references/fields.md",)) == []
    assert told("\ufeff" + FINE, "pdf-forms", ("references/fields.md",)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# x", "1: there is no head; begin the file with a line ---"),
        ("", "1: there is no head"),
        ("---\nname: x\n", "1: the head does not end; put a line --- below it"),
        ("---\ndescription: y\n---\nz", "1: there is no name; write name: x"),
        ("---\nname: x\n---\nz", "1: there is no description; say what it does"),
        (
            "---\nname: X_1\ndescription: y\n---\nz",
            "2: 'X_1' is no name: lower case letters, digits, single hyphens; write x-1",
        ),
        ("---\nname: y\ndescription: y\n---\nz", "2: it is called y and lies in a folder called x"),
        (
            f"---\nname: x\ndescription: {'y' * 1025}\n---\nz",
            "3: the description has 1025 characters; 1024 are the most",
        ),
        ("---\nname: x\ndescription: y\nname: x\n---\nz", "4: name is said twice, first in line 2; remove one"),
        ("---\nname: x\ndescription: y\nmodel: z\n---\nz", "4: the standard has no field model; put it below metadata"),
        ("---\nname: x\nDescription: y\n---\nz", "3: the standard has no field Description; did you mean description?"),
        ("---\nname: x\ndescription: Use when: y\n---\nz", "3: description holds `: ` or ` #` outside quotes"),
        ("---\nname: x\ndescription: y\nmetadata:\n\ta: b\n---\nz", "5: a tab is used to indent"),
        ("---\nname: x\ndescription: y\nwhat\n---\nz", "4: 'what' is no field; write NAME: VALUE"),
        ("---\nname: x\ndescription: y\nallowed-tools: Re?ad\n---\nz", "4: Re?ad in allowed-tools is no tool"),
        ("---\nname: x\ndescription: y\n---\n\n", "5: there is nothing below the head; say what is to be done"),
        (
            "---\nname: x\ndescription: y\n---\nSee [it](a/b.md).",
            "5: a/b.md is not in its folder; did you mean a/c.md?",
        ),
    ],
)
def test_each_fault_has_its_line_and_its_mend(text: str, words: str) -> None:
    assert any(line.startswith(words) for line in told(text, files=("a/c.md",))), told(text, files=("a/c.md",))


def test_all_faults_are_told_at_once() -> None:
    assert len(told("---\nname: X\nfoo: bar: baz\n---\n[a](b)\n")) == 6


@pytest.mark.parametrize(
    ("field", "most"),
    [("name", LONGEST_NAME), ("description", LONGEST_DESCRIPTION), ("compatibility", LONGEST_COMPATIBILITY)],
)
def test_what_is_as_long_as_it_may_be_is_fine_and_one_character_more_is_not(field: str, most: int) -> None:
    def written(length: int) -> tuple[str, str]:
        values = {"name": "x", "description": "About.", "compatibility": "Needs it", field: "x" * length}
        return "---\n" + "".join(f"{key}: {value}\n" for key, value in values.items()) + "---\nDo it.\n", values["name"]

    for length, faults in ((most, 0), (most + 1, 1)):
        text, folder = written(length)
        assert len(told(text, folder)) == faults
        skill = read_skill(text, f"/s/{folder}/SKILL.md", folder)
        assert isinstance(skill, Skill)
        assert len(skill.faults) == faults
