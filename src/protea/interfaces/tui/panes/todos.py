"""The todo list as it changes, and the plan it belongs to."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.plan import says_no_more
from protea.domain.tools import TodoItem
from protea.interfaces.terminal import visible
from protea.interfaces.tui.frame import wrap
from protea.interfaces.tui.panes.pane import Entry, Pane
from protea.interfaces.tui.themes import Look

BOXES = {"pending": ("☐", "text"), "in_progress": ("◐", "accent"), "done": ("☑", "dim")}


class Todos(Pane):
    """What is to be done."""

    name_of = "todos"
    heading = "plan"

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look)
        self._items: tuple[TodoItem, ...] = ()
        self._plan = ""

    def load(self, items: tuple[TodoItem, ...], plan: str = "") -> None:
        if items != self._items or plan != self._plan:
            self._items, self._plan = items, plan
            self.again()

    def details(self) -> str:
        done = sum(item.status == "done" for item in self._items)
        return f"{done} of {len(self._items)} done" if self._items else ""

    def entries(self, width: int) -> list[Entry]:
        found = []
        for number, item in enumerate(self._items):
            box, role = BOXES[item.status]
            text = visible(item.text)
            for at, (begin, end) in enumerate(wrap(text, width - 3)):
                found.append(Entry([(f"{box} " if not at else "  ", role), (text[begin:end], role)], str(number)))
        if self._plan and not says_no_more(self._plan, self._items):
            plan = visible(self._plan)
            found.append(Entry([("", "text")]))
            found += [Entry([(plan[begin:end], "text")]) for begin, end in wrap(plan, width - 1)]
        return found or [Entry([("nothing is planned", "dim")])]
