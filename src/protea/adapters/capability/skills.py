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
"""Bytes of a SKILL.md."""
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
        if not await asyncio.to_thread(self._found):
            return ()
        name = {"type": "string", "description": "As it is listed."}
        parameters = {"type": "object", "properties": {"name": name}, "required": ["name"]}
        return (
            ToolSpec(TOOL, "Read a skill: its instructions and which files it has.", parameters, ("fs.read",), True),
        )

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
                text = _read(path)
                if text is None:
                    continue
                if self._around.doubts(os.path.join(folder, name)):
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

    def _opened(self, name: str) -> ToolResult:
        skills = {skill.name: skill for skill, _ in self._found()}
        skill = skills.get(name)
        text = _read(skill.path) if skill is not None else None
        if skill is None or text is None:
            return ToolResult(f"There is no skill {name}. There are: {', '.join(skills) or 'none'}.", is_error=True)
        folder = os.path.dirname(skill.path)
        files = _files(folder)
        lines = [f"The skill {skill.name}, in {folder}.", "", body_of(text)]
        if files:
            lines += ["", "Other files in its folder, to be read where it names them:", *files]
        return ToolResult("\n".join(lines))


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []


def _read(path: str) -> str | None:
    """A regular file that is not too large; None for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return file.read(LARGEST).decode("utf-8", "replace")


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
