"""The durable task runner: its contract on SQLite; jobs killed in the midst of a step, on both databases."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.clock.system import SystemClock
from protea.adapters.ids.system import SystemIds
from protea.adapters.task_runner import durable
from protea.domain.surroundings import Surroundings
from protea.ports.task_runner import TaskRunner
from protea.testing.contracts.task_runner import TaskRunnerContract

WITHIN = 60
SETTINGS = ("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
ROOT = Path(__file__).parents[3]


def opened(home: Path, database: str | None = None) -> durable.Durable:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    clock = SystemClock()
    options = durable.Options(database=database)
    return durable.create(options, clock=clock, ids=SystemIds(clock), surroundings=around)


class TestDurable(TaskRunnerContract):
    @pytest.fixture(autouse=True)
    async def _home(self, tmp_path: Path) -> AsyncIterator[None]:
        self._path = tmp_path
        self._opened: list[durable.Durable] = []
        yield
        for each in self._opened:
            await each.aclose()

    def task_runner(self) -> TaskRunner:
        self._opened.append(opened(self._path))
        return self._opened[-1]


# ── killed in the midst of a step ──────────────────────────────────────────────────────────────────────────────────

JOB = """
import asyncio, os, sys
from pathlib import Path
from tests.adapters.task_runner.test_durable import define, opened

async def main():
    home, database = Path(sys.argv[1]), sys.argv[2] or None
    runner = opened(home, database)
    define(runner, home / "done", stay=True)
    await runner.start("job", {"number": 7}, title="a job", again=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def define(runner: TaskRunner, done: Path, *, stay: bool) -> None:
    """A job of four steps, each of which writes down that it began; in the third the first process stays."""

    def note(line: str) -> None:
        with done.open("a") as file:
            file.write(f"{line} {os.getpid()}\n")

    async def first(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("first")
        return f"{input['number']}"

    async def second(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("second")
        return f"{input['before']}+1"

    async def third(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("third")
        if stay:
            await asyncio.Event().wait()
        return f"{input['before']}+2"

    async def last(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("last")
        return f"{input['before']}+3"

    runner.define("job", first, second, third, last)


def started(home: Path, database: str | None, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", JOB, str(home), database or ""], env=environment)


async def killed_and_gone_on_with(home: Path, database: str | None) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    done = home / "done"
    process = started(home, database, environment)
    try:
        async with asyncio.timeout(WITHIN):
            while not (done.exists() and "third" in done.read_text()):
                assert process.poll() is None, "the first process ended by itself"
                await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait(WITHIN)
    runner = opened(home, database)
    define(runner, done, stay=False)
    try:
        (became,) = await runner.recover()
        assert (became.state, became.runs) == ("running", 2)
        async with asyncio.timeout(WITHIN):
            ended = await runner.wait(became.id)
        assert (ended.state, ended.result) == ("done", "7+1+2+3")
        assert list(await runner.recover()) == []
    finally:
        await runner.aclose()
    lines = [line.split() for line in done.read_text().splitlines()]
    assert [name for name, _ in lines] == ["first", "second", "third", "third", "last"], "one step was done twice"
    assert [int(pid) == os.getpid() for _, pid in lines] == [False, False, False, True, True]


async def test_a_job_killed_in_the_midst_of_a_step_goes_on_with_that_step_on_sqlite(tmp_path: Path) -> None:
    await killed_and_gone_on_with(tmp_path, None)


async def test_a_job_killed_in_the_midst_of_a_step_goes_on_with_that_step_on_postgresql(
    tmp_path: Path, postgresql: str
) -> None:
    await killed_and_gone_on_with(tmp_path, postgresql)


@pytest.fixture
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this test alone: its own data, port and, where this is root, user."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    program = str(found[0]) if found else shutil.which("initdb")
    if program is None:
        pytest.skip("PostgreSQL IS NOT TESTED: it is not installed (Debian: apt-get install postgresql)")
    programs = Path(program).resolve().parent
    folder = tmp_path_factory.mktemp("postgresql")
    lead: list[str] = []
    if os.getuid() == 0:  # it refuses to run as root
        for user in ("postgres", "nobody"):
            if subprocess.run(["id", user], capture_output=True, check=False).returncode == 0:
                break
        shutil.chown(folder, user)
        above = folder
        while above != Path(above.root):  # pytest keeps its folders to itself
            above.chmod(above.stat().st_mode | 0o011)
            above = above.parent
            if above == Path("/tmp"):
                break
        lead = ["setpriv", f"--reuid={user}", "--clear-groups", "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(folder)}
    made = subprocess.run(
        [*lead, str(programs / "initdb"), "-D", str(folder / "data"), "-U", "protea", "--auth=trust", "--no-sync"],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN,
    )
    assert made.returncode == 0, made.stderr
    server = subprocess.Popen(
        [*lead, str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), *SETTINGS],
        env=environment,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
        for _ in range(600):
            assert server.poll() is None, "PostgreSQL ended by itself"
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                break
        yield f"postgresql://protea@127.0.0.1:{port}/protea_tasks"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(WITHIN)
