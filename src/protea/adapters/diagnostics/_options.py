"""How language servers are set up."""

from __future__ import annotations

from typing import Any

import msgspec


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language server, as it is set up."""

    command: tuple[str, ...]
    """The program and its arguments; it speaks over its standard input and output."""
    files: dict[str, str]
    """Ending of a file's name → the language it is in, as the protocol names it: `{".py" = "python"}`."""
    family: str = ""
    """Of several that say the same, the first that is found is asked. Empty: always asked."""
    options: dict[str, Any] = {}
    """What it is started with (`initializationOptions`). `{cache}` in a text is its own folder."""
    settings: dict[str, Any] = {}
    """What it is told when it asks for its configuration."""
    environment: dict[str, str] = {}
    """Variables besides those that any command sees; `{cache}` as above."""
    settle: float = 0.2
    """Seconds without news after which what it says of a file counts as all."""
    writable: bool = False
    """Whether it may write in the workspace, in a sandbox that could keep it from that."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    servers: dict[str, Server] = {}
    """More servers by name, or others in place of those that are known: see docs/diagnostics.md."""
    only: tuple[str, ...] = ()
    """The servers to ask; empty: all that are found."""
    without: tuple[str, ...] = ()
    """Servers to leave out."""
    wait: float = 2.0
    """Seconds an edit waits at most for what servers say of it."""
    wait_first: float = 6.0
    """The same for the first edit of a kind, for which a server has to be started."""
    idle: float = 900
    """Seconds without an edit after which a server is ended."""
    restarts: int = 3
    """How often a server that ended by itself is started again in a session."""
