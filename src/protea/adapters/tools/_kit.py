"""What the built-in tools of one session share."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from protea.domain.environment import for_commands
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Sandbox
from protea.ports.search import Search
from protea.ports.web import Web
from protea.ports.workspace import Entry, Workspace

if TYPE_CHECKING:  # loaded when a file is first changed
    from protea.ports.diagnostics import Diagnostics


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    only: tuple[str, ...] = ()
    """The tools to offer; empty: all."""
    without: tuple[str, ...] = ()
    """Tools to leave out."""
    bash_timeout: float = 120
    """Seconds a command may take where the model does not say."""
    bash_timeout_limit: float = 600
    """Seconds a command may take at most."""
    bash_output: int = 30_000
    """Characters of a command's output the model sees; more is cut in the middle."""
    bash_file_limit: int = 4 << 30
    """Bytes of output kept in a file; a command that writes more is ended."""
    bash_streams: str = "merged"
    """`merged`: stdout and stderr in the order they were written; `apart`: told apart, their order approximate."""
    background_limit: int = 16
    """Background commands at once."""
    keep_environment: tuple[str, ...] = ()
    """Variables that commands see although they are not on the list of harmless ones."""
    read_lines: int = 2000
    read_characters: int = 60_000
    """Of text, in one reading."""
    line_characters: int = 2000
    """Of one line."""
    image_bytes: int = 3_750_000
    """Of an image file; providers refuse more than 5 MB of base64."""
    glob_limit: int = 200
    grep_limit: int = 200
    """Lines or files in one answer."""
    search_characters: int = 30_000
    """Of text in one answer of Glob or Grep."""
    ripgrep: bool = True
    """Use `rg` where it is present."""
    unread: tuple[str, ...] = (".env", ".env.*", "!.env.example", "!.env.sample", "!.env.template", "!.env.dist")
    """Files that a search never opens unless it is pointed at one, as lines of a .gitignore: what may not be read
    without asking must not be read by a search either."""


class Kit:
    """Shared by the tools of one session; also what they keep between calls."""

    def __init__(
        self,
        options: Options,
        workspace: Workspace,
        sandbox: Sandbox,
        surroundings: Surroundings,
        web: Web,
        search: Search,
        agents: Sequence[Any] = (),
        diagnostics: Diagnostics | None = None,
    ) -> None:
        self.options = options
        self.workspace = workspace
        self.sandbox = sandbox
        self.surroundings = surroundings
        self.web = web
        self.search = search
        self.diagnostics = diagnostics
        self.agents = tuple(agents)
        """Those that have a name (`AgentDefinition`, which a start has no need of)."""
        self.cwd = surroundings.cwd
        """Where the next command starts and relative paths begin."""
        self.seen: dict[str, Entry] = {}
        """Real path → the file as it was when it was last read or written here."""
        self.environment = for_commands(surroundings.environment, options.keep_environment)
        self.background: dict[str, Any] = {}
        """The background commands by id (`bash.Shell`, which this module must not import: it is loaded at start)."""
        self.closers: dict[str, Callable[[], Awaitable[None]]] = {}
        """What tools want done when the session ends, by a name of theirs."""

    def absolute(self, path: str) -> str:
        """The path a call means: `~` is the person's home, relative ones begin at the working directory."""
        if path == "~" or path.startswith("~/"):
            return self.surroundings.user_home + path[1:]
        return os.path.join(self.cwd, path)

    def shown(self, path: str) -> str:
        """A path as the model should see it: short where it is beneath the working directory."""
        cwd = self.cwd.rstrip("/") + "/"
        return path[len(cwd) :] if path.startswith(cwd) and len(path) > len(cwd) else path

    def inside(self, path: str) -> bool:
        """Whether a real path is beneath a root."""
        return any(path == root or path.startswith(root.rstrip("/") + "/") for root in self.workspace.roots)

    def which(self, program: str) -> str | None:
        return self.sandbox.which(program, self.environment.get("PATH", os.defpath))

    async def aclose(self) -> None:
        while self.closers:
            await self.closers.popitem()[1]()
        await self.web.aclose()
