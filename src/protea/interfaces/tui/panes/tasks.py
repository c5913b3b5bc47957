"""What runs in the background: tasks, sub-agents."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.events import TaskChanged
from protea.interfaces.terminal import one_line
from protea.interfaces.tui.panes.pane import Entry, Pane
from protea.interfaces.tui.themes import Look

MARKS = {
    "running": ("▶", "accent"),
    "done": ("✓", "good"),
    "failed": ("✗", "bad"),
    "stopped": ("■", "dim"),
    "lost": ("?", "bad"),
}


class Tasks(Pane):
    """The tasks of the session; taking one that is a session opens it. One that is marked can be ended, told something
    and let go on, by the words of `/tasks`."""

    name_of = "tasks"
    heading = "tasks"

    def __init__(
        self,
        look: Callable[[], Look],
        open_task: Callable[[TaskChanged], None],
        command: Callable[[str, bool], None],
    ) -> None:
        """`command` does a slash command; or, where more is to be said, lets it be finished in the composer."""
        super().__init__(look)
        self._open_task = open_task
        self._command = command
        self._tasks: tuple[TaskChanged, ...] = ()

    def load(self, tasks: tuple[TaskChanged, ...]) -> None:
        if tasks != self._tasks:
            self._tasks = tasks
            self.again()

    def details(self) -> str:
        running = sum(task.state == "running" for task in self._tasks)
        return f"{running} running" if running else ""

    def entries(self, width: int) -> list[Entry]:
        found = []
        for task in reversed(self._tasks):
            mark, role = MARKS.get(task.state, ("·", "dim"))
            found.append(Entry([(f"{mark} ", role), (one_line(task.title, width - 3), "text")], task.id))
            if task.detail:
                found.append(Entry([("  ", "text"), (one_line(task.detail, width - 3), "dim")]))
        return found or [Entry([("no tasks", "dim")])]

    def opened(self, key: str) -> None:
        task = next((each for each in self._tasks if each.id == key), None)
        if task is not None:
            self._open_task(task)

    def act(self, action: str) -> bool:
        words = {"list.stop": "stop", "list.steer": "steer", "list.resume": "resume"}
        if action not in words or self.current is None or not self.current.key:
            return super().act(action)
        more = action == "list.steer"
        self._command(f"/tasks {words[action]} {self.current.key}{' ' if more else ''}", more)
        return True
