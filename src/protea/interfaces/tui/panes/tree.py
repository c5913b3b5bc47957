"""The files of the project as a tree, those that were changed marked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from protea.interfaces.terminal import one_line
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.fuzzy import Finder
from protea.interfaces.tui.panes.pane import Entry, Pane
from protea.interfaces.tui.themes import Look

MOST = 5000
"""Rows that are made of a folder that is open."""
AT_ONCE = 2000
"""Files that are sorted while a key waits."""


class Tree(Pane):
    """Folders first; `open_file` is told of a file that was taken."""

    name_of = "tree"
    heading = "files"
    side = "left"

    def __init__(self, look: Callable[[], Look], open_file: Callable[[str], None]) -> None:
        super().__init__(look)
        self._open_file = open_file
        self._folders: dict[str, tuple[list[str], list[str]]] = {}
        """Folder (with a slash at the end, "" for the top) → (folders in it, files in it)."""
        self._unsorted: Sequence[str] | None = None
        """Files that are not in `_folders` yet: nobody has looked at the tree since they came."""
        self._unfolded: set[str] = {""}
        self._finder = Finder(())
        self._count = 0
        self.changed: set[str] = set()
        """Files this session changed."""
        self.seen_change: set[str] = set()
        """Files that anybody changed while they were watched."""
        self._stamps: Mapping[str, int] = {}
        self.filter = ""

    def load(self, paths: Sequence[str], finder: Finder) -> None:
        """All files, relative to the project, and what finds one of them."""
        self._unsorted = paths
        self._finder = finder
        self._count = len(paths)
        self.again()

    def _sort(self) -> None:
        """Put the files into their folders; many of them in a thread, while what is known stays to be seen."""
        paths, self._unsorted = self._unsorted, None
        if paths is not None and len(paths) <= AT_ONCE:
            self._folders = folders_of(paths)
        elif paths is not None:
            self.run_worker(self._sort_many(paths), group="sort", exclusive=True)

    async def _sort_many(self, paths: Sequence[str]) -> None:
        self._folders = await asyncio.to_thread(folders_of, paths)
        self.again()

    @property
    def paths(self) -> AbstractSet[str]:
        """The files as they were when they were last looked at."""
        return self._stamps.keys()

    def watched(self, stamps: Mapping[str, int]) -> set[str]:
        """What the files are now: those that are new, or another than when they were first looked at, are marked.

        Returns the ones that changed since the last look.
        """
        if not self._stamps:
            self._stamps = stamps
            return set()
        before, self._stamps = self._stamps, stamps
        different = {path for path, stamp in stamps.items() if before.get(path) != stamp}
        self.seen_change |= different
        self.seen_change &= stamps.keys()
        if different:
            self.again()
        return different

    def forget(self) -> None:
        """Another session is looked at: what changed is counted anew."""
        self.seen_change, self._stamps = set(), {}

    def touch(self, paths: Iterable[str]) -> None:
        """Files that were changed."""
        before = len(self.changed)
        self.changed.update(paths)
        if len(self.changed) != before:
            self.again()

    def details(self) -> str:
        return f"/{self.filter}" if self.filter or self.writing else f"{self._count}"

    def entries(self, width: int) -> list[Entry]:
        if self.filter:
            return [self._hit(path, width) for path in self._finder.find(self.filter, 200)]
        self._sort()
        found: list[Entry] = []
        self._below("", 0, width, found)
        return found or [Entry([("nothing here", "dim")])]

    def _below(self, folder: str, depth: int, width: int, found: list[Entry]) -> None:
        folders, files = self._folders.get(folder, ([], []))
        for name in folders:
            if len(found) > MOST:
                return
            path = f"{folder}{name}/"
            unfolded = path in self._unfolded
            text = _indented(depth, f"{'▾' if unfolded else '▸'} {name}", width)
            found.append(Entry([(text, "folder"), self._mark_below(path)], path))
            if unfolded:
                self._below(path, depth + 1, width, found)
        found += [self._file(folder + name, name, depth, width) for name in files]

    def _file(self, path: str, name: str, depth: int, width: int) -> Entry:
        role, mark = self._mark_of(path)
        return Entry([(_indented(depth + 1, name, width), role), (mark, role)], path)

    def _mark_below(self, folder: str) -> tuple[str, str]:
        """That of what is in a folder: what this session changed counts first."""
        if any(each.startswith(folder) for each in self.changed):
            return " ●", "warn"
        return (" ○", "info") if any(each.startswith(folder) for each in self.seen_change) else ("", "text")

    def _mark_of(self, path: str) -> tuple[str, str]:
        """By this session, by somebody else, or not at all."""
        if path in self.changed:
            return "warn", " ●"
        return ("info", " ○") if path in self.seen_change else ("text", "")

    def _hit(self, path: str, width: int) -> Entry:
        """The name first: where there is little room, it is what one looks for."""
        folder, _, name = path.rpartition("/")
        shown = one_line(name, width - 2)
        return Entry(
            [
                (shown, self._mark_of(path)[0]),
                ("  " + one_line(folder, max(1, width - width_of(shown) - 4)) if folder else "", "dim"),
            ],
            path,
        )

    def opened(self, key: str) -> None:
        if key.endswith("/"):
            self._unfolded ^= {key}
            self.again()
        else:
            self._open_file(key)

    def act(self, action: str) -> bool:
        current = self.current
        if action == "list.search":
            self.writing = True
            self.paint()
            return True
        if action == "list.take":
            self.writing = False
        if action == "list.out" and current is not None:
            above = current.key.rstrip("/").rpartition("/")[0]
            folder = current.key if current.key in self._unfolded else f"{above}/" if above else ""
            self._unfolded.discard(folder)
            self._unfolded.add("")
            self.at = next((place for place, entry in enumerate(self.list) if entry.key == folder), self.at)
            self.again()
            return True
        if action == "list.close" and (self.filter or self.writing):
            self.filter, self.writing = "", False
            self.again()
            return True
        return super().act(action)

    def write(self, character: str) -> None:
        if not self.writing:
            return  # a key that means nothing here
        self.filter = self.filter[:-1] if character == "\b" else self.filter + character
        self.at = 0
        self.again()


def _indented(depth: int, text: str, width: int) -> str:
    indent = "  " * min(depth, max(0, (width - 8) // 2))
    return indent + one_line(text, max(1, width - 2 - len(indent)))


def folders_of(paths: Iterable[str]) -> dict[str, tuple[list[str], list[str]]]:
    """Folder → (its folders, its files), sorted as a person would."""
    folders: dict[str, tuple[set[str], list[str]]] = {"": (set(), [])}
    for path in paths:
        folder, slash, name = path.rpartition("/")
        key = folder + slash
        if key not in folders:
            above = ""
            for part in folder.split("/"):
                folders.setdefault(above, (set(), []))[0].add(part)
                above = f"{above}{part}/"
            folders.setdefault(key, (set(), []))
        folders[key][1].append(name)
    return {
        key: (sorted(inner, key=str.lower), sorted(files, key=str.lower)) for key, (inner, files) in folders.items()
    }
