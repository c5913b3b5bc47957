"""What all tabs of one screen share: the gateway, the keys, the colours, where files lie, and how something is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec

from protea.domain.errors import ProteaError
from protea.interfaces.tui.composer.history import History
from protea.interfaces.tui.keys import Keys, keymap
from protea.interfaces.tui.themes import THEMES, Look
from protea.ports.gateway import Gateway, OpenSession


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """How a person wants the screen: `[tui]` of config.toml."""

    theme: str = "terminal"
    keymap: str = "default"
    mouse: bool = True
    motion: bool = True
    """Whether anything moves by itself."""
    screen_reader: bool = False
    """Plain words instead of drawings, nothing that moves, the newest text last."""
    notify: str = "auto"
    """`auto`, `bell`, `osc9`, `osc99`, `osc777` or `none`."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the screen runs."""

    home: str
    """Protea's own folder."""
    environment: Mapping[str, str]
    open: OpenSession
    """How a session begins here."""


class Desk:
    """Shared by every widget of a screen."""

    def __init__(self, gateway: Gateway, place: Place, preferences: Preferences) -> None:
        self.gateway = gateway
        self.place = place
        self.preferences = preferences
        self.look = Look(
            THEMES.get(preferences.theme, THEMES["terminal"]), colour=not place.environment.get("NO_COLOR")
        )
        self.keys = Keys(keymap(preferences.keymap).table)
        self.history = History(f"{place.home}/history")
        self.hint: Callable[[str], None] = lambda text: None
        """Shows one line for a moment."""
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something that waits; what goes wrong is told in one line."""
        task = asyncio.ensure_future(self._guarded(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except ProteaError as error:
            self.hint(str(error))

    async def settle(self) -> None:
        """Wait for what was spawned."""
        while self._running:
            await asyncio.wait(self._running)
