"""Jobs in a list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from protea.domain.errors import UsageError
from protea.domain.schedule import following, parse, written
from protea.ports.clock import Clock
from protea.ports.scheduler import Due, Job


class ListScheduler:
    """`Scheduler` that keeps `jobs`, in UTC."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made = 0
        self.jobs: list[Job] = []

    def add(
        self, when: str, prompt: str, *, cwd: str, missed: Literal["skip", "once"] = "once", by: str = "user"
    ) -> Job:
        now = _naive(self._clock.now())
        try:
            parsed = parse(when, now)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if following(parsed, now, now) is None:
            raise UsageError(f"{when!r} never comes")
        self._made += 1
        made = self._clock.now()
        job = Job(
            id=f"j_{self._made}", when=written(parsed) or when, prompt=prompt, cwd=cwd, missed=missed, by=by, made=made
        )
        self.jobs.append(job)
        return job

    def list(self) -> Sequence[Job]:
        return tuple(self.jobs)

    def remove(self, id: str) -> bool:
        left = [job for job in self.jobs if job.id != id]
        found = len(left) < len(self.jobs)
        self.jobs[:] = left
        return found

    def next(self, job: Job) -> str | None:
        made = _naive(job.made)
        time = following(parse(job.when, made), _naive(job.last or job.made), made)
        return time.isoformat(timespec="milliseconds") + "Z" if time is not None else None

    def wake(self) -> str | None:
        return min(filter(None, map(self.next, self.jobs)), default=None)

    def take(self) -> Sequence[Due]:
        now = self._clock.now()
        taken: list[Due] = []
        for job in list(self.jobs):
            times = []
            while (time := self.next(job)) is not None and time <= now:
                times.append(time)
                job = replace(job, last=time)
            if not times:
                continue
            self.jobs = [each for each in self.jobs if each.id != job.id]
            if self.next(job) is not None:
                self.jobs.append(job)
            if job.missed == "once" or times[-1] == now:
                taken.append(Due(job, times[-1], len(times) - 1))
        return sorted(taken, key=lambda due: due.at)


def _naive(utc: str) -> datetime:
    return datetime.fromisoformat(utc).replace(tzinfo=None)
