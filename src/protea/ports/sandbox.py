"""The port that runs commands under limits. Swap class: hot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

Wall = Literal["files", "network", "processes", "memory", "disk"]
"""What a sandbox may keep a command from: other files, the network, other processes, too much memory or disk."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a command may use. None: no limit of ours. Kept only by a sandbox whose `walls` say so."""

    processes: int | None = None
    memory: int | None = None
    """Bytes."""
    file_size: int | None = None
    """Bytes of the largest file it may write."""


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A command to start. What stands here is what runs: an adapter adds walls around it, never words to it."""

    argv: tuple[str, ...]
    """The program (absolute, or found on the PATH of `env`) and its arguments."""
    cwd: str
    """Absolute; an existing directory."""
    env: Mapping[str, str]
    """The whole environment (see `protea.domain.environment`). The sandbox adds one mark of its own."""
    merge: bool = False
    """Send stderr where stdout goes: the true order of what was written, without telling the two apart."""
    keep: bool = False
    """Processes that are left when the program itself has ended go on (a background command); else they are ended."""
    writable: tuple[str, ...] = ()
    """Absolute directories (or files that exist) it may write in, for a sandbox with the `files` wall. The rest is
    read-only or hidden."""
    readable: tuple[str, ...] = ()
    """Absolute paths it may read although a sandbox with the `files` wall hides what lies around them."""
    discard: bool = False
    """Whether all it writes in the workspace is gone when it has ended. Only for a sandbox that `discards`."""
    network: bool = True
    """Whether it may use the network, for a sandbox with that wall."""
    limits: Limits = Limits()


class Chunk(msgspec.Struct, frozen=True):
    """Bytes as they were written, at most 1 MiB."""

    data: bytes
    stream: Literal["stdout", "stderr"] = "stdout"


class Exit(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int | None = None
    """The program's exit code; None where it was ended by a signal or its end is not known."""
    signal: int | None = None
    """The number of the signal that ended it."""
    left: tuple[str, ...] = ()
    """Command lines of the processes it left behind and that were ended after it (the first ten)."""
    lost: bool = False
    """The supervisor was killed from outside: the tree was ended, how the program ended is not known."""


class Process(Protocol):
    """A running command and everything that descends from it: double forks and `setsid` included.

    Its standard input is empty. It has no descriptors but 0, 1 and 2, leads a session of its own, and starts with
    default signal dispositions.
    """

    @property
    def pid(self) -> int:
        """Of the program, as seen from here."""
        ...

    @property
    def ended(self) -> Exit | None:
        """How the program ended, once it has; what descends from it may still run (`Launch.keep`)."""
        ...

    async def read(self) -> Chunk | None:
        """The next output, or None once all of it was read and nobody can write any more.

        Nothing is buffered here beyond the pipes: a command whose output is not read waits. One reader at a time.
        May be cancelled without losing bytes.
        """
        ...

    async def wait(self) -> Exit:
        """Return once the program and all that descends from it are gone and reaped. Output may still be unread."""
        ...

    async def end(self, grace: float = 0.5) -> Exit:
        """SIGTERM to the whole tree, SIGKILL `grace` seconds later to what is left (0: at once), then as `wait`.

        Cancelled, it still sends the SIGKILL. Does nothing to a tree that is gone.
        """
        ...

    def close(self) -> None:
        """End what still runs, at once and without waiting, and free the descriptors. May be repeated."""
        ...


class Sandbox(Protocol):
    """Starts commands. However Protea ends, `kill -9` included, nothing a sandbox started outlives it by seconds."""

    @property
    def walls(self) -> frozenset[Wall]:
        """What it really keeps commands from. Empty for `none`."""
        ...

    @property
    def discards(self) -> bool:
        """Whether a command can be let write in the workspace so that nothing of it stays (`Launch.discard`). The first
        time it may try it, which takes some 20 ms."""
        ...

    def which(self, program: str, path: str) -> str | None:
        """The absolute path `program` has for commands started here with this PATH; None where it is missing."""
        ...

    async def start(self, launch: Launch) -> Process:
        """Start a command; returns once the program runs.

        Raises `OSError` as the system gave it: the program or `cwd` is missing, not permitted, arguments too long.
        """
        ...

    async def aclose(self) -> None:
        """End everything it started and wait until it is gone. It is not used afterwards."""
        ...
