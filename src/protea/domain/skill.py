"""Agent Skills as values: what the head of a SKILL.md says, and whether it may say so. Pure.

The format is that of the open standard (agentskills.io). What a file gets wrong in a way that harms nobody is told and
let pass: skills are published for many agents, and should work here unchanged.
"""

from __future__ import annotations

import re

import msgspec

from protea.domain.front_matter import split
from protea.domain.pattern import regex

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_COMPATIBILITY = 64, 1024, 500
_NAME = regex(r"[a-z0-9]+(-[a-z0-9]+)*")


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """One skill, as far as its head tells."""

    name: str
    description: str
    path: str
    """Of its SKILL.md, absolute."""
    allowed_tools: tuple[str, ...] = ()
    """They only ever narrow what it may use."""
    faults: tuple[str, ...] = ()
    """Where it departs from the standard, a line each."""


def read_skill(text: str, path: str, folder: str) -> Skill | str:
    """The skill of a SKILL.md in a folder of that name, or why it is none."""
    head, body = split(text)
    if not head:
        return f"{path}: there is no head between two lines of ---"
    name, description = (_text(head.get(key)) for key in ("name", "description"))
    if not description:
        return f"{path}: the head has no description, so nobody could know when it is of use"
    if not body.strip():
        return f"{path}: there is nothing below the head"
    faults = []
    if not name:
        name = folder
        faults.append("the head has no name; it is called like its folder")
    elif name != folder:
        faults.append(f"it is called {name} and lies in a folder called {folder}")
    if not _NAME.fullmatch(name):
        faults.append(f"{name!r} is no name for a skill: lower case letters, digits and single hyphens")
    if not re.fullmatch(r"[\w.:-]{1,100}", name):
        return f"{path}: {name[:40]!r} cannot be a name"
    for value, most, what in (
        (name, LONGEST_NAME, "name"),
        (description, LONGEST_DESCRIPTION, "description"),
        (_text(head.get("compatibility")), LONGEST_COMPATIBILITY, "compatibility"),
    ):
        if len(value) > most:
            faults.append(f"its {what} has {len(value)} characters; {most} are the most")
    tools = head.get("allowed-tools", ())
    allowed = tuple(tools.replace(",", " ").split()) if isinstance(tools, str) else tools
    return Skill(name=name, description=description, path=path, allowed_tools=allowed, faults=tuple(faults))


def body_of(text: str) -> str:
    """What stands below the head."""
    return split(text)[1].strip()


def _text(value: str | tuple[str, ...] | None) -> str:
    return " ".join((value or "").split()) if isinstance(value, str) else ""
