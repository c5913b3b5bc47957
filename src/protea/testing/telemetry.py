"""Telemetry that is kept, to look at."""

from __future__ import annotations

from protea.ports.telemetry import Span, Value


class Recorded:
    """A span that was begun."""

    def __init__(self, name: str, within: Span | None, attributes: dict[str, Value]) -> None:
        self.name = name
        self.within = within
        self.attributes = attributes
        self.ended = False
        self.failed = ""

    def end(self, failed: str = "", /, **attributes: Value) -> None:
        if not self.ended:
            self.ended, self.failed = True, failed
            self.attributes.update(attributes)


class RecordingTelemetry:
    """`Telemetry` that keeps `spans` in the order they began, and the sums of its counters in `counts`."""

    def __init__(self) -> None:
        self.spans: list[Recorded] = []
        self.counts: dict[str, float] = {}

    def begin(self, name: str, within: Span | None = None, /, **attributes: Value) -> Span:
        self.spans.append(Recorded(name, within, attributes))
        return self.spans[-1]

    def count(self, name: str, value: float = 1, /, **attributes: Value) -> None:
        self.counts[name] = self.counts.get(name, 0) + value
