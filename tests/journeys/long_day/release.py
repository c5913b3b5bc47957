"""A job of four steps that a program gives to the durable engine, where the session keeps its tasks too.

Its process is killed by kill -9 in the midst of the third step; another goes on with that step, and does none before.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from protea.adapters.clock.system import SystemClock
from protea.adapters.ids.system import SystemIds
from protea.adapters.task_runner import durable
from protea.domain.surroundings import Surroundings
from protea.ports.task_runner import Task
from tests.journeys.driven import WITHIN
from tests.journeys.world import World

ROOT = Path(__file__).parents[3]
KIND = "release"


class Released(msgspec.Struct, frozen=True):
    task: Task
    noted: tuple[str, ...]
    """Each step that was begun, and by which process."""


def opened(home: Path, project: Path, *, stays: bool) -> durable.Durable:
    around = Surroundings(cwd="/", root="/", user_home=str(home), protea_home=str(home / ".protea"), environment={})
    clock = SystemClock()
    runner = durable.create(durable.Options(), clock=clock, ids=SystemIds(clock), surroundings=around)
    packed = project / "release.zip"

    def note(step: str) -> None:
        with (project / "release.steps").open("a") as file:
            file.write(f"{step} {os.getpid()}\n")

    async def compiled(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("compiled")
        await _ran(project, "-m", "compileall", "-q", "parts")
        return str(len([*(project / "parts").glob("part_*.py")]))

    async def checked(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("checked")
        await _ran(project, "-m", "unittest", "-q", "checks.check_001", "checks.check_002", "checks.check_003")
        return f"{input['before']} parts"

    async def packs(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("packed")
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted((project / "parts").glob("part_*.py")):
                archive.write(path, path.name)
                if stays:
                    tell("half of it is packed")
                    sys.stdout.write("in the midst\n")
                    sys.stdout.flush()
                    await asyncio.Event().wait()
        return f"{input['before']} packed"

    async def sealed(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
        note("sealed")
        return f"{input['before']}, seal {hashlib.sha256(packed.read_bytes()).hexdigest()[:12]}"

    runner.define(KIND, compiled, checked, packs, sealed)
    return runner


async def _ran(project: Path, *words: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=project, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


FIRST = """
import asyncio, sys
from pathlib import Path
from tests.journeys.long_day import release

async def main():
    runner = release.opened(Path(sys.argv[1]), Path(sys.argv[2]), stays=True)
    task = await runner.start(release.KIND, {}, title="the release of the day", again=True)
    await runner.wait(task.id)

asyncio.run(main())
"""


def released(world: World) -> Released:
    words = [sys.executable, "-c", FIRST, str(world.home), str(world.project)]
    environment = {**world.environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "in the midst\n"
        first.kill()
        first.wait(WITHIN)
    task = asyncio.run(_gone_on_with(world))
    noted = (world.project / "release.steps").read_text().splitlines()
    pids = {line.split()[1]: who for line, who in zip(noted[::-1], ("second",) * len(noted), strict=True)}
    pids[str(first.pid)] = "first"
    return Released(task, tuple(f"{line.split()[0]} by the {pids[line.split()[1]]}" for line in noted))


async def _gone_on_with(world: World) -> Task:
    runner = opened(world.home, world.project, stays=False)
    async with asyncio.timeout(WITHIN):
        (taken,) = await runner.recover()
        ended = await runner.wait(taken.id)
    await runner.aclose()
    return ended
