"""The port to background work that survives. Swap class: warm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

WorkState = Literal["running", "done", "failed", "stopped", "lost"]
"""`lost`: its process ended before it did, and it could not be run again."""

Progress = Callable[[str], None]
"""Tells how far it is, in a line."""

Work = Callable[[Mapping[str, Any], Progress], Awaitable[str]]
"""(input, tell how far it is) → the result. What it raises is why it failed."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    kind: str
    title: str
    state: WorkState
    input: dict[str, Any]
    """What it was started with, as JSON."""
    session: str = ""
    started: str
    ended: str = ""
    progress: str = ""
    """The last it told."""
    result: str = ""
    """What came out, or why it failed."""
    runs: int = 1
    """How often it was begun. Only the process that began it last counts: what an earlier one says changes nothing."""
    steps: tuple[str, ...] = ()
    """What its steps have given so far, where whoever runs it keeps that here."""
    owner: str = ""
    """The process that runs it, or ran it: its machine, its number and some letters. Empty where it runs and that
    process is gone: it waits for one that begins it again."""
    beat: str = ""
    """When that process was last heard of, while it runs."""


class TaskRunner(Protocol):
    """Runs work beside sessions and keeps what became of it, also when the process dies.

    Work is told by its kind and a JSON input, so that another process can do it again. Any method may raise
    `StoreError`; those that take an id raise `UsageError` where there is no such task.
    """

    def define(self, kind: str, *works: Work) -> None:
        """What tasks of a kind do, in this process. To be called before any is started or recovered.

        Of several works each is a step: one is done after the other, and finds what the one before gave as `before` in
        its input. A task that is begun again goes on with the step it was in.
        """
        ...

    async def start(
        self, kind: str, input: Mapping[str, Any], *, title: str, session: str = "", again: bool = False
    ) -> Task:
        """Begin; returns at once. `again`: it may be begun anew where its process died. Raises `UsageError` for a kind
        nobody defined, or where nothing can be run."""
        ...

    async def get(self, id: str) -> Task: ...

    async def list(self, session: str | None = None) -> Sequence[Task]:
        """All, or those of a session; the latest first."""
        ...

    async def wait(self, id: str) -> Task:
        """Return once it has ended, or another process has taken it over: then it is still running. Of a task of this
        process."""
        ...

    async def stop(self, id: str) -> Task:
        """End it, in whichever process it runs, and return once it has; one that has ended already stays as it is."""
        ...

    async def recover(self, session: str | None = None) -> Sequence[Task]:
        """Look after tasks whose process is gone, all or those of a session: begin again what may be, call the rest
        lost, leave what is of a kind that nobody has defined here. What became of each. To be called as often as
        wanted. What lives is left alone; of several processes that look at once, one gets it. For a session only who
        holds it may ask: whoever ran its tasks has let go of it, so nobody is waited for."""
        ...

    async def aclose(self) -> None:
        """Stop what runs in this process."""
        ...
