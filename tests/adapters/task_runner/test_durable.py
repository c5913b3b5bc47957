"""The durable task runner: its contract, jobs killed within a step, taken over or left alone, on two databases."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from protea.adapters.clock.system import SystemClock
from protea.adapters.ids.system import SystemIds
from protea.adapters.task_runner import durable
from protea.domain.errors import ConfigError, StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.task_runner import Task, TaskRunner
from protea.testing.contracts.task_runner import TaskRunnerContract

Found = TypeVar("Found")
WITHIN = 60
SETTINGS = ("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
ROOT = Path(__file__).parents[3]


SILENCE = 1.0
"""Seconds after which a silent process counts as gone, in these tests."""


class Ahead(SystemClock):
    """A machine whose clock is a day ahead."""

    def now(self) -> str:
        return (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def opened(
    home: Path, database: str | None = None, worker: str = "here", silence: float = SILENCE, clock: Clock | None = None
) -> durable.Durable:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    clock = clock or SystemClock()
    options = durable.Options(database=database, worker=worker, silence=silence)
    return durable.create(options, clock=clock, ids=SystemIds(clock), surroundings=around)


class TestDurableOnSqlite(TaskRunnerContract):
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


class TestDurableOnPostgresql(TaskRunnerContract):
    @pytest.fixture(autouse=True)
    async def _home(self, tmp_path: Path, database: str) -> AsyncIterator[None]:
        self._path, self._database = tmp_path, database
        self._opened: list[durable.Durable] = []
        yield
        for each in self._opened:
            await each.aclose()

    def task_runner(self) -> TaskRunner:
        self._opened.append(opened(self._path, self._database))
        return self._opened[-1]


ENDINGS = """
import asyncio, sys
from pathlib import Path
from tests.adapters.task_runner.test_durable import opened

async def fail(input, tell):
    raise LookupError("no such thing")

async def stay(input, tell):
    await asyncio.Event().wait()

async def main():
    runner = opened(Path(sys.argv[1]))
    runner.define("fail", fail)
    runner.define("stay", stay)
    failed = await runner.start("fail", {}, title="it fails")
    print((await runner.wait(failed.id)).state)
    staying = await runner.start("stay", {}, title="it stays")
    print((await runner.stop(staying.id)).state)
    await runner.aclose()

asyncio.run(main())
"""


def test_a_task_that_fails_or_is_stopped_writes_nothing_over_the_screen(tmp_path: Path) -> None:
    words = [sys.executable, "-c", ENDINGS, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN)
    assert (done.stdout, done.stderr) == ("failed\nstopped\n", "")


# ── killed in the midst of a step ──────────────────────────────────────────────────────────────────────────────────

JOB = """
import asyncio, os, sys
from pathlib import Path
from tests.adapters.task_runner.test_durable import Ahead, define, opened

async def main():
    home, database = Path(sys.argv[1]), sys.argv[2] or None
    runner = opened(home, database, "first", clock=Ahead())
    define(runner, home / "done", stay=sys.argv[3])
    task = await runner.start("job", {"number": 7}, title="a job", again=True)
    print(task.id, flush=True)
    ended = await runner.wait(task.id)
    print(ended.state, ended.owner.split("-")[0], flush=True)
    await runner.aclose()

