"""How long the event stream stands still while profiles and ports are exchanged, beside the same stream left alone.

A turn streams four long replies from a model in this process; a follower notes the time of every event, and a ticker
how late the event loop is. In the one run nothing is exchanged, in the other a swap is submitted every 50 ms: profiles,
single ports, the session store with the whole log. The promise: no pause of 100 ms.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import statistics
import sys
import tempfile
import time

from measure import rounds

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT = 0.100
"""Seconds the stream may stand still."""
WORDS = 1200
PACE = 0.001
EVERY = 0.05

SWAPS: tuple[dict[str, object], ...] = (
    {"profile": "reviewer"},
    {"ports": {"session_store": "memory"}},
    {"profile": "ops"},
    {"ports": {"sandbox": "bubblewrap"}},
    {"ports": {"session_store": "jsonl"}},
    {"profile": "personal-assistant"},
    {"ports": {"permission": "everything-asks"}},
    {"profile": "coding"},
)


async def streamed(folder: str, *, swapping: bool) -> tuple[float, float, int]:
    """(longest pause between two events while the reply streamed, latest tick of the loop, swaps that were made)."""
    from protea.composition.launch import Launch
    from protea.composition.root import Given, build
    from protea.domain.commands import SubmitPrompt, Swap
    from protea.domain.errors import UsageError
    from protea.domain.events import ProfileSwapped, TextDelta, TurnFinished
    from protea.domain.messages import Text
    from protea.domain.reply import Reply, TextPiece
    from protea.domain.usage import ModelInfo, Usage
    from protea.ports.gateway import OpenSession

    class Talker:
        """Streams words at an even pace, in several replies so that swaps find points to take hold at."""

        info = ModelInfo(id="bench/talker")

        async def stream(self, request):  # type: ignore[no-untyped-def]  # a port's signature, in a script
            for n in range(WORDS // 4):
                yield TextPiece(f"word {n} ")
                await asyncio.sleep(PACE)
            yield Reply(content=(Text(text="word"),), stop="pause", usage=Usage(), model=self.info.id)

        async def warm(self) -> None:
            """There is nobody to call."""

        async def aclose(self) -> None:
            """Nothing is open."""

    home = os.path.join(folder, "home")
    environment = {"HOME": home, "PATH": os.environ["PATH"]}
    launch = Launch(cwd=folder, environment=environment, warn=lambda text: None)
    gateway = build(launch, Given(model=Talker()))
    session = await gateway.open(OpenSession(cwd=folder, max_turns=4))
    for _ in range(3):  # a log worth carrying, and modules that a conversation has loaded anyway
        await gateway.submit(session, SubmitPrompt(text="x" * 20_000))
        await _turn(gateway, session)
    times: list[float] = []
    late, made = 0.0, 0
    done = asyncio.Event()
    last = (await gateway.history(session, limit=-1))[-1].seq or 0

    async def follow() -> None:
        nonlocal made
        async for event in gateway.events(session, last):
            if isinstance(event, TextDelta):
                times.append(time.perf_counter())
            made += isinstance(event, ProfileSwapped)
            if isinstance(event, TurnFinished):
                done.set()
                return

    async def tick() -> None:
        nonlocal late
        while not done.is_set():
            begin = time.perf_counter()
            await asyncio.sleep(0.002)
            late = max(late, time.perf_counter() - begin - 0.002)

    following, ticking = asyncio.create_task(follow()), asyncio.create_task(tick())
    await gateway.submit(session, SubmitPrompt(text="talk"))
    number = 0
    while swapping and not done.is_set():
        await asyncio.sleep(EVERY)
        with contextlib.suppress(UsageError):  # it is that already, or cannot be had on this machine
            await gateway.submit(session, Swap(**SWAPS[number % len(SWAPS)]))  # type: ignore[arg-type]
        number += 1
    await asyncio.gather(following, ticking)
    await gateway.close()
    return max(b - a for a, b in itertools.pairwise(times)), late, made


async def _turn(gateway, session) -> None:  # type: ignore[no-untyped-def]  # a script
    from protea.domain.events import TurnFinished

    last = (await gateway.history(session, limit=-1))[-1].seq or 0
    async for event in gateway.events(session, max(0, last - 1)):
        if isinstance(event, TurnFinished) and (event.seq or 0) > last - 1:
            return


def main() -> None:
    sys.path.insert(0, os.path.join(ROOT, "src"))
    alone: list[float] = []
    swapped: list[float] = []
    ticks: list[float] = []
    made = 0
    for _ in range(rounds(5)):
        for swapping in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                pause, late, count = asyncio.run(streamed(folder, swapping=swapping))
            (swapped if swapping else alone).append(pause)
            if swapping:
                ticks.append(late)
                made += count
    print(f"swap  (Python {sys.version.split()[0]}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f})")
    for what, seconds in (
        ("longest pause of a stream left alone, median", statistics.median(alone)),
        (f"the same while {made} swaps were made, median", statistics.median(swapped)),
        ("the longest of all of them", max(swapped)),
        ("how late the event loop was at most", max(ticks)),
    ):
        print(f"  {what:<48} {1000 * seconds:7.1f} ms")
    ok = statistics.median(swapped) <= LIMIT and made > 0
    print(f"  {'no pause of the stream reaches':<48} {1000 * LIMIT:7.1f} ms  {'ok' if ok else 'NOT SO'}")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
