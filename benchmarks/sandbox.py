"""What bubblewrap adds to a command: `/bin/true` through the sandbox port with and without walls, in turns."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Pair, Report, Sample, median, rounds
from project import make_project

from protea.adapters.sandbox import bubblewrap, none
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Launch, Sandbox

TRUE = "/bin/true"


async def once(sandbox: Sandbox, cwd: str) -> Sample:
    begin = time.perf_counter()
    process = await sandbox.start(Launch(argv=(TRUE,), cwd=cwd, env={}, merge=True, writable=(cwd,)))
    while await process.read():
        pass
    ended = await process.wait()
    process.close()
    if ended.code != 0:
        sys.exit(f"{TRUE} ended with {ended}")
    return Sample(time.perf_counter() - begin, 0.0, 0.0, b"")


def surroundings(folder: Path) -> Surroundings:
    project = make_project(folder / "home/project")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    cwd = os.path.realpath(project)
    return Surroundings(
        cwd=cwd,
        root=cwd,
        user_home=os.path.dirname(cwd),
        protea_home=os.path.dirname(cwd) + "/.protea",
        environment={"PATH": os.environ["PATH"]},
    )


def alone() -> Sample:
    words = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc"]
    begin = time.perf_counter()
    subprocess.run([*words, "--dev", "/dev", TRUE], check=True)
    return Sample(time.perf_counter() - begin, 0.0, 0.0, b"")


async def compare(report: Report, around: Surroundings, count: int) -> None:
    cwd = around.cwd
    walls, open_field = bubblewrap.create(bubblewrap.Options(), surroundings=around), none.create(none.Options())
    try:
        begin = time.perf_counter()
        await once(walls, cwd)
        report.figure("the first command: a try, and a look around", (time.perf_counter() - begin) * 1e3, None, "ms")
        await once(open_field, cwd)
        pair, least = Pair([], []), []
        for _ in range(count):
            pair.ours.append(await once(walls, cwd))
            pair.beside.append(await once(open_field, cwd))
            least.append(await asyncio.to_thread(alone))
        added = (median(pair.ours) - median(pair.beside)) * 1e3
        note = f"{median(pair.ours) * 1e3:.1f} ms beside {median(pair.beside) * 1e3:.1f} ms"
        report.figure("bubblewrap adds to a command", added, 15.0, "ms", note)
        report.figure("bwrap with three namespaces and no policy", median(least) * 1e3, None, "ms")
    finally:
        await walls.aclose()
        await open_field.aclose()


def main() -> None:
    report = Report("sandbox")
    with tempfile.TemporaryDirectory() as folder:
        around = surroundings(Path(folder))
        why = bubblewrap.obstacle(around)
        if why is not None:
            sys.exit(f"bubblewrap cannot be measured here: {why}")
        asyncio.run(compare(report, around, rounds(60)))
    report.exit()


if __name__ == "__main__":
    main()
