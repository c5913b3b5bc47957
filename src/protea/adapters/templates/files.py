"""Markdown files: `.protea/commands` and `.claude/commands` of a trusted project, then the person's own."""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from protea.adapters.walking.markdown import written
from protea.domain.surroundings import Surroundings, written_folders
from protea.domain.template import Template, read_template

MOST = 500
"""Files that are read in each folder."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folders: tuple[str, ...] = ()
    """More folders, absolute; they come before all others."""


class FileTemplates:
    """The first of a name counts: a project's own before the person's."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._folders = (*options.folders, *written_folders(surroundings, "commands"))
        self.problems: Sequence[str] = ()

    def load(self) -> Sequence[Template]:
        found, problems = written(self._folders, self._around, _read, MOST)
        self.problems = (*problems, *(fault for each in found for fault in each.faults))
        return found


def _read(folder: str, path: str, text: str) -> Template | str:
    """`git/fix.md` in a folder is `git:fix`."""
    return read_template(text, os.path.relpath(path, folder).removesuffix(".md").replace(os.sep, ":"), path)


def create(options: Options, *, surroundings: Surroundings) -> FileTemplates:
    return FileTemplates(options, surroundings)
