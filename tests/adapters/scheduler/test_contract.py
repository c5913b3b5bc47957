"""Each scheduler through the contract of its port, and the file and zones of cron's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.ids.system import SystemIds
from protea.adapters.scheduler import cron, none
from protea.domain.errors import ConfigError, StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.scheduler import Scheduler
from protea.testing.clock import FakeClock
from protea.testing.contracts.scheduler import SchedulerContract


def opened(home: Path, clock: Clock, **options: Any) -> cron.CronScheduler:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    return cron.create(cron.Options(**options), clock=clock, ids=SystemIds(clock), surroundings=around)


class TestNoScheduler(SchedulerContract):
    def scheduler(self, clock: FakeClock) -> Scheduler:
        return none.create(none.Options())

    def keeps(self) -> bool:
        return False


class TestCron(SchedulerContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self._path = tmp_path

    def scheduler(self, clock: FakeClock) -> Scheduler:
        return opened(self._path, clock)


class TestCronElsewhere(TestCron):
    def scheduler(self, clock: FakeClock) -> Scheduler:
        return opened(self._path, clock, timezone="Asia/Kathmandu")


def test_times_are_those_of_the_zone(tmp_path: Path) -> None:
    scheduler = opened(tmp_path, FakeClock("2026-11-21T04:05:06.000Z"), timezone="America/New_York")
    assert scheduler.next(scheduler.add("0 9 * * *", "look", cwd="/")) == "2026-11-21T14:00:00.000Z"


def test_the_clock_going_forward_and_back_gives_each_day_its_one_time(tmp_path: Path) -> None:
    for start, zone in (("2026-03-28T12:00:00.000Z", "Europe/Berlin"), ("2026-10-24T12:00:00.000Z", "Europe/Berlin")):
        clock = FakeClock(start)
        scheduler = opened(tmp_path, clock, timezone=zone)
        job = scheduler.add("30 2 * * *", "look", cwd="/")
        days = []
        for _ in range(3):
            clock.advance(86_400)
            days += [due.at[:10] for due in scheduler.take()]
        assert len(days) == len(set(days)) == 3
        scheduler.remove(job.id)


def test_a_zone_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no time zone 'Mars/Base'"):
        opened(tmp_path, FakeClock(), timezone="Mars/Base")


def test_a_damaged_file_is_told_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "schedule.json").write_text("[{")
    scheduler = opened(tmp_path, FakeClock())
    for action in (scheduler.list, scheduler.take, lambda: scheduler.add("@daily", "x", cwd="/")):
        with pytest.raises(StoreError, match="cannot be read"):
            action()
    assert (tmp_path / "schedule.json").read_text() == "[{"


def test_years_of_sleep_cost_no_years(tmp_path: Path) -> None:
    clock = FakeClock("2026-01-01T00:00:00.000Z")
    scheduler = opened(tmp_path, clock, timezone="UTC")
    scheduler.add("*/30 * * * *", "look", cwd="/")
    clock.advance(60 * 86_400)
    (due,) = scheduler.take()
    assert due.at == "2026-03-02T00:00:00.000Z"


ADD = """
import sys
from pathlib import Path
from protea.adapters.clock.system import Options, create
from tests.adapters.scheduler.test_contract import opened
scheduler = opened(Path(sys.argv[1]), create(Options()))
for number in range(20):
    scheduler.add("@daily", f"{sys.argv[2]} {number}", cwd="/")
"""


def test_processes_that_add_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    adding = [
        subprocess.Popen([sys.executable, "-c", ADD, str(tmp_path), str(number)], env=environment)
        for number in range(3)
    ]
    assert [process.wait(60) for process in adding] == [0, 0, 0]
    assert len({job.prompt for job in opened(tmp_path, FakeClock()).list()}) == 60
