"""Whether a session stays as quick as it was: turn 200 beside turn 20, and opening one of 100,000 events."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import Report, run
from project import PROTEA, make_home, make_project
from provider import Provider

TURNS, EVENTS = 205, 100_000
OPEN = """
import asyncio, os, sys
from protea.composition.launch import Launch
from protea.composition.root import create_gateway
from protea.ports.gateway import OpenSession

async def main():
    gateway = await create_gateway(Launch(cwd=os.getcwd(), environment=os.environ, warn=print, model="offline/grammar"))
    page = await gateway.history(sys.argv[1], limit=-200)
    print(len(page), page[-1].seq)
    if "--open" in sys.argv:
        await gateway.open(OpenSession(cwd=os.getcwd(), resume=sys.argv[1]))
    await gateway.close()

asyncio.run(main())
"""


def resident(pid: int) -> float | None:
    """MB now; None where the system does not say."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def worked(pid: int) -> float | None:
    """Seconds of processor time of all its threads until now, to the nanosecond; None where the system does not say."""
    try:
        return (
            sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9
        )
    except OSError:
        return None


def turns(report: Report, folder: Path) -> None:
    with Provider("session") as provider:
        project = make_project(folder / "project")
        environment = make_home(folder / "home", {"openai-chat": provider.address("openai-chat")})
        formats = ["--input-format", "stream-json", "--output-format", "stream-json"]
        process = subprocess.Popen(
            [*PROTEA, "-p", *formats, "-m", "bench-openai-chat/one"],
            cwd=project, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        took: list[float] = []
        own: list[float] = []
        memory: list[float] = []
        said = 0
        for number in range(TURNS):
            prompt = json.dumps({"type": "submit_prompt", "text": f"Question {number}?"}).encode() + b"\n"
            begin, before = time.perf_counter(), worked(process.pid)
            process.stdin.write(prompt)
            process.stdin.flush()
            while b'"type":"turn_finished"' not in (line := process.stdout.readline()):
                if not line:
                    sys.exit("the session ended early")
                said += len(line)
            took.append(time.perf_counter() - begin)
            after = worked(process.pid)
            own.append(took[-1] if after is None or before is None else after - before)
            memory.append(resident(process.pid) or 0.0)
        process.stdin.close()
        process.stdout.read()
        process.wait(60)
        early, late = (statistics.median(own[at - 10 : at + 10]) for at in (20, 195))
        slow, quick = (statistics.median(took[at - 10 : at + 10]) * 1e3 for at in (195, 20))
        # Its own work, not the provider's, which reads the whole conversation every time.
        note = f"{late * 1e3:.1f} ms beside {early * 1e3:.1f} ms; with the provider {slow:.1f} beside {quick:.1f} ms"
        report.figure("turn 200 / turn 20", late / early, 1.2, "x", note)
        grown, spoken = memory[-1] - memory[20], said / 1e6 * (TURNS - 20) / TURNS
        report.figure("memory grown from turn 20 to 200", grown, None, "MB", f"events of {spoken:.1f} MB were written")


def long_log(folder: Path) -> str:
    """A session of many turns with a call each, written by the store itself."""
    from protea.adapters.storage.jsonl import JsonlStore
    from protea.domain.events import (
        LastingEvent,
        MessageCompleted,
        PromptSubmitted,
        SessionStarted,
        ToolCallChanged,
        TurnFinished,
        TurnStarted,
    )
    from protea.domain.messages import Text, ToolCall
    from protea.domain.tools import ToolResult
    from protea.domain.usage import Usage

    session = "20250101-000000-long"
    log = JsonlStore(str(folder)).create(session)
    common: dict[str, Any] = {"session": session, "at": "2025-01-01T00:00:00.000Z", "identity": "coding"}
    events: list[LastingEvent] = [
        SessionStarted(seq=1, version="0.1.0", cwd="/", profile="coding", model="offline/grammar", **common)
    ]
    turn = 0
    while len(events) < EVENTS:
        turn += 1
        seq, id = len(events), f"t_{turn}"
        call = ToolCall(id=f"c{turn}", name="Read", arguments={"path": f"src/module_{turn % 10}.py"})
        result = ToolResult(text="def function(value: int) -> int:\n    return value\n" * 6)
        asked = MessageCompleted(model="a/b", content=(call,), stop="tool_calls", usage=Usage(input=900), seen=seq + 2)
        told = MessageCompleted(model="a/b", content=(Text(text="It is so. " * 20),), stop="end_turn", usage=Usage())
        steps: list[LastingEvent] = [
            PromptSubmitted(id=f"p_{turn}", text=f"Question {turn}?"),
            TurnStarted(id=id, prompt=f"p_{turn}", model="a/b"),
            asked,
            *(ToolCallChanged(call=call, state=state) for state in ("validating", "scheduled", "executing")),
            ToolCallChanged(call=call, state="success", result=result),
            told,
            TurnFinished(id=id, outcome="finished", turns=2),
        ]
        from msgspec.structs import replace

        events += [replace(step, seq=seq + n, **common) for n, step in enumerate(steps, 1)]
    for start in range(0, len(events), 5000):
        log.append(events[start : start + 5000], durable=False)
    log.close()
    return session


def opening(report: Report, folder: Path) -> None:
    environment = make_home(folder / "home", {})
    session = long_log(folder / "home/sessions")
    size = (folder / "home/sessions" / session / "events.jsonl").stat().st_size / 1e6
    for name, flags, limit in (("first page", [], 0.5), ("first page, and ready to go on", ["--open"], None)):
        command = [sys.executable, "-c", OPEN, session, *flags]
        samples = [run(command, cwd=str(folder), environment=environment) for _ in range(6)][1:]
        assert samples[0].out.split() == [b"200", str(EVENTS).encode()], samples[0].out
        wall = statistics.median(sample.wall for sample in samples)
        report.figure(f"{EVENTS} events, {name}", wall, limit, "s", f"from the start of Python; a log of {size:.0f} MB")
        report.figure("  memory at its highest", max(sample.peak for sample in samples), 150, "MB")


def main() -> None:
    report = Report("long session")
    with tempfile.TemporaryDirectory() as folder:
        turns(report, Path(folder, "a"))
        opening(report, Path(folder, "b"))
    report.exit()


if __name__ == "__main__":
    main()
