"""Two hundred agents at once: how many turns a second all of them make, and what each weighs in memory.

One session sends them in one reply; each has a session, a log and a connection of its own. Once each answers at once,
once each reads three files of a project before it answers. The loopback provider is a process of its own, on the same
processors.

`turns` of a result and of `turn_finished` are replies of the model. A reader may well take a turn for all of it, from
the prompt to the answer. So both are held to 150 a second: replies of agents that read, and whole turns of agents that
answer at once. Whole turns of those that read are four replies each; they are told beside them and have no limit.

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
from typing import NamedTuple

from measure import Report
from project import make_home, make_project
from provider import READS, Provider

from protea.composition.launch import Launch
from protea.composition.root import build
from protea.domain.commands import SubmitPrompt
from protea.domain.events import TaskChanged, ToolCallChanged, TurnFinished
from protea.ports.gateway import OpenSession


class Measured(NamedTuple):
    seconds: float
    processor: float
    """Seconds of this process alone."""
    replies: int
    """Of all of them, the sender's too."""
    weight: float
    """MB of each."""


async def measure(environment: dict[str, str], project: str, count: int, reads: int) -> Measured:
    """So many agents of so many calls."""
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
        await gateway.submit(session, SubmitPrompt(text=f"send {number} that look at {reads} files"))
        async for event in gateway.events(session):
            match event:
                case TaskChanged(state="done"):
                    fine += 1
                case ToolCallChanged(result=result) if result is not None and result.is_error:
                    sys.exit(result.text)
                case TurnFinished():
                    assert event.outcome == "finished", event
                    return fine, number * (reads + 1) + event.turns
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
    return Measured(seconds, processor, replies, (after.ru_maxrss - before.ru_maxrss) / unit / count)


def main() -> None:
    count = int(sys.argv[sys.argv.index("--agents") + 1]) if "--agents" in sys.argv else 200
    report = Report(f"{count} agents at once")
    with tempfile.TemporaryDirectory() as folder, Provider("crowd") as provider:
        environment = make_home(Path(folder, "home"), {"openai-chat": provider.address("openai-chat")})
        project = make_project(Path(folder, "project"))
        os.environ.pop("PROTEA_HOME", None)
        working, answering = (asyncio.run(measure(environment, str(project), count, reads)) for reads in (READS, 0))
    told = f"{working.replies / working.seconds:.0f} replies a second"
    report.figure("time per reply, all together", 1e3 * working.seconds / working.replies, 1000 / 150, "ms", told)
    report.figure("own processor time per reply", 1e3 * working.processor / working.replies, None, "ms")
    for what, each, limit in (
        ("an answer alone", answering, 1000 / 150),
        (f"{READS} reads and an answer", working, None),
    ):
        own = f"own processor time {1e3 * each.processor / count:.2f} ms"
        told = f"{count / each.seconds:.0f} agents' whole turns a second; {own}"
        report.figure(f"whole turn: {what}", 1e3 * each.seconds / count, limit, "ms", told)
    report.figure("memory each", max(working.weight, answering.weight), 2, "MB")
    report.exit()


if __name__ == "__main__":
    main()
