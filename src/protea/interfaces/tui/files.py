"""What the screen shows of the files of a session: the tree, the viewer and the changes, kept in step with them."""

from __future__ import annotations

from collections.abc import Iterable

from protea.interfaces.tui.front import Front
from protea.interfaces.tui.panes.diff import Changes
from protea.interfaces.tui.panes.tree import Tree
from protea.interfaces.tui.panes.viewer import Viewer
from protea.interfaces.tui.tab import Tab
from protea.interfaces.tui.watched import Watched


class Files:
    """The panes of files, of whichever tab is in sight."""

    def __init__(self, screen: Front) -> None:
        self._screen = screen
        self._desk = screen.desk
        self.tree = Tree(self._desk.looking, screen.open_file)
        self.viewer = Viewer(self._desk.looking, self._read)
        self.changes = Changes(self._desk.looking, screen.open_file)
        self._watched = Watched(screen, self.tree, self.viewer, self.load_names)

    def show(self, tab: Tab) -> None:
        """Those of another tab."""
        self.changes.load(tab.diffs)
        self.tree.forget()
        self.tree.changed = set(self.changes.files)
        self._desk.spawn(self.load_changes())

    def add(self, changes: Iterable[tuple[str, str]]) -> None:
        """What a call has just changed."""
        for path, diff in changes:
            self.changes.add(path, diff)
        self.tree.touch(self.changes.files)

    async def load_changes(self) -> None:
        """What the session did to files as it stands now, by tools and commands alike; kept by the undo store."""
        tab = self._screen.tab
        told = await self._desk.gateway.describe("changes", tab.session)
        files = told.get("files") if isinstance(told, dict) else None
        if files is not None and not told.get("missing") and tab is self._screen.tab:
            root = self._desk.place.open.cwd.rstrip("/") + "/"
            self.changes.load((str(each["path"]).removeprefix(root), str(each.get("diff", ""))) for each in files)
            self.tree.changed = set(self.changes.files)
            self.tree.again()

    async def load_names(self) -> None:
        """Which files there are."""
        paths = await self._desk.files(self._screen.tab.session)
        self.tree.load(paths, self._desk.offers.files)

    async def _read(self, path: str, size: int, last: bool) -> bytes:
        return await self._desk.gateway.read(self._screen.tab.session, path, size, last=last)

    def watch(self) -> None:
        """See what becomes of them, or stop, as any are shown or not."""
        self._watched.watch()

    async def look(self) -> None:
        """See once what has become of them."""
        await self._watched.look()
