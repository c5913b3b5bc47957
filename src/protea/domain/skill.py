"""Agent Skills as values: what the head of a SKILL.md says, and whether it may say so. Pure.

The format is that of the open standard (agentskills.io). What a file gets wrong in a way that harms nobody is told and
let pass: skills are published for many agents, and should work here unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace

from protea.domain.delegation import FOREIGN_TOOLS
from protea.domain.front_matter import split
from protea.domain.pattern import regex
from protea.domain.permission import Decision
from protea.domain.permission.effects import HARMLESS
from protea.domain.permission.rules import family
from protea.domain.tools import ToolSpec

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_COMPATIBILITY = 64, 1024, 500
NAME = regex(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What a skill may be called, by the standard."""


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
    if not NAME.fullmatch(name):
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
    allowed = tools_of(head.get("allowed-tools", ()))
    return Skill(name=name, description=description, path=path, allowed_tools=allowed, faults=tuple(faults))


def tools_of(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """What stands under `allowed-tools`: a list, or a text with blanks or commas between. Brackets hold together:
    `Bash(git log:*)` is one."""
    if isinstance(value, tuple):
        return value
    return tuple(each[0] for each in re.finditer(r"[^\s,(]+(?:\([^)]*\)?)?", value))


def declares(tools: Iterable[str], tool: str) -> bool:
    """Whether a list of tools, as skills write it, names a tool or its family. What stands in brackets says how it is
    used; whether it may be used so is for the rules to say."""
    names = (each.partition("(")[0] for each in tools)
    return any(fnmatchcase(tool, name) or family(FOREIGN_TOOLS.get(name, name)) == family(tool) for name in names)


def narrowed(
    decision: Decision, spec: ToolSpec, declared: Mapping[str, Sequence[str]], *, interactive: bool = True
) -> Decision:
    """The decision on a call while skills, or a slash command of one's own, are at work that have declared what they
    need (name → tools). They never allow anything; what none of them has declared, and brings something about, is asked
    about."""
    quiet = decision.harmless or spec.name in HARMLESS or (spec.effects and set(spec.effects) <= {"fs.read", "ask"})
    if not declared or decision.verdict != "allow" or quiet:
        return decision
    if any(declares(tools, spec.name) for tools in declared.values()):
        return decision
    names = ", ".join(declared)
    why = f"{'' if names.startswith('/') else 'the skill '}{names} does not list {spec.name} under allowed-tools"
    if not interactive:
        return replace(decision, verdict="deny", why=f"{why}, and nobody is there to ask", rule=None, proposals=())
    return replace(decision, verdict="ask", why=why, rule=None, proposals=())


def body_of(text: str) -> str:
    """What stands below the head."""
    return split(text)[1].strip()


def _text(value: str | tuple[str, ...] | None) -> str:
    return " ".join((value or "").split()) if isinstance(value, str) else ""
