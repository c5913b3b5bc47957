from __future__ import annotations

import re

from protea.adapters.ids import system
from protea.testing.clock import FakeClock
from protea.testing.contracts.ids import IdsContract


class TestSystemIds(IdsContract):
    def ids(self) -> system.SystemIds:
        return system.create(system.Options(), clock=FakeClock())


def test_session_ids_carry_the_time() -> None:
    ids = system.create(system.Options(), clock=FakeClock("2026-11-21T04:05:06.789Z"))
    assert re.fullmatch(r"20261121-040506-[a-z2-9]{4}", ids.session())


def test_session_ids_of_later_seconds_sort_later() -> None:
    clock = FakeClock()
    ids = system.create(system.Options(), clock=clock)
    made = []
    for _ in range(100):
        made.append(ids.session())
        clock.advance(1)
    assert made == sorted(made)


def test_sessions_of_one_second_differ() -> None:
    ids = system.create(system.Options(), clock=FakeClock())
    assert len({ids.session() for _ in range(50)}) >= 49
