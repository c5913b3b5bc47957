"""The port to spans and counters, for whoever looks at how Protea runs. Swap class: hot."""

from __future__ import annotations

from typing import Protocol

Value = str | int | float | bool
"""What an attribute may be."""


class Span(Protocol):
    """Something that takes a while."""

    def end(self, failed: str = "", /, **attributes: Value) -> None:
        """It is over; `failed` names what went wrong, empty where nothing did. Ending it again does nothing. One that
        is never ended may never be seen."""
        ...


class Telemetry(Protocol):
    """Watches and changes nothing: no method waits or raises, whatever becomes of what it was told.

    No text of a prompt, an answer or a file is ever an attribute.
    """

    def begin(self, name: str, within: Span | None = None, /, **attributes: Value) -> Span:
        """Something begins now, as a part of `within`, a span this very telemetry began."""
        ...

    def count(self, name: str, value: float = 1, /, **attributes: Value) -> None:
        """Add to a counter."""
        ...
