from __future__ import annotations

import time
from datetime import datetime

from protea.adapters.clock import system
from protea.testing.contracts.clock import ClockContract


class TestSystemClock(ClockContract):
    def clock(self) -> system.SystemClock:
        return system.create(system.Options())


def test_now_is_now() -> None:
    before = time.time()
    now = datetime.fromisoformat(system.create(system.Options()).now()).timestamp()
    assert before - 0.001 <= now <= time.time()
