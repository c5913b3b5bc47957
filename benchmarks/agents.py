"""Two hundred agents at once: how many turns a second all of them make, and what each weighs in memory.

One session sends them in one reply; each has a session, a log and a connection of its own, reads three files of a
project and answers. The loopback provider is a process of its own, on the same processors.

    python benchmarks/agents.py [--agents N] [--check]
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from measure import Report
from project import make_home, make_project
from provider import READS, Provider

from protea.composition.launch import Launch
from protea.composition.root import build
from protea.domain.commands import SubmitPrompt
from protea.domain.events import TaskChanged, ToolCallChanged, TurnFinished
from protea.ports.gateway import OpenSession


async def measure(environment: dict[str, str], project: str, count: int) -> tuple[float, float, float]:
    """Seconds, processor seconds of this process, and MB per agent."""
    launch = Launch(
        cwd=project,
        environment=environment,
        warn=lambda line: print(line, file=sys.stderr),
        model="bench-openai-chat/one",
        allow=("Agent",),
        set=(f"agents.at_once={count}",),
        interactive=False,
    )
    gateway = build(launch)

    async def send(number: int) -> tuple[int, int]:
        """How many ended well, and how many replies there were in all."""
        session, fine = await gateway.open(OpenSession(cwd=project, interactive=False)), 0
        await gateway.submit(session, SubmitPrompt(text=f"send {number}"))
        async for event in gateway.events(session):
            match event:
                case TaskChanged(state="done"):
                    fine += 1
                case ToolCallChanged(result=result) if result is not None and result.is_error:
                    sys.exit(result.text)
                case TurnFinished():
                    assert event.outcome == "finished", event
                    return fine, number * (READS + 1) + event.turns
                case _:
                    pass
        raise AssertionError

    await send(1)  # what is imported for the first is no agent's weight
    before = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.perf_counter()
    fine, replies = await send(count)
    seconds = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert fine == count, f"{fine} of {count} ended well"
    await gateway.close()
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return replies / seconds, replies / processor, (after.ru_maxrss - before.ru_maxrss) / unit / count


def main() -> None:
    count = int(sys.argv[sys.argv.index("--agents") + 1]) if "--agents" in sys.argv else 200
    report = Report(f"{count} agents at once")
    with tempfile.TemporaryDirectory() as folder, Provider("crowd") as provider:
        environment = make_home(Path(folder, "home"), {"openai-chat": provider.address("openai-chat")})
        project = make_project(Path(folder, "project"))
        os.environ.pop("PROTEA_HOME", None)
        turns, own, weight = asyncio.run(measure(environment, str(project), count))
    report.figure("time per turn, all together", 1000 / turns, 1000 / 150, "ms", f"{turns:.0f} turns a second")
    report.figure("own processor time per turn", 1000 / own, None, "ms")
    report.figure("memory each", weight, 2, "MB")
    report.exit()


if __name__ == "__main__":
    main()