asyncio.run(main())
"""


def define(runner: TaskRunner, done: Path, *, stay: str = "") -> None:
    """A job of four steps, each of which writes down that it began. In the third the first process stays: `on` and on,
    `until` it is let go on, or `busy`, so that nothing else happens in its event loop, until it is let go on."""

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
        if stay == "on":
            await asyncio.Event().wait()
        while stay and not done.with_name("go on").exists():
            if stay == "busy":
                threading.Event().wait(0.02)  # nothing else happens in this loop
            else:
                await asyncio.sleep(0.02)
        return f"{input['before']}+2"

    async def last(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("last")
        return f"{input['before']}+3"

    runner.define("job", first, second, third, last)


class Other:
    """Another process, on another machine as far as anybody can tell, that has come to the third step."""

    def __init__(self, home: Path, database: str | None, stay: str) -> None:
        self.home = home
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOB, str(home), database or "", stay],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.task = self.process.stdout.readline().strip()

    async def at_work(self) -> None:
        async with asyncio.timeout(WITHIN):
            while not any(name == "third" for name, _ in self.noted()):
                assert self.process.poll() is None, "the first process ended by itself"
                await asyncio.sleep(0.02)

    def noted(self) -> list[tuple[str, bool]]:
        """Each step that began, and whether that was here."""
        done = self.home / "done"
        lines = [line.split() for line in done.read_text().splitlines()] if done.exists() else []
        return [(name, int(pid) == os.getpid()) for name, pid in lines]

    def let_go_on(self) -> None:
        (self.home / "go on").touch()

    def said(self) -> str:
        """How its job ended, once it has."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait(WITHIN)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(WITHIN)
        assert self.process.stdout is not None
        self.process.stdout.close()


@asynccontextmanager
async def other(home: Path, database: str | None, stay: str) -> AsyncIterator[Other]:
    made = Other(home, database, stay)
    try:
        await made.at_work()
        yield made
    finally:
        made.close()


@asynccontextmanager
async def second(home: Path, database: str | None) -> AsyncIterator[durable.Durable]:
    runner = opened(home, database, "second")
    define(runner, home / "done")
    try:
        yield runner
    finally:
        await runner.aclose()


async def taken_over(runner: TaskRunner) -> Task:
    """Look until a task is given up."""
    (task,) = await until(runner.recover)
    return task


async def until(look: Callable[[], Awaitable[Found]]) -> Found:
    """What it finds, once it does."""
    async with asyncio.timeout(WITHIN):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.05)


GONE_ON_WITH = [("first", False), ("second", False), ("third", False), ("third", True), ("last", True)]


