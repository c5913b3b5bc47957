"""`python -m protea.testing.loopback --script FILE.json`: the loopback provider as a process of its own.

The first line it prints is `PORT=n`; it serves until it is ended. For benchmarks and for tests in other languages.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from protea.testing.loopback.provider import LoopbackProvider
from protea.testing.loopback.script import Steps, read
from protea.testing.loopback.wires.table import WIRES


async def serve(steps: Steps, given: argparse.Namespace) -> None:
    provider = LoopbackProvider(
        steps.steps, after=given.after or steps.after, strict=given.strict, models=tuple(given.model), port=given.port
    )
    for wire in given.wire:
        for model in given.model:
            provider.prepare(wire, model)
    over = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, over.set)
    async with provider:
        sys.stdout.write(f"PORT={provider.port}\n")
        sys.stdout.flush()
        await over.wait()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m protea.testing.loopback", description=(__doc__ or "").split(":")[1]
    )
    parser.add_argument(
        "--script", required=True, metavar="FILE.json", help="replies and faults; - reads them from stdin"
    )
    parser.add_argument("--wire", action="append", default=[], choices=list(WIRES), help="make its answers beforehand")
    parser.add_argument("--model", action="append", default=[], help="the models there are; any, where left out")
    parser.add_argument("--after", choices=("repeat", "cycle", "fail"), help="what follows the last reply")
    parser.add_argument("--strict", action="store_true", help="refuse what the real API refuses")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    try:
        data = sys.stdin.buffer.read() if given.script == "-" else Path(given.script).read_bytes()
        steps = read(data)
    except (OSError, msgspec.MsgspecError, ValueError) as exc:
        parser.error(f"{given.script}: {exc}")
    asyncio.run(serve(steps, given))
    return 0


if __name__ == "__main__":
    sys.exit(main())
