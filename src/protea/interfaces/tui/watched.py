"""Sees what becomes of files while any are shown: nothing wakes a screen that shows none."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from textual.timer import Timer

from protea.interfaces.tui.front import Front
from protea.interfaces.tui.panes.tree import Tree
from protea.interfaces.tui.panes.viewer import Viewer

PAUSE = 2.0
"""Seconds between two looks, at least."""


class Watched:
    """The files of the session in front. Called by the main screen."""

    def __init__(self, screen: Front, tree: Tree, viewer: Viewer, load: Callable[[], Awaitable[None]]) -> None:
        """`load` reads anew which files there are."""
        self._screen = screen
        self._tree = tree
        self._viewer = viewer
        self._load = load
        self._timer: Timer | None = None
        self._pause = PAUSE

    def watch(self) -> None:
        """Go on, or stop, as files are shown or not."""
        shown = self._tree.display or self._viewer.display
        if shown and self._timer is None:
            self._timer = self._screen.app.set_timer(self._pause, lambda: self._screen.desk.spawn(self._again()))
        elif not shown and self._timer is not None:
            self._timer.stop()
            self._timer = None

    async def _again(self) -> None:
        began = time.monotonic()
        try:
            if self._screen.app.app_focus:
                await self.look()
        finally:
            # The less often the longer a look takes.
            self._pause = max(PAUSE, 40 * (time.monotonic() - began))
            self._timer = None
            self.watch()

    async def look(self) -> None:
        """Once, at the files of the tab in front."""
        tab = self._screen.tab
        stamps = await self._screen.desk.stamps(tab.session)
        if tab is not self._screen.tab:
            return
        known = self._tree.paths
        changed = self._tree.watched(stamps)
        if stamps.keys() != known:
            await self._load()
        if self._viewer.display and (self._viewer.grows or self._viewer.path in changed):
            await self._viewer.again_from_disk()
