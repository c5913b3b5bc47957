"""The port to where files live. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from protea.domain.errors import ProteaError

Kind = Literal["file", "directory", "link", "other"]
Trouble = Literal[
    "missing",  # nothing of that name
    "directory",  # a directory where a file is needed
    "not_directory",  # a file where a directory is needed
    "special",  # a pipe, socket or device
    "outside",  # a link inside the workspace that leads out of it
    "denied",  # the system does not allow it
    "read_only",  # the file or the file system is read-only
    "exists",  # something is there already
    "full",  # no space, or a quota
    "changed",  # not what was expected: someone else wrote it
    "other",
]


class WorkspaceError(ProteaError):
    """A file could not be used. The message is one line, names the path, and is fit for the model."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


class Entry(msgspec.Struct, frozen=True):
    """What is known of a file or directory without opening it."""

    path: str
    """Absolute. From `stat`: real, no links left in it. From `list`: the directory's real path and the entry's name."""
    kind: Kind
    size: int = 0
    modified: int = 0
    """Nanoseconds since 1970; changes whenever the content does."""
    mode: int = 0
    """Permission bits."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Workspace(Protocol):
    """Reads and writes files.

    Paths are absolute; `..` and links are resolved here. What lies beneath the roots is opened beneath them, without
    following a link that appeared meanwhile: a link inside the roots is followed to a place inside them, else
    refused (`outside`). Paths that are themselves outside the roots are opened as they are: whether they may be is the
    permission engine's business, decided before. Only regular files are read and written; nothing waits on a pipe or
    device. All methods raise `WorkspaceError` and nothing else. Small files are quick; slow work happens in a thread.
    """

    @property
    def roots(self) -> Sequence[str]:
        """Absolute, real: the project and what was added."""
        ...

    @property
    def on_disk(self) -> bool:
        """Whether the files are on this machine's disk under the same paths, so that commands see them."""
        ...

    async def stat(self, path: str) -> Entry:
        """The entry a path leads to, links followed."""
        ...

    async def list(self, path: str) -> Sequence[Entry]:
        """What a directory holds, by name, links not followed."""
        ...

    async def read(self, path: str, *, start: int = 0, size: int | None = None) -> bytes:
        """The bytes of a file from `start`, at most `size` of them."""
        ...

    async def write(self, path: str, data: bytes, *, expect: Entry | None = None) -> Entry:
        """Replace or create a file, with its directories, at once: a reader sees the old bytes or the new ones, and so
        does a machine that loses power. Keeps the mode of a file that is there; a link stays a link.

        With `expect` (from `stat`), refuses with `changed` where the file is no longer that one. Refuses
        read-only files.
        """
        ...

    async def remove(self, path: str) -> None:
        """Remove a file or a link (itself, not what it leads to)."""
        ...
