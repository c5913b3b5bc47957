"""Each way to say what to do unasked through the contract of its port, and the list that a person writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from protea.adapters.proactive import checklist, none
from protea.domain.surroundings import Surroundings
from protea.ports.proactive import Proactive
from protea.testing.clock import FakeClock
from protea.testing.contracts.proactive import ProactiveContract

LIST = """# What to look after
- [ ] every 30m: Is the build green?
- [ ] Look after the backup.
* [ ] 3 things: wash, dry, iron
- [x] every 1h: Not for now.
- [ ] Look after the backup.
Just a line.
"""


def opened(home: Path, clock: FakeClock) -> checklist.Checklist:
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home=str(home), environment={})
    return checklist.create(checklist.Options(), clock=clock, surroundings=around)


class TestNoProactive(ProactiveContract):
    def proactive(self) -> Proactive:
        return none.create(none.Options())


class TestChecklist(ProactiveContract):
    @pytest.fixture(autouse=True)
    def _list(self, tmp_path: Path) -> None:
        (tmp_path / "HEARTBEAT.md").write_text("- [ ] every 30m: Is it green?\n- [ ] every 1d: Water the figs.\n")
        self._made = opened(tmp_path, FakeClock())

    def proactive(self) -> Proactive:
        return self._made


def test_open_errands_are_due_and_each_once(tmp_path: Path) -> None:
    (tmp_path / "HEARTBEAT.md").write_text(LIST)
    due = opened(tmp_path, FakeClock()).due()
    assert [errand.text for errand in due] == [
        "Is the build green?", "Look after the backup.", "3 things: wash, dry, iron",
    ]  # fmt: skip
    assert due[0].source == f"{tmp_path}/HEARTBEAT.md:2"


def test_what_was_done_is_due_again_when_its_time_comes_also_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "HEARTBEAT.md").write_text("- [ ] every 30m: Is the build green?\n")
    proactive = opened(tmp_path, clock)
    proactive.done(proactive.due()[0])
    clock.advance(1700)
    assert list(opened(tmp_path, clock).due()) == []
    clock.advance(200)
    assert len(opened(tmp_path, clock).due()) == 1


def test_a_time_of_the_day_is_waited_for(tmp_path: Path) -> None:
    clock = FakeClock("2026-11-21T04:05:06.000Z")
    path = tmp_path / "HEARTBEAT.md"
    path.write_text("- [ ] @hourly: Chime.\n")
    os.utime(path, (clock_seconds := 1795233906, clock_seconds))
    proactive = opened(tmp_path, clock)
    assert list(proactive.due()) == []
    clock.advance(3600)
    assert [errand.text for errand in proactive.due()] == ["Chime."]


def test_a_changed_list_is_read_again_and_one_that_is_gone_says_nothing(tmp_path: Path) -> None:
    proactive = opened(tmp_path, FakeClock())
    assert list(proactive.due()) == []
    (tmp_path / "HEARTBEAT.md").write_text("- [ ] One.\n")
    assert len(proactive.due()) == 1
    (tmp_path / "HEARTBEAT.md").write_text("- [ ] One.\n- [ ] Another.\n")
    assert len(proactive.due()) == 2
    (tmp_path / "HEARTBEAT.md").unlink()
    assert list(proactive.due()) == []
    os.mkfifo(tmp_path / "HEARTBEAT.md")
    assert list(proactive.due()) == []
