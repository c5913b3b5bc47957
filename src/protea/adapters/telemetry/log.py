"""Spans and counters as JSON lines, one file for all sessions: `logs/telemetry.jsonl`."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Annotated, Any

import msgspec

from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.telemetry import Span, Value

NAME = "telemetry.jsonl"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str | None = None
    """Absolute; `logs/telemetry.jsonl` in Protea's home where it is left out."""
    most_bytes: Annotated[int, msgspec.Meta(ge=4096)] = 10_000_000
    """A file that has grown larger is set aside as `….1`, in the place of the one before."""


class _Open:
    """A span that has begun."""

    def __init__(self, telemetry: LogTelemetry, line: dict[str, Any], begin: float) -> None:
        self._telemetry = telemetry
        self._line: dict[str, Any] | None = line
        self._begin = begin
        self.id: int = line["id"]

    def end(self, failed: str = "", /, **attributes: Value) -> None:
        if self._line is not None:
            line, self._line = self._line, None
            self._telemetry.ended(line, self._begin, failed, attributes)


class LogTelemetry:
    """A span is a line when it ends: its name, when it began, how long it took, the span it was within."""

    def __init__(self, path: str, most_bytes: int, clock: Clock) -> None:
        self._path = path
        self._most = most_bytes
        self._clock = clock
        self._last = 0

    def begin(self, name: str, within: Span | None = None, /, **attributes: Value) -> Span:
        self._last += 1
        line: dict[str, Any] = {"span": name, "id": self._last, "at": self._clock.now(), "attributes": attributes}
        if isinstance(within, _Open):
            line["within"] = within.id
        return _Open(self, line, self._clock.monotonic())

    def count(self, name: str, value: float = 1, /, **attributes: Value) -> None:
        self._write({"counter": name, "add": value, "at": self._clock.now(), "attributes": attributes})

    def ended(self, line: dict[str, Any], begin: float, failed: str, attributes: dict[str, Value]) -> None:
        """Called by its spans."""
        line["seconds"] = round(self._clock.monotonic() - begin, 6)
        line["attributes"] = {**line["attributes"], **attributes}
        if failed:
            line["failed"] = failed
        self._write(line)

    def _write(self, line: dict[str, Any]) -> None:
        """One line by one call, so that processes that share the file do not mix theirs."""
        with suppress(OSError, ValueError):  # a promise of the port: what watches disturbs nobody
            self._make_room()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, msgspec.json.encode({"process": os.getpid(), **line}) + b"\n")
            finally:
                os.close(descriptor)

    def _make_room(self) -> None:
        try:
            if os.stat(self._path).st_size > self._most:
                os.replace(self._path, f"{self._path}.1")
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)


def create(options: Options, *, clock: Clock, surroundings: Surroundings) -> LogTelemetry:
    path = options.file or os.path.join(surroundings.protea_home, "logs", NAME)
    return LogTelemetry(path, options.most_bytes, clock)
