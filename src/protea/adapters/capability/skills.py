"""Agent Skills: folders with a SKILL.md. The model is told their names and descriptions, reads one when it is of use,
and finds what else lies in its folder from there.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from protea.domain.skill import LONGEST_DESCRIPTION, Skill, body_of, read_skill
from protea.domain.surroundings import Surroundings, skill_folders
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.capability import CapabilityCard

TOOL = "Skill"
LARGEST = 256_000
"""Bytes of a SKILL.md that are read."""
LARGEST_FILE = 1 << 20
"""Bytes of a file that a person can have looked at."""
MOST_FILES = 500
"""Files of a skill; one with more is not used where a person has to look at them first."""
DOUBTED = "\0"
"""In place of what a skill says: it is not as the person looked at it."""
_SHOWN = 50
"""Files of a skill that are listed."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folders: tuple[str, ...] = ()
    """More folders of skills, absolute; they come before all others."""
    most: Annotated[int, msgspec.Meta(ge=1)] = 200
    """Skills the model is told of."""


class Skills:
    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._folders = tuple(dict.fromkeys((*options.folders, *skill_folders(surroundings))))
        self._around = surroundings
        self._problems: tuple[str, ...] = ()

    @property
    def problems(self) -> Sequence[str]:
        return self._problems

    async def discover(self) -> Sequence[CapabilityCard]:
        skills = await asyncio.to_thread(self._found)
        return [
            CapabilityCard(
                name=skill.name, description=skill.description, kind="skill", source=skill.path, digest=digest
            )
            for skill, digest in skills
        ]

    async def render(self) -> str:
        skills = (await asyncio.to_thread(self._found))[: self._options.most]
        if not skills:
            return ""
        lines = [f"- {skill.name}: {skill.description[:LONGEST_DESCRIPTION]}" for skill, _ in skills]
        return "\n".join(
            [
                f"There are skills: instructions for certain kinds of work. When one fits what is asked, read it with "
                f"{TOOL} before you begin.",
                *lines,
            ]
        )

    async def specs(self) -> Sequence[ToolSpec]:
        found = await asyncio.to_thread(self._found)
        if not found:
            return ()
        name = {"type": "string", "description": "As it is listed."}
        parameters = {"type": "object", "properties": {"name": name}, "required": ["name"]}
        about = "Read a skill: its instructions and which files it has."
        return (ToolSpec(TOOL, about, parameters, ("fs.read",), True, example={"name": found[0][0].name}),)

    async def invoke(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        if tool != TOOL:
            return ToolResult(f"There is no {tool}.", is_error=True)
        return await asyncio.to_thread(self._opened, str(arguments.get("name", "")))

    async def aclose(self) -> None:
        """Nothing is open."""

    def _found(self) -> list[tuple[Skill, str]]:
        """(skill, digest), by name. Of two that are called alike the one in the nearer folder."""
        found: dict[str, tuple[Skill, str]] = {}
        problems: list[str] = []
        for folder in self._folders:
            for name in _names(folder):
                path = os.path.join(folder, name, "SKILL.md")
                text = self._trusted(path)
                if text is None:
                    continue
                if text is DOUBTED:
                    problems.append(f"{path}: it is not as you trusted it; `protea trust` shows what is different")
                    continue
                skill = read_skill(text, path, name)
                if isinstance(skill, str):
                    problems.append(skill)
                elif skill.name in found:
                    problems.append(f"{path}: {found[skill.name][0].path} is called {skill.name} as well and is used")
                else:
                    problems += [f"{path}: {fault}" for fault in skill.faults]
                    found[skill.name] = skill, hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
        self._problems = tuple(problems)
        return [found[name] for name in sorted(found)]

    def _trusted(self, path: str) -> str | None:
        """What a SKILL.md says; None where there is none, `DOUBTED` where it, or a file it may name, is not what a
        person has looked at."""
        data = _read(path)
        if data is None:
            return None
        if self._around.looked_at is not None and not (self._around.vouches(path, data) and self._whole(path)):
            return DOUBTED
        return data[:LARGEST].decode("utf-8", "replace")

    def _whole(self, path: str) -> bool:
        """Whether all else in its folder was looked at as it is: scripts that the model may be told to run."""
        count = 0
        for below, folders, names in os.walk(os.path.dirname(path)):
            count += len(names)
            # What lies behind a link can change without anything here changing.
            if count > MOST_FILES or any(os.path.islink(os.path.join(below, name)) for name in folders):
                return False
            for other in (os.path.join(below, name) for name in names):
                data = _read(other)
                if other != path and (data is None or not self._around.vouches(other, data)):
                    return False
        return True

    def _opened(self, name: str) -> ToolResult:
        skills = {skill.name: skill for skill, _ in self._found()}
        skill = skills.get(name)
        text = self._trusted(skill.path) if skill is not None else None
        if skill is None or text is None or text is DOUBTED:
            return ToolResult(f"There is no skill {name}. There are: {', '.join(skills) or 'none'}.", is_error=True)
        folder = os.path.dirname(skill.path)
        files = _files(folder)
        lines = [f"The skill {skill.name}, in {folder}.", "", body_of(text)]
        if files:
            lines += ["", "Other files in its folder, to be read where it names them:", *files]
        return ToolResult("\n".join(lines), only=skill.allowed_tools)


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def _read(path: str) -> bytes | None:
    """A regular file that is not too large; None for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with open(descriptor, "rb") as file:
        data = file.read(LARGEST_FILE + 1)
    return data if len(data) <= LARGEST_FILE else None


def _files(folder: str) -> list[str]:
    found: list[str] = []
    for below, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        for name in sorted(names):
            path = os.path.relpath(os.path.join(below, name), folder)
            if path != "SKILL.md" and not name.startswith("."):
                found.append(f"- {path}")
            if len(found) > _SHOWN:
                return [*found[:_SHOWN], "- …"]
    return found


def create(options: Options, *, surroundings: Surroundings) -> Skills:
    return Skills(options, surroundings)