@pytest.mark.parametrize("kept", ["sqlite", "postgresql"])
async def test_a_job_killed_in_the_midst_of_a_step_goes_on_with_that_step(
    tmp_path: Path, kept: str, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("database") if kept == "postgresql" else None
    async with other(tmp_path, database, "on") as first, second(tmp_path, database) as runner:
        assert list(await runner.recover()) == [], "its process lives"
        first.signal(signal.SIGKILL)
        became = await taken_over(runner)
        assert (became.id, became.state, became.runs) == (first.task, "running", 2)
        async with asyncio.timeout(WITHIN):
            ended = await runner.wait(became.id)
        assert (ended.state, ended.result) == ("done", "7+1+2+3")
        assert list(await runner.recover()) == []
        assert first.noted() == GONE_ON_WITH, "one step was done twice"


@pytest.mark.parametrize(("kept", "stay"), [("sqlite", "busy"), ("postgresql", "busy"), ("postgresql", "until")])
async def test_a_job_whose_process_lives_is_never_taken_over(
    tmp_path: Path, kept: str, stay: str, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("database") if kept == "postgresql" else None
    async with other(tmp_path, database, stay) as first, second(tmp_path, database) as runner:
        (task,) = await runner.list()
        beats = {task.beat}
        async with asyncio.timeout(WITHIN):
            while len(beats) < (11 if database else 3):  # two silences long, where silence counts
                assert list(await runner.recover()) == []
                (task,) = await runner.list()
                beats.add(task.beat)
                await asyncio.sleep(0.05)
        assert task.owner.startswith("first-")
        first.let_go_on()
        assert await asyncio.to_thread(first.said) == "done first"
        assert first.noted() == [(name, False) for name in ("first", "second", "third", "last")]


async def test_one_that_was_given_up_and_comes_back_does_no_more(tmp_path: Path, database: str) -> None:
    async with other(tmp_path, database, "until") as first, second(tmp_path, database) as runner:
        first.signal(signal.SIGSTOP)
        became = await taken_over(runner)
        assert became.runs == 2
        async with asyncio.timeout(WITHIN):
            ended = await runner.wait(became.id)
        assert (ended.state, ended.result) == ("done", "7+1+2+3")
        first.let_go_on()
        first.signal(signal.SIGCONT)
        assert await asyncio.to_thread(first.said) == "done second", "it knows of the end, and whose it was"
        assert first.noted() == GONE_ON_WITH
        assert (await runner.get(became.id)).result == "7+1+2+3"


async def test_of_two_that_look_at_once_one_takes_it_over(tmp_path: Path, database: str) -> None:
    async with (
        other(tmp_path, database, "on") as first,
        second(tmp_path, database) as runner,
        second(tmp_path, database) as rival,
    ):
        first.signal(signal.SIGKILL)

        async def both() -> list[Task]:
            return [task for each in await asyncio.gather(runner.recover(), rival.recover()) for task in each]

        async def over() -> Task | None:
            task = await runner.get(first.task)
            return task if task.state != "running" else None

        assert len(await until(both)) == 1
        ended = await until(over)
        assert ended is not None
        assert ended.result == "7+1+2+3"
        assert first.noted() == GONE_ON_WITH


async def test_tasks_of_another_machine_are_seen_and_can_be_ended(tmp_path: Path, database: str) -> None:
    async with other(tmp_path, database, "on") as first, second(tmp_path, database) as runner:
        (task,) = await runner.list()
        assert task.owner.startswith("first-")
        assert task.beat
        async with asyncio.timeout(WITHIN):
            stopped = await runner.stop(task.id)
        assert stopped.state == "stopped"
        assert await asyncio.to_thread(first.said) == "stopped first"


async def test_a_task_that_waits_for_somebody_to_go_on_with_it_can_be_ended(tmp_path: Path, database: str) -> None:
    async with other(tmp_path, database, "on") as first:
        first.signal(signal.SIGKILL)
        runner = opened(tmp_path, database, "second")  # knows nothing of such jobs

        async def left() -> bool:
            return not (await runner.get(first.task)).owner

        assert await until(left)
        assert list(await runner.recover()) == [], "left for one that knows what to do"
        assert (await runner.get(first.task)).state == "running"
        assert (await runner.stop(first.task)).state == "stopped"
        await runner.aclose()


async def test_several_runners_of_a_process_share_the_engine(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def wait(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        inside.set()
        await go_on.wait()
        return "one"

    async def quick(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        return "two"

    one.define("wait", wait)
    two.define("quick", quick)
    async with asyncio.timeout(WITHIN):
        first = await one.start("wait", {}, title="x")
        await inside.wait()
        later = await two.start("quick", {}, title="y")
        assert (await two.wait(later.id)).result == "two"
        await two.aclose()
        go_on.set()
        assert (await one.wait(first.id)).result == "one"
        await one.aclose()


def test_what_is_no_database_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PostgreSQL URL"):
        opened(tmp_path, "mysql://somewhere/tasks")


async def test_a_database_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    runner = opened(tmp_path, "postgresql://protea@127.0.0.1:9/tasks")
    with pytest.raises(StoreError, match="cannot be reached"):
        await runner.list()
    await runner.aclose()


@pytest.fixture
def database(postgresql: str, request: pytest.FixtureRequest) -> str:
    """One for this test: it is made when it is first used."""
    return f"{postgresql}/{re.sub('[^a-z_]+', '_', request.node.name)[:40]}_{os.urandom(3).hex()}"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A server of these tests alone: its own data, port and, where this is root, user."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    program = str(found[0]) if found else shutil.which("initdb")
    if program is None:
        pytest.skip("PostgreSQL IS NOT TESTED: it is not installed (Debian: apt-get install postgresql)")
    programs = Path(program).resolve().parent
    # Not in pytest's own folder: that is for its user alone, and every other run of pytest sees to it.
    folder = Path(tempfile.mkdtemp(prefix="protea-postgresql-"))
    lead: list[str] = []
    if os.getuid() == 0:  # it refuses to run as root
        for user in ("postgres", "nobody"):
            if subprocess.run(["id", user], capture_output=True, check=False).returncode == 0:
                break
        shutil.chown(folder, user)
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
        yield f"postgresql://protea@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(WITHIN)
        shutil.rmtree(folder)
