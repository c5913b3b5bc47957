"""The port that says when to wake. Swap class: cold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A prompt for later. It runs with the rules of whoever made it, and never with more."""

    id: str
    when: str
    """As `domain.schedule` reads it: cron's five fields, `@daily`, `every 30m`, `at 2026-12-01T09:00`."""
    prompt: str
    cwd: str
    missed: Literal["skip", "once"] = "once"
    """Of times that passed while nobody was awake: none of them is made up for, or the last one."""
    by: str = "user"
    made: str
    last: str = ""
    """The time it last was due for: RFC 3339, UTC."""


class Due(msgspec.Struct, frozen=True):
    job: Job
    at: str
    """The time it was due."""
    missed: int = 0
    """Earlier times that passed unused."""


class Scheduler(Protocol):
    """Keeps jobs and knows the time. It runs nothing: whoever is awake takes what is due.

    Jobs survive restarts; several processes may use them, and each time of each job is taken once. Methods are quick.
    Any may raise `StoreError`.
    """

    def add(
        self, when: str, prompt: str, *, cwd: str, missed: Literal["skip", "once"] = "once", by: str = "user"
    ) -> Job:
        """Raises `UsageError` for a time that cannot be read or never comes, or where nothing can be scheduled."""
        ...

    def list(self) -> Sequence[Job]:
        """In the order they were made."""
        ...

    def remove(self, id: str) -> bool:
        """False where there is none of that id."""
        ...

    def next(self, job: Job) -> str | None:
        """When it is due next: RFC 3339, UTC. None for one that has had its last time."""
        ...

    def wake(self) -> str | None:
        """When the next of all jobs is due; None where none is."""
        ...

    def take(self) -> Sequence[Due]:
        """What is due by now, the earliest first; it is not due again. A job that has had its last time is gone."""
        ...
