"""The pane of tasks, row by row."""

from __future__ import annotations

from datetime import datetime

from protea.domain.events import TaskChanged
from protea.interfaces.tui.panes.tasks import detail_of

NOW = datetime.fromisoformat("2026-11-21T04:06:47Z")


def task(state: str, detail: str, seconds: float = 0.0) -> TaskChanged:
    at = "2026-11-21T04:05:06Z"
    return TaskChanged(id="k1", title="look", state=state, detail=detail, seconds=seconds, at=at)  # type: ignore[arg-type]


def test_the_time_of_what_runs_goes_on_between_its_news() -> None:
    assert (
        detail_of(task("running", "m · Bash · 1 s · 1,673 tokens", 1.2), NOW) == "m · Bash · 1 min 42 s · 1,673 tokens"
    )
    assert detail_of(task("running", ""), NOW) == "1 min 41 s"


def test_the_time_of_what_has_ended_stays_as_it_was_told() -> None:
    assert detail_of(task("done", "m · done · 1 s · 1,673 tokens", 1.2), NOW) == "m · done · 1 s · 1,673 tokens"


def test_a_clock_that_was_set_back_makes_nothing_younger() -> None:
    early = datetime.fromisoformat("2026-11-21T03:00:00Z")
    assert detail_of(task("running", "m · 7 s", 7.0), early) == "m · 7 s"
