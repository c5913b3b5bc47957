"""Jobs in a file, `schedule.json`, with the times of cron, of intervals, and single ones."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec.structs import replace

from protea.domain.errors import ConfigError, StoreError, UsageError
from protea.domain.schedule import When, following, parse, written
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.scheduler import Due, Job

Jobs = list[Job]
Times = list[datetime]

MOST_MISSED = 1000
"""Times that passed unused are counted up to here."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str | None = None
    """Absolute; `schedule.json` in Protea's home where it is left out."""
    timezone: str | None = None
    """`Europe/Berlin`; the machine's own where it is left out."""


class CronScheduler:
    def __init__(self, path: str, zone: tzinfo | None, clock: Clock, ids: Ids) -> None:
        self._path = path
        self._zone = zone
        """None: the machine's own."""
        self._clock = clock
        self._ids = ids

    def add(
        self, when: str, prompt: str, *, cwd: str, missed: Literal["skip", "once"] = "once", by: str = "user"
    ) -> Job:
        now = self._now()
        try:
            parsed = parse(when, now)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if not prompt.strip():
            raise UsageError("there is nothing to do at that time; say what")
        if following(parsed, now, now) is None:
            raise UsageError(f"{when!r} never comes")
        job = Job(
            id=self._ids.short("j"),
            when=written(parsed) or " ".join(when.split()),
            prompt=prompt,
            cwd=cwd,
            missed=missed,
            by=by,
            made=self._utc(now),
        )
        with self._changing() as jobs:
            jobs.append(job)
        return job

    def list(self) -> Sequence[Job]:
        return self._read()

    def remove(self, id: str) -> bool:
        with self._changing() as jobs:
            left = [job for job in jobs if job.id != id]
            found = len(left) < len(jobs)
            jobs[:] = left
        return found

    def next(self, job: Job) -> str | None:
        time = self._following(job, self._local(job.last or job.made))
        return self._utc(time) if time is not None else None

    def wake(self) -> str | None:
        return min(filter(None, map(self.next, self._read())), default=None)

    def take(self) -> Sequence[Due]:
        now = self._now()
        if not any(time is not None and time <= self._utc(now) for time in map(self.next, self._read())):
            return ()  # the usual answer, without a lock
        taken: list[Due] = []
        with self._changing() as jobs:
            left: Jobs = []
            for job in jobs:
                passed = self._passed(job, now)
                after = replace(job, last=self._utc(passed[-1])) if passed else job
                if passed and (job.missed == "once" or (now - passed[-1]).total_seconds() < 60):
                    taken.append(Due(job, self._utc(passed[-1]), len(passed) - 1))
                if not passed or self._following(after, passed[-1]) is not None:
                    left.append(after)
            jobs[:] = left
        return sorted(taken, key=lambda due: due.at)

    def _passed(self, job: Job, now: datetime) -> Times:
        """Its times since the last one that was taken. Of very many the first are left out."""
        found: Times = []
        time = self._following(job, self._local(job.last or job.made))
        while time is not None and time <= now:
            found.append(time)
            if len(found) > MOST_MISSED:
                # It slept for long: what counts is the last time before now.
                del found[:-1]
            time = self._following(job, time)
        return found

    def _following(self, job: Job, after: datetime) -> datetime | None:
        made = self._local(job.made)
        return following(self._parsed(job, made), after, made)

    def _parsed(self, job: Job, made: datetime) -> When:
        try:
            return parse(job.when, made)
        except ValueError as error:
            raise StoreError(f"{self._path}: the job {job.id} cannot be read: {error}") from None

    # ── time: naive in our zone inside, UTC outside ────────────────────────────────────────────────────────────────

    def _now(self) -> datetime:
        return self._local(self._clock.now())

    def _local(self, utc: str) -> datetime:
        return datetime.fromisoformat(utc).astimezone(self._zone).replace(tzinfo=None)

    def _utc(self, local: datetime) -> str:
        aware = local.astimezone(UTC) if self._zone is None else local.replace(tzinfo=self._zone).astimezone(UTC)
        return aware.strftime("%Y-%m-%dT%H:%M:%S") + f".{aware.microsecond // 1000:03d}Z"

    # ── the file ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> Jobs:
        try:
            with open(self._path, "rb") as file:
                return msgspec.json.decode(file.read(), type=Jobs)
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"{self._path} cannot be read: {error}") from error

    @contextmanager
    def _changing(self) -> Iterator[Jobs]:
        """The jobs, written when the block ends; nobody else changes them meanwhile."""
        try:
            os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
            held = os.open(f"{self._path}.lock", os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be changed: {(error.strerror or '').lower()}") from error
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            jobs = self._read()
            yield jobs
            self._write(jobs)
        finally:
            os.close(held)

    def _write(self, jobs: Jobs) -> None:
        passing = f"{self._path}.{os.getpid()}.part"
        try:
            descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(jobs), indent=1))
                file.flush()
                os.fsync(file.fileno())
            os.replace(passing, self._path)
        except OSError as error:
            raise StoreError(f"{self._path} could not be written: {(error.strerror or '').lower()}") from error


def create(options: Options, *, clock: Clock, ids: Ids, surroundings: Surroundings) -> CronScheduler:
    zone = None
    if options.timezone is not None:
        try:
            zone = ZoneInfo(options.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(f"there is no time zone {options.timezone!r}; write it like Europe/Berlin") from None
    return CronScheduler(options.file or os.path.join(surroundings.protea_home, "schedule.json"), zone, clock, ids)
