"""Which tasks there are and which process runs each, as runners of this family keep it, in one database or another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

from protea.ports.task_runner import Task

Tasks = list[Task]
Names = list[str]


class Heard(msgspec.Struct, frozen=True):
    """What a beat brought back."""

    asked: Names
    """Tasks of this process that somebody wants to end."""
    taken: Names
    """Tasks of this process that another one has taken over: it was given up for dead."""


class Claimed(msgspec.Struct, frozen=True):
    """A task whose process is gone."""

    task: Task
    again: bool
    """Whether it is this process's now and is to be begun again; else it is over, and marked so."""


Claims = list[Claimed]


class Register(Protocol):
    """Blocking, and quick; any thread may ask. Everything raises `StoreError`.

    A task is written only by the process that it belongs to: one that was given up and comes back changes nothing.
    """

    @property
    def pause(self) -> float:
        """Seconds between two beats."""
        ...

    @property
    def silence(self) -> float | None:
        """Seconds without a beat after which a process counts as gone; None where a death is seen as it happens."""
        ...

    def put(self, task: Task, *, again: bool) -> None:
        """One that this process begins. `again`: another may begin it anew."""
        ...

    def update(self, task: Task) -> bool:
        """How it stands now; False, and nothing is written, where it is not this process's any more."""
        ...

    def get(self, id: str) -> Task | None: ...

    def list(self, session: str | None) -> Tasks:
        """All, or those of a session; the latest first."""
        ...

    def beat(self, running: Collection[str]) -> Heard:
        """Say that this process lives and runs these."""
        ...

    def ask(self, id: str, now: str) -> bool:
        """Let the process that runs it be asked to end it; True where there is none, and it is ended with this."""
        ...

    def withdraw(self, id: str) -> None:
        """Ask no more."""
        ...

    def claim(self, kinds: Collection[str], session: str | None, now: str) -> Claims:
        """Tasks whose process is gone, all or those of a session. Those that may be begun again, and are of these
        kinds, are this process's from now on and of nobody else; those that may not are lost. Others are left."""
        ...

    def close(self) -> None:
        """This process runs none any more."""
        ...
