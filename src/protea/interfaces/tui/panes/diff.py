"""What this session changed, file by file; files fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from protea.interfaces.terminal import one_line, visible
from protea.interfaces.tui.panes.pane import Entry, Pane
from protea.interfaces.tui.themes import Look


class Changes(Pane):
    """The session's diff."""

    name_of = "diff"
    heading = "changed"

    def __init__(self, look: Callable[[], Look], open_file: Callable[[str, int], None]) -> None:
        super().__init__(look)
        self._open_file = open_file
        self.files: dict[str, list[str]] = {}
        """Path → its diffs, in the order in which they were made."""
        self._folded: set[str] = set()

    def load(self, diffs: Iterable[tuple[str, str]]) -> None:
        """(path, unified diff) of everything that was changed."""
        self.files = {}
        for path, diff in diffs:
            self.files.setdefault(path, []).append(diff)
        self.again()

    def add(self, path: str, diff: str) -> None:
        self.files.setdefault(path, []).append(diff)
        self.again()

    def details(self) -> str:
        added, removed = (sum(_count(diff, sign) for diffs in self.files.values() for diff in diffs) for sign in "+-")
        files = f"{len(self.files)} file{'s' if len(self.files) > 1 else ''}"
        return f"{files} +{added} -{removed}" if self.files else ""

    def entries(self, width: int) -> list[Entry]:
        found: list[Entry] = []
        for path, diffs in self.files.items():
            folded = path in self._folded
            added, removed = (sum(_count(diff, sign) for diff in diffs) for sign in "+-")
            head = one_line(f"{'▸' if folded else '▾'} {path}", width - 12)
            found.append(Entry([(head, "heading"), (f" +{added}", "add"), (f" -{removed}", "remove")], path))
            if not folded:
                found += [entry for diff in diffs for entry in _lines(path, diff, width)]
        return found or [Entry([("nothing was changed", "dim")])]

    def opened(self, key: str) -> None:
        path, _, line = key.partition("\0")
        if line:
            self._open_file(path, int(line))
        else:
            self._folded ^= {path}
            self.again()


def _count(diff: str, sign: str) -> int:
    return sum(line.startswith(sign) and not line.startswith(sign * 3) for line in diff.split("\n"))


def _lines(path: str, diff: str, width: int) -> list[Entry]:
    found = []
    number = 0
    for line in diff.rstrip("\n").split("\n"):
        if line.startswith(("--- ", "+++ ", "diff --git ", "index ", "new file ", "deleted file ")):
            continue
        if line.startswith("@@"):
            new = line.partition("+")[2].partition(" ")[0].partition(",")[0]
            number = int(new) if new.isdigit() else 0
            found.append(Entry([(one_line(line, width), "info")], f"{path}\0{number}"))
            continue
        role = {"+": "add", "-": "remove"}.get(line[:1], "dim")
        shown = visible(line).replace("\t", "    ")[: width - 6]
        mark = f"{number:>4} " if not line.startswith("-") else "     "
        found.append(Entry([(mark, "dim"), (shown, role)], f"{path}\0{number}"))
        number += not line.startswith("-")
    return found
