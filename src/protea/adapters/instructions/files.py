"""AGENTS.md (or CLAUDE.md where there is none), from the person's own down to the current directory."""

from __future__ import annotations

import os
import stat

import msgspec

from protea.domain.surroundings import Surroundings
from protea.ports.instructions import Instruction


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    names: tuple[str, ...] = ("AGENTS.md", "CLAUDE.md")
    """The first that exists in a directory is read; the others there are not."""
    most_bytes: int = 32_768
    """Of one file; the rest is cut off and said so."""


class FileInstructions:
    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._around = surroundings

    def load(self, cwd: str) -> tuple[Instruction, ...]:
        # A directory nobody has trusted may not speak to the model with a person's authority.
        project = _between(self._around.root, cwd) if self._around.trusted else []
        around = self._around
        own = tuple(os.path.realpath(folder) for folder in (around.protea_home, around.user_home))
        found = [self._read(around.protea_home, own), *(self._read(folder, (around.root,)) for folder in project)]
        return tuple(each for each in found if each is not None)

    def _read(self, folder: str, within: tuple[str, ...]) -> Instruction | None:
        for name in self._options.names:
            path = os.path.join(folder, name)
            real = os.path.realpath(path)
            if not any(real.startswith(each.rstrip("/") + "/") for each in within):
                continue  # a link out of the project would send the model whatever it points to
            try:
                # O_NONBLOCK: a FIFO of that name must not hold up the start.
                descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError:
                continue
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                continue
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(self._options.most_bytes + 1)
            text = data[: self._options.most_bytes].decode("utf-8", "replace").strip()
            if len(data) > self._options.most_bytes:
                text += f"\n[cut after {self._options.most_bytes} bytes; read {path} for the rest]"
            if text:
                return Instruction(path=path, text=text)
        return None


def _between(root: str, cwd: str) -> list[str]:
    """`root`, and the folders from there down to `cwd`."""
    folders = [cwd]
    while folders[-1] != root and folders[-1].startswith(root.rstrip("/") + "/"):
        folders.append(os.path.dirname(folders[-1]))
    return list(reversed(folders))


def create(options: Options, *, surroundings: Surroundings) -> FileInstructions:
    return FileInstructions(options, surroundings)
