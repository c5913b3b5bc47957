"""Nothing runs in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protea.domain.errors import UsageError
from protea.ports.task_runner import Task, Work


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoTaskRunner:
    def define(self, kind: str, *works: Work) -> None:
        """It will never be begun."""

    async def start(
        self, kind: str, input: Mapping[str, Any], *, title: str, session: str = "", again: bool = False
    ) -> Task:
        raise UsageError('nothing can run in the background: set [ports.task_runner] adapter = "in-process"')

    async def get(self, id: str) -> Task:
        raise UsageError(f"there is no task {id}")

    async def list(self, session: str | None = None) -> Sequence[Task]:
        return ()

    async def wait(self, id: str) -> Task:
        raise UsageError(f"there is no task {id}")

    async def stop(self, id: str) -> Task:
        raise UsageError(f"there is no task {id}")

    async def recover(self, session: str | None = None) -> Sequence[Task]:
        return ()

    async def aclose(self) -> None:
        """Nothing is open."""


def create(options: Options) -> NoTaskRunner:
    return NoTaskRunner()
