"""What every `TaskRunner` keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from protea.domain.errors import UsageError
from protea.ports.task_runner import TaskRunner

WITHIN = 30.0
"""Seconds anything here may take."""


class TaskRunnerContract:
    def task_runner(self) -> TaskRunner:
        """One without tasks; what was kept is the same at every call within one test."""
        raise NotImplementedError

    def runs(self) -> bool:
        """Whether it runs anything at all: the null adapter does not."""
        return True

    def _made(self) -> TaskRunner:
        runner = self.task_runner()

        async def double(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
            tell("half way")
            return str(input["number"] * 2)

        async def fail(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
            raise LookupError("no such thing")

        async def wait(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
            tell("waiting")
            await asyncio.Event().wait()
            return "never"

        async def begin(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
            return "a"

        async def go_on(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
            return f"{input['before']}b{input['number']}"

        runner.define("in steps", begin, go_on, go_on)
        for kind, work in (("double", double), ("fail", fail), ("wait", wait)):
            runner.define(kind, work)
        return runner

    async def test_a_task_runs_to_its_end_and_is_kept(self) -> None:
        runner = self._made()
        if not self.runs():
            assert list(await runner.list()) == []
            return
        task = await runner.start("double", {"number": 21}, title="Twice", session="s_1")
        assert (task.state, task.title, task.session, task.input) == ("running", "Twice", "s_1", {"number": 21})
        async with asyncio.timeout(WITHIN):
            done = await runner.wait(task.id)
        assert (done.state, done.result) == ("done", "42")
        assert done.ended
        assert await runner.get(task.id) == done
        await runner.aclose()
        assert await self._made().get(task.id) == done

    async def test_steps_are_done_one_after_another_with_what_the_one_before_gave(self) -> None:
        if not self.runs():
            return
        runner = self._made()
        task = await runner.start("in steps", {"number": 7}, title="Steps")
        async with asyncio.timeout(WITHIN):
            done = await runner.wait(task.id)
        assert (done.state, done.result) == ("done", "ab7b7")
        await runner.aclose()

    async def test_a_task_that_fails_says_why(self) -> None:
        if not self.runs():
            return
        runner = self._made()
        task = await runner.start("fail", {}, title="Fails")
        async with asyncio.timeout(WITHIN):
            failed = await runner.wait(task.id)
        assert failed.state == "failed"
        assert "no such thing" in failed.result
        await runner.aclose()

    async def test_a_task_can_be_stopped_and_stays_stopped(self) -> None:
        if not self.runs():
            return
        runner = self._made()
        task = await runner.start("wait", {}, title="Waits")
        async with asyncio.timeout(WITHIN):
            stopped = await runner.stop(task.id)
            assert stopped.state == "stopped"
            assert await runner.stop(task.id) == stopped
        await runner.aclose()

    async def test_a_task_that_waits_in_a_later_step_can_be_stopped(self) -> None:
        if not self.runs():
            return
        runner, inside = self.task_runner(), asyncio.Event()

        async def first(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
            return "one"

        async def second(input: Mapping[str, Any], tell: Callable[[str], None]) -> str:
            inside.set()
            await asyncio.Event().wait()
            return "never"

        runner.define("two", first, second)
        task = await runner.start("two", {}, title="Two")
        async with asyncio.timeout(WITHIN):
            await inside.wait()
            assert (await runner.stop(task.id)).state == "stopped"
        await runner.aclose()

    async def test_the_latest_is_listed_first_and_sessions_are_apart(self) -> None:
        if not self.runs():
            return
        runner = self._made()
        for number in range(3):
            task = await runner.start("double", {"number": number}, title=str(number), session=f"s_{number % 2}")
            async with asyncio.timeout(WITHIN):
                await runner.wait(task.id)
        listed = await runner.list()
        assert [each.started for each in listed] == sorted((each.started for each in listed), reverse=True)
        assert {each.title for each in await runner.list("s_0")} == {"0", "2"}
        await runner.aclose()

    async def test_what_nobody_knows_is_refused(self) -> None:
        runner = self._made()
        for action in (
            runner.start("nothing", {}, title="x"),
            runner.get("nobody"),
            runner.wait("nobody"),
            runner.stop("nobody"),
        ):
            refused = False
            try:
                await action
            except UsageError:
                refused = True
            assert refused
        await runner.aclose()

    async def test_closing_stops_what_runs_and_nothing_is_left_to_recover(self) -> None:
        runner = self._made()
        if self.runs():
            await runner.start("wait", {}, title="Waits")
        async with asyncio.timeout(WITHIN):
            await runner.aclose()
        later = self._made()
        assert list(await later.recover()) == []
        assert [task.state for task in await later.list()] == ["stopped"] * self.runs()
        await later.aclose()
