"""Each task runner through the contract of its port, and what becomes of tasks whose process dies."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.clock.system import SystemClock
from protea.adapters.ids.system import SystemIds
from protea.adapters.task_runner import in_process, none
from protea.domain.surroundings import Surroundings
from protea.ports.task_runner import TaskRunner
from protea.testing.contracts.task_runner import TaskRunnerContract

WITHIN = 30


def opened(home: Path) -> in_process.InProcess:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    clock = SystemClock()
    return in_process.create(in_process.Options(), clock=clock, ids=SystemIds(clock), surroundings=around)


class TestNoTaskRunner(TaskRunnerContract):
    def task_runner(self) -> TaskRunner:
        return none.create(none.Options())

    def runs(self) -> bool:
        return False


class TestInProcess(TaskRunnerContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._path = tmp_path

    def task_runner(self) -> TaskRunner:
        return opened(self._path)


DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.adapters.task_runner.test_contract import opened

async def main():
    runner = opened(Path(sys.argv[1]))
    async def wait(input, tell):
        await asyncio.Event().wait()
    runner.define("wait", wait)
    await runner.start("wait", {"number": 1}, title="again", again=True)
    await runner.start("wait", {"number": 2}, title="lost")
    await runner.start("wait", {"number": 3}, title="ended from elsewhere")
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def other(tmp_path: Path) -> Any:
    """Another process, in which two tasks run."""
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def test_tasks_of_a_process_that_was_killed_are_begun_again_or_lost(tmp_path: Path, other: Any) -> None:
    runner = opened(tmp_path)
    seen = asyncio.Event()

    async def wait(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        seen.set()
        return f"number {input['number']}"

    runner.define("wait", wait)
    assert list(await runner.recover()) == [], "its process lives"
    async with asyncio.timeout(WITHIN):
        ended = await runner.stop(next(each.id for each in await runner.list() if each.title.startswith("ended")))
    assert ended.state == "stopped"
    other.send_signal(signal.SIGKILL)
    other.wait(WITHIN)
    became = {task.title: task for task in await runner.recover()}
    assert {title: (task.state, task.runs) for title, task in became.items()} == {
        "again": ("running", 2),
        "lost": ("lost", 1),
    }
    async with asyncio.timeout(WITHIN):
        done = await runner.wait(became["again"].id)
    assert (done.state, done.result) == ("done", "number 1")
    assert list(await runner.recover()) == []
    await runner.aclose()
    assert list((tmp_path / "tasks").glob("*.lock")) == []


async def test_progress_is_seen_while_it_runs(tmp_path: Path) -> None:
    runner = opened(tmp_path)
    told, go_on = asyncio.Event(), asyncio.Event()

    async def work(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        tell("3 of 7")
        told.set()
        await go_on.wait()
        return ""

    runner.define("work", work)
    task = await runner.start("work", {}, title="x")
    async with asyncio.timeout(WITHIN):
        await told.wait()
        assert (await runner.get(task.id)).progress == "3 of 7"
        assert (await runner.list())[0].progress == "3 of 7"
        go_on.set()
        assert (await runner.wait(task.id)).progress == "3 of 7"
    await runner.aclose()
