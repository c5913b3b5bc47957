"""No sandbox, under its honest name: commands run with all the rights of the person who started Protea.

What it does keep: every process a command starts is ended with it, and with Protea.
"""

from __future__ import annotations

import os

import msgspec

from protea.adapters.sandbox._supervised import Supervisor
from protea.ports.sandbox import Launch, Process, Sandbox, Wall


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to choose."""


def create(options: Options) -> Sandbox:
    """Starts no process until the first command."""
    return NoSandbox()


class NoSandbox:
    """`Sandbox` without walls. `Launch.writable`, `network` and `limits` are not enforced."""

    def __init__(self) -> None:
        self._supervisor = Supervisor()

    @property
    def walls(self) -> frozenset[Wall]:
        return frozenset()

    @property
    def discards(self) -> bool:
        return False

    def which(self, program: str, path: str) -> str | None:
        candidates = [program] if "/" in program else [os.path.join(folder, program) for folder in path.split(":")]
        for candidate in candidates:
            if os.path.isabs(candidate) and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
                return candidate
        return None

    async def start(self, launch: Launch) -> Process:
        return await self._supervisor.start(launch)

    async def aclose(self) -> None:
        await self._supervisor.aclose()
