"""What runs in the background: tasks, sub-agents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from textual.timer import Timer

from protea.domain.delegation import span
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
        self._clock: Timer | None = None

    def load(self, tasks: tuple[TaskChanged, ...]) -> None:
        if tasks != self._tasks:
            self._tasks = tasks
            self.again()

    def again(self) -> None:
        super().again()
        wanted = self.display and any(task.state == "running" for task in self._tasks)
        if wanted and self._clock is None:
            self._clock = self.set_interval(1.0, self.again)
        elif not wanted and self._clock is not None:
            self._clock.stop()
            self._clock = None

    def details(self) -> str:
        running = sum(task.state == "running" for task in self._tasks)
        return f"{running} running" if running else ""

    def keys(self) -> str:
        task = self._marked
        if task is None:
            return ""
        runs, agent = task.state == "running", task.kind == "agent"
        words = [
            "Enter opens it" if task.child else "Enter shows what it wrote" if task.log else "",
            "s tells it something" if agent and runs else "",
            "x ends it" if runs else "",
            "r lets it go on" if agent and not runs else "",
            "q closes",
        ]
        return " · ".join(word for word in words if word)

    @property
    def _marked(self) -> TaskChanged | None:
        key = self.current.key if self.current is not None else ""
        return next((each for each in self._tasks if each.id == key), None)

    def entries(self, width: int) -> list[Entry]:
        found = []
        # What runs stands first, and where it stands it stays: news of it moves nothing under the keys.
        latest = self._tasks[::-1]
        for task in sorted(latest, key=lambda each: each.state != "running"):
            mark, role = MARKS.get(task.state, ("·", "dim"))
            found.append(Entry([(f"{mark} ", role), (one_line(task.title, width - 3), "text")], task.id))
            if detail := detail_of(task, datetime.now(UTC)):
                found.append(Entry([("  ", "text"), (one_line(detail, width - 3), "dim")], task.id))
        return found or [Entry([("no tasks", "dim")])]

    def _place(self, at: int) -> None:
        # A task is one step, however many rows it has.
        keys = [entry.key for entry in self.list]
        at = max(0, min(at, len(keys) - 1))
        if self.at < at and keys[at] == keys[self.at]:
            at = next((place for place in range(at, len(keys)) if keys[place] != keys[at]), at)
        super()._place(keys.index(keys[at]) if keys else at)

    def opened(self, key: str) -> None:
        task = next((each for each in self._tasks if each.id == key), None)
        if task is not None:
            self._open_task(task)

    def act(self, action: str) -> bool:
        words = {"list.stop": "stop", "list.steer": "steer", "list.resume": "resume"}
        task = self._marked
        if action not in words or task is None:
            return super().act(action)
        more = action == "list.steer" and task.kind == "agent" and task.state == "running"
        # What cannot be steered is said to be so at once, and not once the words are written.
        self._command(f"/tasks {words[action]} {task.id}{' ' if more else ''}", more)
        return True


def detail_of(task: TaskChanged, now: datetime) -> str:
    """What is known of it; of one that runs with the time it has taken by now: news of it may be long in coming."""
    words = [word for word in (task.detail or "").split(" · ") if word]
    if task.state == "running" and task.at:
        taken = span(max(task.seconds, task.seconds + (now - datetime.fromisoformat(task.at)).total_seconds()))
        then = span(task.seconds)
        words = [taken if word == then else word for word in words] if then in words else [taken, *words]
    return " · ".join(words)
