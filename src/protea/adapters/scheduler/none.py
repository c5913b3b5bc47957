"""Nothing is scheduled and nothing is ever due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from protea.domain.errors import UsageError
from protea.ports.scheduler import Due, Job


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoScheduler:
    def add(
        self, when: str, prompt: str, *, cwd: str, missed: Literal["skip", "once"] = "once", by: str = "user"
    ) -> Job:
        raise UsageError('nothing can be scheduled: set [ports.scheduler] adapter = "cron"')

    def list(self) -> Sequence[Job]:
        return ()

    def remove(self, id: str) -> bool:
        return False

    def next(self, job: Job) -> str | None:
        return None

    def wake(self) -> str | None:
        return None

    def take(self) -> Sequence[Due]:
        return ()


def create(options: Options) -> NoScheduler:
    return NoScheduler()
