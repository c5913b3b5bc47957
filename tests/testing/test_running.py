"""Suites run without a test runner: what is kept, what is broken and why, what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protea.composition.catalogue import SWAP_CLASSES
from protea.ports.clock import Clock
from protea.testing.clock import FakeClock
from protea.testing.memory import ListMemory
from protea.testing.notifier import RecordingNotifier
from protea.testing.running import Verdict, has_suite, run_suite, suite
from protea.testing.scheduler import ListScheduler
from protea.testing.secrets import GivenSecrets


def run(port: str, adapter: Any, folder: Path, **more: Any) -> dict[str, Verdict]:
    return {each.promise: each for each in run_suite(port, lambda below, **given: adapter, str(folder), **more)}


class Forgetful(ListMemory):
    """Forgets where a note came from."""

    async def remember(self, text: str, *, source: str, tags: Any = ()) -> Any:
        return await super().remember(text, source="nobody knows", tags=tags)


class Faulty(RecordingNotifier):
    async def notify(self, notification: Any) -> bool:
        raise LookupError("no terminal\nat all")


def test_an_adapter_that_keeps_its_promises_is_said_to(tmp_path: Path) -> None:
    verdicts = run("notifier", RecordingNotifier(), tmp_path)
    assert [each.outcome for each in verdicts.values()] == ["kept", "kept"]
    assert "no text is too odd to be told" in verdicts


def test_a_broken_promise_is_told_with_what_was_not_so(tmp_path: Path) -> None:
    made: dict[str, Forgetful] = {}

    def make(below: str, **given: Any) -> Forgetful:
        return made.setdefault(below, Forgetful())

    verdicts = {each.promise: each for each in run_suite("memory", make, str(tmp_path))}
    broken = {name: each.why for name, each in verdicts.items() if each.outcome == "broken"}
    assert list(broken) == ["what was kept is listed with where it came from"]
    assert "note.source" in broken["what was kept is listed with where it came from"]


def test_what_an_adapter_raises_is_told_in_a_line(tmp_path: Path) -> None:
    for verdict in run("notifier", Faulty(), tmp_path).values():
        assert (verdict.outcome, verdict.why) == ("broken", "LookupError: no terminal at all")


def test_what_only_its_own_tests_can_know_is_left_out(tmp_path: Path) -> None:
    verdicts = run("secrets", GivenSecrets({}), tmp_path)
    assert {each.outcome for each in verdicts.values()} == {"left out"}


def test_a_suite_may_bring_other_ports_along(tmp_path: Path) -> None:
    seen: list[Clock] = []
    kept: dict[str, ListScheduler] = {}

    def make(below: str, *, clock: Clock) -> ListScheduler:
        seen.append(clock)
        return kept.setdefault(below, ListScheduler(clock))

    assert {each.outcome for each in run_suite("scheduler", make, str(tmp_path))} == {"kept"}
    assert all(isinstance(clock, FakeClock) for clock in seen)


@pytest.mark.parametrize("port", [port for port in SWAP_CLASSES if has_suite(port)])
def test_every_port_that_can_be_swapped_has_a_suite_to_run(port: str) -> None:
    assert any(name.startswith("test_") for name in dir(suite(port)))
