"""What every `Scheduler` keeps."""

from __future__ import annotations

from protea.domain.errors import UsageError
from protea.ports.scheduler import Scheduler
from protea.testing.clock import FakeClock

START = "2026-11-21T04:05:06.000Z"


class SchedulerContract:
    def scheduler(self, clock: FakeClock) -> Scheduler:
        """One without jobs, whose time is that of `clock`; the same jobs at every call within one test."""
        raise NotImplementedError

    def keeps(self) -> bool:
        """Whether it keeps anything at all: the null adapter does not."""
        return True

    def test_without_jobs_nothing_is_ever_due(self) -> None:
        scheduler = self.scheduler(FakeClock(START))
        assert (list(scheduler.list()), scheduler.wake(), list(scheduler.take())) == ([], None, [])
        assert scheduler.remove("nobody") is False

    def test_a_time_that_cannot_be_is_told(self) -> None:
        scheduler = self.scheduler(FakeClock(START))
        for when in ("", "tomorrow-ish", "61 * * * *", "* * * *", "at 2020-01-01T00:00", "every 5s", "0 0 30 2 *"):
            told = ""
            try:
                scheduler.add(when, "look", cwd="/p")
            except UsageError as error:
                told = str(error)
            assert told
            assert "\n" not in told

    def test_a_job_is_due_when_its_time_has_come_and_once(self) -> None:
        if not self.keeps():
            return
        clock = FakeClock(START)
        scheduler = self.scheduler(clock)
        job = scheduler.add("every 30m", "look", cwd="/p", by="me")
        assert (job.prompt, job.cwd, job.by) == ("look", "/p", "me")
        assert scheduler.wake() == scheduler.next(job) == "2026-11-21T04:35:06.000Z"
        assert list(scheduler.take()) == []
        clock.advance(1800)
        (due,) = scheduler.take()
        assert (due.job.id, due.at, due.missed) == (job.id, "2026-11-21T04:35:06.000Z", 0)
        assert list(scheduler.take()) == []
        assert scheduler.wake() == "2026-11-21T05:05:06.000Z"

    def test_jobs_survive_and_two_who_look_do_not_both_get_one(self) -> None:
        if not self.keeps():
            return
        clock = FakeClock(START)
        job = self.scheduler(clock).add("in 1h", "look", cwd="/p")
        again = self.scheduler(clock)
        assert [each.id for each in again.list()] == [job.id]
        clock.advance(3600)
        taken = [len(each.take()) for each in (again, self.scheduler(clock))]
        assert taken == [1, 0]

    def test_a_single_time_is_gone_when_it_was_taken(self) -> None:
        if not self.keeps():
            return
        clock = FakeClock(START)
        scheduler = self.scheduler(clock)
        scheduler.add("in 20m", "look", cwd="/p")
        clock.advance(1300)
        assert len(scheduler.take()) == 1
        assert (list(scheduler.list()), scheduler.wake()) == ([], None)

    def test_times_that_passed_unused_are_made_up_for_once_or_not_at_all(self) -> None:
        if not self.keeps():
            return
        clock = FakeClock(START)
        scheduler = self.scheduler(clock)
        once = scheduler.add("every 1h", "once", cwd="/p")
        scheduler.add("every 1h", "skip", cwd="/p", missed="skip")
        clock.advance(5 * 3600 + 600)
        assert [(due.job.id, due.missed) for due in scheduler.take()] == [(once.id, 4)]
        clock.advance(3600 - 600)
        assert sorted(due.job.prompt for due in scheduler.take()) == ["once", "skip"]

    def test_a_job_that_was_removed_is_never_due(self) -> None:
        if not self.keeps():
            return
        clock = FakeClock(START)
        scheduler = self.scheduler(clock)
        job = scheduler.add("every 1h", "look", cwd="/p")
        assert scheduler.remove(job.id) is True
        assert scheduler.remove(job.id) is False
        clock.advance(7200)
        assert list(scheduler.take()) == []
