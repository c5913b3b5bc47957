"""`protea sandbox run`: one command behind the walls a tool call would have, its output and exit code as they are."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping

import msgspec

from protea.ports.sandbox import Exit, Launch, Process, Sandbox

TIMED_OUT, NOT_STARTED, NOT_FOUND = 124, 126, 127
"""The exit codes `timeout` and shells use."""
NOT_PASSED_ON = 2
"""As with every command whose output has nowhere to go."""
GRACE = 0.5


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, and where."""

    argv: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]
    """Of the command, not Protea's own."""
    roots: tuple[str, ...]
    network: bool
    timeout: float | None


async def run_sandbox(sandbox: Sandbox, trial: Trial, complain: Callable[[str], None]) -> int:
    """Returns the command's exit code, 128 + the signal that ended it, or one of those above."""
    try:
        return await _run(sandbox, trial, complain)
    finally:
        await sandbox.aclose()


async def _run(sandbox: Sandbox, trial: Trial, complain: Callable[[str], None]) -> int:
    launch = Launch(argv=trial.argv, cwd=trial.cwd, env=trial.environment, writable=trial.roots, network=trial.network)
    try:
        process = await sandbox.start(launch)
    except FileNotFoundError as error:
        complain(f"{error.filename or trial.argv[0]}: {error.strerror or error}")
        return NOT_FOUND
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else f"{error.strerror or error}")
        return NOT_STARTED
    stopped = _stop_on_signals(process)
    try:
        async with asyncio.timeout(trial.timeout):
            await _pass_on(process)
            ended = await process.wait()
    except TimeoutError:
        await process.end(GRACE)
        complain(f"it took longer than {trial.timeout:g} s and was ended")
        return TIMED_OUT
    except BrokenPipeError:
        await process.end(GRACE)
        return 128 + signal.SIGPIPE
    except OSError as error:
        await process.end(GRACE)
        complain(f"the command was ended: what it wrote cannot be passed on: {error.strerror or error}")
        return NOT_PASSED_ON
    finally:
        process.close()
    if stopped:
        return 128 + stopped[0]
    if ended.lost:
        complain("its supervisor was killed; how it ended is not known")
    for name in ended.left:
        complain(f"left running, and ended with the command: {name}")
    return _code(ended)


def _code(ended: Exit) -> int:
    if ended.signal is not None:
        return 128 + ended.signal
    return 1 if ended.code is None else ended.code


async def _pass_on(process: Process) -> None:
    while chunk := await process.read():
        data, fd = chunk.data, 1 if chunk.stream == "stdout" else 2
        while data:
            data = data[os.write(fd, data) :]


def _stop_on_signals(process: Process) -> list[int]:
    """From now on these signals end the command, and then us; the first is remembered in the list."""
    seen: list[int] = []
    ending: set[asyncio.Task[Exit]] = set()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        seen.append(number)
        ending.add(loop.create_task(process.end(GRACE if len(seen) == 1 else 0)))

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with contextlib.suppress(ValueError, NotImplementedError):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, stop, number)
    return seen
