"""A database of tasks that neither answers nor refuses: a server that is suspended, a network that swallows."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.task_runner._postgres import PostgresTable
from protea.domain.errors import StoreError
from tests.adapters.task_runner.test_durable import ROOT, WITHIN, database, opened, postgresql

__all__ = ["database", "postgresql"]


class Network:
    """The way to a server, on a port of its own. From when it swallows nothing comes through, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._passes = threading.Event()
        self._passes.set()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._run(self._accept)

    def _run(self, target: Callable[..., None], *given: socket.socket) -> None:
        self._threads.append(threading.Thread(target=target, args=given, daemon=True))
        self._threads[-1].start()

    def swallow(self) -> None:
        self._passes.clear()

    def close(self) -> None:
        self._passes.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        while self._threads:
            for each in [*self._open]:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
            self._threads.pop().join(WITHIN)
        for each in (self._listening, *self._open):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._server))
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    self._run(self._pass, one, other)

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                self._passes.wait()
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def network(postgresql: str) -> Iterator[Network]:
    made = Network(int(postgresql.rpartition(":")[2]))
    yield made
    made.close()


def through(network: Network, database: str) -> str:
    return f"postgresql://protea@127.0.0.1:{network.port}/{database.rpartition('/')[2]}"


async def test_one_that_reaches_nobody_gives_its_tasks_up_by_itself(
    tmp_path: Path, network: Network, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("protea.adapters.task_runner._postgres.TIMEOUT", 3)
    runner = opened(tmp_path, through(network, database))
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def stay(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        return "never"

    runner.define("stay", stay)
    await runner.start("stay", {}, title="it stays", again=True)
    async with asyncio.timeout(WITHIN):
        await begun.wait()
        network.swallow()
        await given_up.wait()
        await runner.aclose()


async def test_who_waits_for_an_answer_does_not_wait_for_ever(
    network: Network, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("protea.adapters.task_runner._postgres.TIMEOUT", 1)
    table = PostgresTable(through(network, database), "owner", 20)
    async with asyncio.timeout(WITHIN):
        assert await asyncio.to_thread(table.list, None) == []
        network.swallow()
        with pytest.raises(StoreError, match="cannot be reached"):
            await asyncio.to_thread(table.list, None)
        await asyncio.to_thread(table.close)


LEAVING = """
import asyncio, sys
from pathlib import Path
from protea.adapters.task_runner import _postgres
from tests.adapters.task_runner.test_durable import opened

async def main():
    _postgres.TIMEOUT = 2
    runner, begun = opened(Path(sys.argv[1]), sys.argv[2], silence=60), asyncio.Event()

    async def stay(input, tell):
        begun.set()
        await asyncio.Event().wait()

    runner.define("stay", stay)
    await runner.start("stay", {}, title="it stays")
    await begun.wait()
    print("begun", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await runner.aclose()
    print("closed", flush=True)

asyncio.run(main())
"""


def test_a_process_ends_though_its_database_is_away(tmp_path: Path, network: Network, database: str) -> None:
    words = [sys.executable, "-c", LEAVING, str(tmp_path), through(network, database)]
    process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        network.swallow()
        out, _ = process.communicate("end\n", timeout=WITHIN)
        assert (out, process.returncode) == ("closed\n", 0)
    finally:
        process.kill()
        process.wait(WITHIN)
