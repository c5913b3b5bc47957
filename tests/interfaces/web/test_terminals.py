"""Screens behind pages, without a server: what is kept, what is ended, what waits."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from protea.interfaces.web import terminals
from protea.interfaces.web.terminals import MOST_TYPED, Ended, Size, Terminal, Terminals, Viewer

SIZE = Size(80, 24)
PATIENCE = 30.0


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


@asynccontextmanager
async def opened(**options: float) -> AsyncIterator[Terminals]:
    held = Terminals({"PATH": "/usr/bin:/bin"}, **options)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCHLD, held.reap)
    hurry = asyncio.Event()
    hurry.set()
    try:
        yield held
    finally:
        await held.close(hurry)
        loop.remove_signal_handler(signal.SIGCHLD)


def begun(held: Terminals, code: str, size: Size = SIZE) -> tuple[Terminal, Viewer]:
    """A screen that runs a program, and somebody who looks at it."""
    screen = held.start("one", python(code), size)
    assert screen is not None
    return screen, screen.attach(size)


async def shown(viewer: Viewer, wanted: bytes) -> bytes:
    """What is drawn until `wanted` has come."""
    held = b""
    async with asyncio.timeout(PATIENCE):
        while wanted not in held:
            data = await viewer.take()
            assert isinstance(data, bytes), held
            held += data
    return held


async def end(viewer: Viewer) -> Ended:
    async with asyncio.timeout(PATIENCE):
        while not isinstance(data := await viewer.take(), Ended):
            pass
    return data


async def test_a_program_has_the_terminal_for_its_own() -> None:
    code = "import os; print(os.getsid(0) == os.getpid(), os.isatty(2), os.open('/dev/tty', 2) > 2)\n"
    code += "print(os.get_terminal_size())"
    async with opened() as held:
        _, viewer = begun(held, code, Size(70, 20))
        said = await shown(viewer, b")")
        assert b"True True True" in said
        assert b"columns=70, lines=20" in said
        assert await end(viewer) == Ended("over", 0)


async def test_its_exit_code_and_its_last_words_are_told() -> None:
    async with opened() as held:
        screen, viewer = begun(held, "print('x' * 60_000); raise SystemExit(3)")
        assert (await shown(viewer, b"x" * 100)).count(b"x") > 0
        assert await end(viewer) == Ended("over", 3)
        await screen.gone.wait()
        assert held.find("one") is None


async def test_what_is_typed_faster_than_it_is_read_waits_its_turn() -> None:
    code = (
        "import sys, termios, tty; tty.setraw(0); print('go', flush=True)\n"
        "got = sys.stdin.buffer.read(300_000); print(hash(got) == hash(b'0123456789' * 30_000), flush=True)"
    )
    async with opened() as held:
        screen, viewer = begun(held, code)
        await shown(viewer, b"go")
        screen.type(b"0123456789" * 30_000)
        await shown(viewer, b"True")


async def test_who_types_for_one_that_does_not_read_is_told_to_wait_until_it_does() -> None:
    code = (
        "import signal, sys, tty; tty.setraw(0); asked = [signal.SIGUSR1]; signal.pthread_sigmask(0, asked)\n"
        "print('go', flush=True); signal.sigwait(asked)\n"
        "print(len(sys.stdin.buffer.read(3_000_000)), flush=True)"
    )
    async with opened() as held:
        screen, viewer = begun(held, code)
        await shown(viewer, b"go")
        for _ in range(3):
            screen.type(b"x" * 1_000_000)
        waits = asyncio.ensure_future(screen.has_read())
        for _ in range(200):
            await asyncio.sleep(0)
        assert not waits.done()
        assert screen.unread > MOST_TYPED
        os.kill(screen.pid, signal.SIGUSR1)
        async with asyncio.timeout(PATIENCE):
            await waits
        assert screen.unread <= MOST_TYPED
        await shown(viewer, b"3000000")


async def test_one_that_draws_faster_than_its_page_takes_it_waits_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terminals, "MOST_PENDING", 100_000)
    code = "import sys\nfor n in range(40_000): sys.stdout.write(f'{n:06d}.')\nprint('end')"
    async with opened() as held:
        _, viewer = begun(held, code)
        for _ in range(int(PATIENCE * 1000)):
            if viewer.behind > 100_000:
                break
            await asyncio.sleep(0.001)
        for _ in range(200):
            await asyncio.sleep(0)
        assert 100_000 < viewer.behind < 200_000  # and it is not read any further
        said = await shown(viewer, b"end")
        assert [int(each) for each in said.split(b".")[:-1]] == list(range(40_000))


async def test_one_that_nobody_looks_at_and_that_draws_nothing_is_ended() -> None:
    async with opened(away=0.0) as held:
        looked_at = held.start("one", python("print('here', flush=True); input()"), SIZE)
        left = held.start("two", python("print('here', flush=True); input()"), SIZE)
        assert looked_at is not None
        assert left is not None
        viewer = looked_at.attach(SIZE)
        await shown(viewer, b"here")
        other = left.attach(SIZE)
        await shown(other, b"here")
        left.detach(other)
        held.end_idle()
        async with asyncio.timeout(PATIENCE):
            await left.gone.wait()
        assert held.find("two") is None
        assert held.find("one") is looked_at


async def test_there_are_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "MOST", 2)
    async with opened() as held:
        assert held.start("one", python("input()"), SIZE) is not None
        assert held.start("two", python("input()"), SIZE) is not None
        assert held.start("three", python("input()"), SIZE) is None


async def test_one_that_does_not_end_by_itself_is_ended() -> None:
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); print('deaf', flush=True); input()"
    async with opened() as held:
        screen, viewer = begun(held, code)
        await shown(viewer, b"deaf")
    assert screen.code == -signal.SIGKILL


async def test_sizes_that_no_terminal_has_are_made_to_fit() -> None:
    code = "import os, sys\nfor line in sys.stdin: print(os.get_terminal_size(), flush=True)"
    async with opened() as held:
        screen, viewer = begun(held, code, Size(10**9, -5))
        screen.type(b"\n")
        await shown(viewer, b"columns=2000, lines=1)")
