"""The register of tasks on this machine: locked, damaged, removed, written by a later version or by anybody."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from protea.adapters.task_runner import durable, in_process
from tests.adapters.task_runner.test_contract import WITHIN, opened
from tests.adapters.task_runner.test_durable import opened as opened_durable

Tell = Callable[[str], None]


class Gated:
    """Work that ends when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, input: Mapping[str, Any], tell: Tell) -> str:
        self.begun.set()
        await self.go_on.wait()
        return "what came of it"


async def quick(input: Mapping[str, Any], tell: Tell) -> str:
    return "done"


def database(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(home / "tasks/tasks.sqlite", isolation_level=None)


async def filled(home: Path) -> in_process.InProcess:
    """With one task that has ended."""
    runner = opened(home)
    runner.define("quick", quick)
    async with asyncio.timeout(WITHIN):
        await runner.wait((await runner.start("quick", {}, title="the first")).id)
    return runner


async def test_a_locked_register_holds_nobody_up_and_how_a_task_ended_is_written_once_it_can_be(tmp_path: Path) -> None:
    runner, work = await filled(tmp_path), Gated()
    runner.define("gated", work)
    task = await runner.start("gated", {}, title="the second")
    await work.begun.wait()
    with closing(database(tmp_path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        work.go_on.set()
        for _ in range(20):
            await asyncio.sleep(0.01)  # the end of the task waits for the register, and this loop does not
        assert (await runner.get(task.id)).result == "what came of it"
        other.execute("COMMIT")
    async with asyncio.timeout(WITHIN):
        assert (await runner.wait(task.id)).state == "done"
    await runner.aclose()
    assert (await opened(tmp_path).get(task.id)).state == "done"


async def test_how_a_task_ended_that_could_not_be_written_is_written_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("protea.adapters.task_runner._table.TIMEOUT", 0.05)
    runner, work = await filled(tmp_path), Gated()
    runner.define("gated", work)
    task = await runner.start("gated", {}, title="the second")
    await work.begun.wait()
    with closing(database(tmp_path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        work.go_on.set()
        async with asyncio.timeout(WITHIN):
            ended = await runner.wait(task.id)
        assert (ended.state, ended.result) == ("done", "what came of it")
        other.execute("COMMIT")
    await runner.aclose()
    assert (await opened(tmp_path).get(task.id)).state == "done", "it was running for ever, and then lost"


@pytest.mark.parametrize("damage", [b"no database at all\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_damaged_register_is_kept_aside_and_a_new_one_begun(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/tasks.sqlite").write_bytes(damage)
    runner = await filled(tmp_path)
    assert [task.title for task in await runner.list()] == ["the first"]
    await runner.aclose()
    (kept,) = (tmp_path / "tasks").glob("tasks.sqlite.damaged-*")
    assert kept.read_bytes() == damage


async def test_what_a_task_brings_comes_though_somebody_has_removed_the_register(tmp_path: Path) -> None:
    runner, work = await filled(tmp_path), Gated()
    runner.define("gated", work)
    task = await runner.start("gated", {}, title="the second")
    await work.begun.wait()
    (tmp_path / "tasks/tasks.sqlite").unlink()
    work.go_on.set()
    async with asyncio.timeout(WITHIN):
        ended = await runner.wait(task.id)
    assert (ended.state, ended.result) == ("done", "what came of it")
    await runner.aclose()


async def test_a_register_that_a_later_version_has_widened_is_written_to(tmp_path: Path) -> None:
    await (await filled(tmp_path)).aclose()
    with closing(database(tmp_path)) as later:
        later.execute("ALTER TABLE tasks ADD COLUMN urgent INTEGER NOT NULL DEFAULT 5")
    runner = await filled(tmp_path)
    assert [task.state for task in await runner.list()] == ["done", "done"]
    await runner.aclose()


@pytest.mark.parametrize("name", ["../beyond", "nul\0in it", "o" * 5000, "", "a pipe"])
async def test_whatever_stands_in_the_register_costs_its_row_and_nothing_else(tmp_path: Path, name: str) -> None:
    await (await filled(tmp_path)).aclose()
    os.mkfifo(tmp_path / "tasks/a pipe.lock")
    (tmp_path / "beyond.lock").touch()
    task = {"id": name, "kind": "quick", "title": "odd", "state": "running", "input": {}, "started": "2026"}
    with closing(database(tmp_path)) as anybody:
        row = (name, "s", "2026", "running", name, 0, json.dumps(task).encode())
        anybody.execute("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    runner = opened(tmp_path)
    async with asyncio.timeout(WITHIN):
        assert {each.title: each.state for each in await runner.list()} == {"odd": "running", "the first": "done"}
        assert [each.state for each in await runner.recover()] == ["lost"]
    await runner.aclose()
    assert (tmp_path / "beyond.lock").exists()


@pytest.mark.parametrize("given", ["half a pair \udcff", b"bytes", 5, None])
async def test_whatever_work_gives_its_task_ends(tmp_path: Path, given: Any) -> None:
    async def work(input: Mapping[str, Any], tell: Tell) -> str:
        answer: str = given
        return answer

    runner = await filled(tmp_path)
    runner.define("odd", work)
    task = await runner.start("odd", {"given": "\udcff"}, title="odd \udcff")
    async with asyncio.timeout(WITHIN):
        ended = await runner.wait(task.id)
    assert ended.state == ("done" if isinstance(given, str) else "failed")
    assert isinstance(ended.result, str)
    await runner.aclose()


async def test_an_engine_that_could_not_begin_can_begin_later(tmp_path: Path) -> None:
    runner: durable.Durable = opened_durable(tmp_path)
    runner.define("quick", quick)
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/durable.sqlite").write_bytes(b"no database at all\n" * 100)
    async with asyncio.timeout(WITHIN):
        failed = await runner.wait((await runner.start("quick", {}, title="too early")).id)
        assert (failed.state, "the durable engine cannot begin" in failed.result) == ("failed", True)
        (tmp_path / "tasks/durable.sqlite").unlink()
        assert (await runner.wait((await runner.start("quick", {}, title="later")).id)).state == "done"
        await runner.aclose()
