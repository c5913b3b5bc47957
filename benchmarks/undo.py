"""What undo adds to a turn in a tree of 50,000 files and 2 GB: walks, copies, the turn's end, taking it back.

Processor time beside a plain walk by `os.scandir` with `lstat` in the same run; seconds besides. `--files N`,
`--megabytes N`.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from measure import Report

from protea.adapters.checkpoint import snapshots
from protea.domain.changes import Changes
from protea.domain.surroundings import Surroundings
from protea.ports.checkpoint import Checkpoint


def option(name: str, default: int) -> int:
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def make_tree(root: Path, files: int, size: int) -> None:
    """Sizes as in a project: most are small, some are large."""
    chance = random.Random(1)
    weights = [chance.lognormvariate(8.8, 1.6) for _ in range(files)]
    scale = size / sum(weights)
    block = os.urandom(1 << 20)
    for number, weight in enumerate(weights):
        folder = root / f"d{number % 250}/e{number // 250 % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        left = int(weight * scale)
        with open(folder / f"f{number}", "wb") as file:
            while left > 0:
                left -= file.write(block[: min(left, len(block))])


def plain_walk(root: str) -> int:
    count, folders = 0, [root]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                entry.stat(follow_symlinks=False)
                count += 1
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    return count


class Clock:
    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    async def time(self, work: Callable[[], Awaitable[object]]) -> object:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return await work()
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu


async def turn(checkpoint: Checkpoint, name: str, script: str, root: str) -> tuple[Clock, int, int]:
    """(time of what undo adds, files changed, files that cannot be undone)"""
    clock = Clock()
    checkpoint.begin("bench", name)
    await clock.time(lambda: checkpoint.before_command([script], root))
    subprocess.run(["bash", "-c", script], cwd=root, check=True)  # noqa: ASYNC221  # nothing else is to run meanwhile
    await clock.time(checkpoint.after_command)
    changes = await clock.time(checkpoint.finish)
    if not isinstance(changes, Changes):
        return clock, 0, 0
    return clock, len(changes.files), len(changes.uncovered)


async def measure(report: Report, around: Surroundings) -> None:
    root = around.root
    walks = []
    for _ in range(5):
        cpu = time.process_time()
        count = plain_walk(root)
        walks.append(time.process_time() - cpu)
    walk = sorted(walks)[2]
    report.figure(f"a plain walk through {count:,} entries", walk, None, "s")
    checkpoint = snapshots.create(snapshots.Options(), surroundings=around)
    script = "echo x >> d1/e0/f1; mkdir -p out; for n in 1 2 3; do echo $n > out/$n; done"
    clock, files, lost = await turn(checkpoint, "t1", script, root)
    report.figure("the first turn with a command", clock.wall, None, "s", f"{files} files changed, {lost} not covered")
    begin = time.perf_counter()
    await checkpoint.aclose()
    checkpoint = snapshots.create(snapshots.Options(wait=600), surroundings=around)
    await turn(checkpoint, "t2", "true", root)
    report.figure("copies of all files, beside commands", time.perf_counter() - begin, None, "s")
    clocks = []
    for number in range(5):
        script = f"for n in $(seq 100); do echo {number} >> d$n/e0/f$n; done"
        clock, files, lost = await turn(checkpoint, f"u{number}", script, root)
        clocks.append(clock)
    middle = sorted(clocks, key=lambda each: each.cpu)[2]
    report.figure("each later turn", middle.wall, 1.0, "s", f"{files} files changed, {lost} not covered")
    report.figure("its processor time / two plain walks", middle.cpu / walk / 2, 3.0, "x")
    clock = Clock()
    names = [f"bench/u{number}" for number in reversed(range(5))]
    await clock.time(lambda: checkpoint.restore(names, "undo"))
    report.figure("undo of five turns, 100 files", clock.wall, 1.0, "s")
    await checkpoint.aclose()
    quiet = snapshots.create(snapshots.Options(), surroundings=around)
    clock = Clock()

    async def nothing() -> None:
        quiet.begin("bench", "quiet")
        await quiet.finish()

    await clock.time(nothing)
    report.figure("a turn that only reads", clock.wall * 1e3, 1.0, "ms")
    await quiet.aclose()


def main() -> None:
    report = Report("undo")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(os.path.realpath(folder), "project")
        make_tree(root, option("--files", 50_000), option("--megabytes", 2048) << 20)
        home = os.path.realpath(folder) + "/home"
        os.mkdir(home)
        place = str(root)
        around = Surroundings(cwd=place, root=place, user_home=home, protea_home=f"{home}/.protea", environment={})
        asyncio.run(measure(report, around))
    report.exit()


if __name__ == "__main__":
    main()
