"""What every `Clock` keeps."""

from __future__ import annotations

import re

from protea.ports.clock import Clock

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class ClockContract:
    def clock(self) -> Clock:
        raise NotImplementedError

    def test_now_is_rfc_3339_in_utc_with_milliseconds(self) -> None:
        assert RFC_3339.fullmatch(self.clock().now())

    def test_the_monotonic_clock_does_not_run_backwards(self) -> None:
        clock = self.clock()
        seen = [clock.monotonic() for _ in range(100)]
        assert seen == sorted(seen)

    async def test_sleeping_no_time_returns(self) -> None:
        await self.clock().sleep(0)
