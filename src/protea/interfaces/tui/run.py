"""Opens the full screen: gateway, session, application, in that order. Called by `cli`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.domain.commands import SubmitPrompt
from protea.domain.errors import ProteaError, SessionError
from protea.domain.events import HookRan
from protea.domain.settings import ScreenSettings
from protea.interfaces.terminal import one_line
from protea.interfaces.tui.app import ProteaApp
from protea.interfaces.tui.desk import Desk, Place
from protea.interfaces.tui.driver import FirstFrame
from protea.interfaces.tui.opening import end_session, open_tab
from protea.interfaces.tui.tab import Tab
from protea.ports.gateway import Gateway


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How the screen begins."""

    place: Place
    prompt: str | None = None
    latest: bool = False
    """Go on with the latest session of this directory."""
    choose: bool = False
    """Begin with the list of sessions."""
    preferences: ScreenSettings = ScreenSettings()
    keep: Callable[[str, Any], None] = lambda name, value: None
    """Writes a setting of `[tui]`."""
    warnings: Callable[[], list[str]] = list
    """What a person should be told, one line each; each once."""


def run(create: Callable[[], Awaitable[Gateway]], opening: Opening, frame: FirstFrame | None = None) -> int:
    """The screen until it is left. Returns the exit code; raises what `create` and `Gateway.open` raise."""
    return asyncio.run(_run(create, opening, frame))


async def _run(create: Callable[[], Awaitable[Gateway]], opening: Opening, frame: FirstFrame | None) -> int:
    gateway = await create()
    words: list[asyncio.Task[list[str]]] = []
    try:
        desk = Desk(gateway, opening.place, opening.preferences)
        desk.keep = opening.keep
        desk.warnings = opening.warnings
        tab = await _first_tab(desk, opening)
        app = ProteaApp(desk, tab, frame, choose=opening.choose)
        if opening.prompt:
            tab.submit(SubmitPrompt(text=opening.prompt))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):  # the terminal is given back, the session's log closed
            loop.add_signal_handler(number, app.exit)
        await app.run_async(mouse=opening.preferences.mouse)
        if forgotten := desk.forgotten_pictures():
            os.write(1, forgotten.encode())
        said = [(each.session, each.state.title) for each in app.main.tabs if each.state.prompts]
        for each in app.main.tabs:
            words.append(asyncio.create_task(_last_words(gateway, each.session, each.state.seq)))
            with suppress(ProteaError):  # one that cannot be ended is ended with the process
                await end_session(desk, each.session, "left", only_unused=True)
        if app.fault is not None:
            raise app.fault
        with suppress(OSError):  # the terminal may be what ended it
            os.write(1, "".join(f"{line}\n" for line in ways_back(said)).encode(errors="replace"))
        return 0
    finally:
        await gateway.close()
        await _say_last(words)


async def _last_words(gateway: Gateway, session: str, after: int) -> list[str]:
    """What failed when a session ended: there is no screen any more to show it on."""
    failed = []
    with suppress(ProteaError):
        async for event in gateway.events(session, after):
            if isinstance(event, HookRan) and event.failed:
                failed.append(event.failed)
    return failed


async def _say_last(words: list[asyncio.Task[list[str]]]) -> None:
    done = (await asyncio.wait(words, timeout=0.25))[0] if words else set()
    for each in words:
        each.cancel()
        for line in each.result() if each in done else ():
            with suppress(OSError):
                os.write(2, f"protea: {one_line(line, 400)}\n".encode("utf-8", "replace"))


def ways_back(said: Sequence[tuple[str, str]]) -> list[str]:
    """What is left on the terminal: how to go on with what was said, (session, title) each."""
    several = len(said) > 1
    return [f"To go on: protea -r {id}" + (f"  {one_line(title, 40)}" if several else "") for id, title in said]


async def _first_tab(desk: Desk, opening: Opening) -> Tab:
    spec = opening.place.open
    if opening.latest:
        found = await desk.gateway.sessions(spec.cwd)
        if not found:
            raise SessionError(f"there is no session of {spec.cwd} to go on with; leave -c or -r out to begin one")
        spec = replace(spec, resume=found[0].id)
    return await open_tab(desk, spec)
