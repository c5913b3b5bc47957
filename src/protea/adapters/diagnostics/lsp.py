"""Asks language servers that are installed: pyright, ruff, typescript-language-server, rust-analyzer, gopls, clangd …

They are found on PATH and nowhere else, and started when a file of theirs is first changed, in the sandbox, without the
network, and only in a project that is trusted: they run what the project says (plugins, build scripts). The workspace
they may read; what they write goes into a folder below Protea's home, kept for the next time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from protea.adapters.diagnostics._options import Options, Server
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Sandbox

if TYPE_CHECKING:  # most sessions change no file that a server knows, and load none of it
    from protea.adapters.diagnostics._server import Running
    from protea.domain.diagnostics import Change
    from protea.domain.tools import Diagnostic
    from protea.ports.diagnostics import Diagnostics, LanguageServer

__all__ = ["Options", "Server", "create"]


def create(options: Options, *, sandbox: Sandbox, surroundings: Surroundings) -> Diagnostics:
    """Starts nothing. Raises `ConfigError` for a name there is not."""
    return LanguageServers(options, sandbox, surroundings)


class LanguageServers:
    """`Diagnostics` by the Language Server Protocol."""

    def __init__(self, options: Options, sandbox: Sandbox, surroundings: Surroundings) -> None:
        self._options = options
        self._sandbox = sandbox
        self._surroundings = surroundings
        self._table: Mapping[str, Server] | None = None
        self._programs: dict[str, str | None] = {}
        """Server → its program, of those that were looked for."""
        self._stand_ins: dict[str, str] = {}
        """Server → why what was found under its name is not it."""
        self._running: dict[str, Running] = {}
        if options.only or options.without:
            self._known()

    async def look(self, changes: Sequence[Change]) -> Sequence[Diagnostic]:
        if not self._surroundings.trusted:
            return ()
        wanted: dict[str, list[Change]] = {}
        for change in changes:
            for name in self._for(change.path):
                wanted.setdefault(name, []).append(change)
        if not wanted:
            return ()
        from protea.domain.diagnostics import ranked

        loop = asyncio.get_running_loop()
        since = loop.time()
        found = await asyncio.gather(*(self._server(name).look(their, since) for name, their in wanted.items()))
        return ranked(each for one in found for each in one)

    def servers(self) -> Sequence[LanguageServer]:
        from protea.ports.diagnostics import LanguageServer

        told = []
        for name, server in self._known().items():
            files, program = tuple(server.files), self._program(name)
            if program is None:
                odd = self._stand_ins.get(name)
                why = odd or f"{server.command[0]} is not on PATH"
                told.append(LanguageServer(name, "missing", files, told=why, stand_in=bool(odd)))
            elif not self._surroundings.trusted:
                told.append(LanguageServer(name, "barred", files, program, "the project is not trusted"))
            elif (other := self._before(name)) is not None:
                told.append(LanguageServer(name, "resting", files, program, f"{other} is asked instead"))
            elif name in self._running:
                state, why = self._running[name].state
                told.append(LanguageServer(name, state, files, program, why))
            else:
                told.append(LanguageServer(name, "ready", files, program))
        return told

    async def aclose(self) -> None:
        running, self._running = [*self._running.values()], {}
        await asyncio.gather(*(each.aclose() for each in running))

    def _known(self) -> Mapping[str, Server]:
        if self._table is None:
            from protea.adapters.diagnostics._table import TABLE

            options, every = self._options, {**TABLE, **self._options.servers}
            for name in (*options.only, *options.without):
                if name not in every:
                    from protea.domain.errors import ConfigError

                    raise ConfigError(f"there is no language server {name!r}; there are {', '.join(every)}")
            self._table = {
                name: server
                for name, server in every.items()
                if (not options.only or name in options.only) and name not in options.without
            }
        return self._table

    def _for(self, path: str) -> list[str]:
        """The servers that know a file."""
        ending = os.path.splitext(path)[1]
        return [
            name
            for name, server in self._known().items()
            if ending in server.files and self._program(name) is not None and self._before(name) is None
        ]

    def _before(self, name: str) -> str | None:
        """The server of the same family that is asked instead."""
        family = self._known()[name].family
        same = (other for other, server in self._known().items() if family and server.family == family)
        first = next((other for other in same if self._program(other) is not None), name)
        return first if first != name else None

    def _program(self, name: str) -> str | None:
        if name not in self._programs:
            path = self._surroundings.environment.get("PATH", os.defpath)
            # An empty or relative entry is a folder of whatever project this is.
            path = ":".join(folder for folder in path.split(":") if os.path.isabs(folder))
            command = self._known()[name].command[0]
            program = self._sandbox.which(command, path)
            if program is not None and self._stands_in(program, command):
                self._stand_ins[name] = f"{program} only stands for it: `rustup component add {command}` installs it"
                program = None
            self._programs[name] = program
        return self._programs[name]

    def _stands_in(self, program: str, command: str) -> bool:
        """Whether it is rustup, which is put in the place of every tool it knows, and no toolchain has this one."""
        try:
            if not os.path.samefile(program, os.path.join(os.path.dirname(program), "rustup")):
                return False
        except OSError:
            return False  # there is no rustup beside it
        around = self._surroundings
        home = around.environment.get("RUSTUP_HOME") or os.path.join(around.user_home, ".rustup")
        chains = os.path.join(home, "toolchains")
        try:
            return not any(os.path.exists(os.path.join(chains, each, "bin", command)) for each in os.listdir(chains))
        except OSError:
            return True  # there is no toolchain at all

    def _server(self, name: str) -> Running:
        if name not in self._running:
            from protea.adapters.diagnostics._server import Running

            server, program = self._known()[name], self._program(name)
            assert program is not None
            self._running[name] = Running(name, server, program, self._options, self._sandbox, self._surroundings)
        return self._running[name]
