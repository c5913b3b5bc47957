"""What the decision needs to be told about the file system. The adapter looks; nothing here does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import msgspec

Kind = Literal["file", "folder", "missing", "device", "fifo", "socket", "loop", "impossible"]


STORES = ("/node_modules/", "/.venv/", "/venv/", "/site-packages/", "/.git/", "/target/", "/.pnpm/", "/.uv/")
"""Folders whose files are hard links by custom."""


class Place(msgspec.Struct, frozen=True):
    """One path, looked at."""

    path: str
    """Absolute and tidy as text; `..` taken back without looking."""
    real: str
    """Where it leads when every symbolic link is followed, the part that does not exist yet included."""
    kind: Kind
    links: int = 1
    """Names the file has; more than one is a hard link."""
    identity: tuple[int, int] = (0, 0)
    """Device and inode."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called: both must be looked at, and mostly they are one."""
        return (self.path,) if self.path == self.real else (self.path, self.real)


class History(msgspec.Struct, frozen=True):
    """What a clone knows of its branch and of its remotes."""

    known: bool
    """Whether it could be read at all."""
    branch: str = ""
    """The one that is checked out."""
    line: tuple[str, ...] = ()
    """Its commits from the tip back, by first parents, as far as can be seen; the first that a remote has ends it."""
    whole: bool = True
    """Whether the line goes to such a commit, or to the very first."""
    held: Mapping[str, str] = {}
    """Commit → the branch of a remote that was seen to be there: `origin/main`."""
    remote: frozenset[str] = frozenset()
    """Branches of remotes."""

    def counterpart(self, branch: str) -> str | None:
        """The branch of a remote that a branch was pushed to, or came from."""
        return next((each for each in sorted(self.remote) if branch and each.partition("/")[2] == branch), None)


class Tree(msgspec.Struct, frozen=True):
    """What a walk through a folder met."""

    found: tuple[str, ...] = ()
    """Paths of the kind that was looked for."""
    complete: bool = True
    """Whether everything was visited."""


class Eyes(Protocol):
    """Looks and changes nothing; never raises. May be asked the same thing twice and then answers the same."""

    def place(self, path: str, cwd: str) -> Place: ...

    def expand(self, pattern: str, cwd: str) -> tuple[str, ...] | None:
        """The names a shell would put for a glob, as it would write them; None for too many."""

    def walk(
        self, folder: str, hidden: bool, wanted: Callable[[str], bool], follow: bool = False, only: tuple[str, ...] = ()
    ) -> Tree:
        """The files below `folder` that are `wanted` or have another name. With `follow` also those its symbolic links
        lead to, by their real names; one that is not `wanted` as a folder is not looked into. A file has a name
        that one of the patterns in `only` fits, if there are any."""

    def shows(self, path: str, needle: str) -> bool:
        """Whether a file has this text in it, whatever the case; also True when it cannot be told."""

    def repository_fault(self, cwd: str, root: str, config: bool, trusted: bool) -> str | None:
        """Why git in `cwd` is not git in the project's repository; with `config`, also why that one runs programs: what
        is known to do so in a project that is trusted, whatever git did not write itself in one that is not."""

    def history(self, cwd: str) -> History | None:
        """Of the repository git would find in `cwd`; None where there is none, or no remote was ever seen."""

    def twin(self, place: Place, files: tuple[str, ...]) -> str | None:
        """One of `files` (or of the files in them, where they are folders) that is the same file as `place`."""
