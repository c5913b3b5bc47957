"""Markdown files: `.protea/agents` and `.claude/agents` of a trusted project, then the person's own."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from protea.domain.surroundings import Surroundings
from protea.ports.agents import Agents

if TYPE_CHECKING:
    from protea.domain.delegation import AgentDefinition

LARGEST = 1 << 20
"""Bytes of a file; a longer one is not read."""
MOST = 200
"""Files that are read."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folders: tuple[str, ...] = ()
    """More folders, absolute; they come before all others."""


class FileAgents:
    """The first of a name counts: a project's own before the person's."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._around = around = surroundings
        project = (os.path.join(around.root, name) for name in (".protea/agents", ".claude/agents"))
        own = (os.path.join(around.protea_home, "agents"), os.path.join(around.user_home, ".claude/agents"))
        # A project's own speak with the person's voice, so only those of one that is trusted are read.
        self._folders = (*options.folders, *(project if around.trusted else ()), *own)
        self.problems: Sequence[str] = ()

    def load(self) -> Sequence[AgentDefinition]:
        folders = [folder for folder in self._folders if os.path.isdir(folder)]
        if not folders:
            return ()
        from protea.domain.delegation import read_definition  # most people have written none

        found: dict[str, AgentDefinition] = {}
        problems: list[str] = []
        for folder in folders:
            for path in _markdown(folder):
                data = _read(path)
                # What is used is what was looked at: these very bytes.
                if data is not None and not self._around.vouches(path, data):
                    problems.append(f"{path}: it is not as you trusted it; `protea trust` shows what is different")
                    continue
                text = data.decode("utf-8", "replace") if data is not None else None
                name = os.path.basename(path).removesuffix(".md")
                read = read_definition(text, name, path) if text is not None else f"{path}: it cannot be read"
                if isinstance(read, str):
                    problems.append(read)
                else:
                    found.setdefault(read.name, read)
        self.problems = tuple(problems)
        return sorted(found.values(), key=lambda each: each.name)


def _markdown(folder: str) -> Iterator[str]:
    count = 0
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".md") and count < MOST:
                count += 1
                yield os.path.join(above, name)


def _read(path: str) -> bytes | None:
    try:
        # O_NONBLOCK: a FIFO is opened at once, and then refused.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = file.read(LARGEST + 1)
    return data if len(data) <= LARGEST else None


def create(options: Options, *, surroundings: Surroundings) -> Agents:
    return FileAgents(options, surroundings)
