"""Markdown files: `.protea/agents` and `.claude/agents` of a trusted project, then the person's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from protea.domain.surroundings import Surroundings, written_folders
from protea.ports.agents import Agents

if TYPE_CHECKING:
    from protea.domain.delegation import AgentDefinition

MOST = 200
"""Files that are read in each folder."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folders: tuple[str, ...] = ()
    """More folders, absolute; they come before all others."""


class FileAgents:
    """The first of a name counts: a project's own before the person's."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._folders = (*options.folders, *written_folders(surroundings, "agents"))
        self.problems: Sequence[str] = ()

    def load(self) -> Sequence[AgentDefinition]:
        folders = [folder for folder in self._folders if os.path.isdir(folder)]
        if not folders:
            return ()
        # Most people have written none.
        from protea.adapters.walking.markdown import written
        from protea.domain.delegation import read_definition

        def read(folder: str, path: str, text: str) -> AgentDefinition | str:
            return read_definition(text, os.path.basename(path).removesuffix(".md"), path)

        found, self.problems = written(folders, self._around, read, MOST)
        return found


def create(options: Options, *, surroundings: Surroundings) -> Agents:
    return FileAgents(options, surroundings)
