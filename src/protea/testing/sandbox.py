"""A sandbox that runs nothing: it remembers what it was to start and plays what it was told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from protea.ports.sandbox import Chunk, Exit, Launch, Wall


class Script(msgspec.Struct, frozen=True):
    """What a command does."""

    output: tuple[Chunk, ...] = ()
    exit: Exit = Exit(code=0)
    endless: bool = False
    """It runs until it is ended."""


class ScriptedProcess:
    """`Process` that gives out its script."""

    def __init__(self, script: Script, pid: int) -> None:
        self.pid = pid
        self._chunks = list(script.output)
        self._exit = script.exit
        self._gone = asyncio.Event()
        if not script.endless:
            self._gone.set()

    @property
    def ended(self) -> Exit | None:
        return self._exit if self._gone.is_set() else None

    async def read(self) -> Chunk | None:
        if self._chunks:
            return self._chunks.pop(0)
        await self._gone.wait()
        return None

    async def wait(self) -> Exit:
        await self._gone.wait()
        return self._exit

    async def end(self, grace: float = 0.5) -> Exit:
        if not self._gone.is_set():
            self._exit = Exit(signal=15 if grace else 9)
            self._gone.set()
        return self._exit

    def close(self) -> None:
        self._gone.set()


class RecordingSandbox:
    """`Sandbox` that plays `scripts` in order, the last one again and again, and keeps every `Launch`."""

    def __init__(self, scripts: Sequence[Script] = (Script(),), *, programs: Sequence[str] = ("/bin/bash",)) -> None:
        self.throws_away = False
        """What `discards` says."""
        self.launches: list[Launch] = []
        self.processes: list[ScriptedProcess] = []
        self._scripts = list(scripts)
        self._programs = tuple(programs)

    @property
    def walls(self) -> frozenset[Wall]:
        return frozenset()

    @property
    def discards(self) -> bool:
        return self.throws_away

    def which(self, program: str, path: str) -> str | None:
        return next((each for each in self._programs if program in (each, each.rpartition("/")[2])), None)

    async def start(self, launch: Launch) -> ScriptedProcess:
        self.launches.append(launch)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        process = ScriptedProcess(script, 1000 + len(self.launches))
        self.processes.append(process)
        return process

    async def aclose(self) -> None:
        for process in self.processes:
            process.close()
