"""The port that says who the agent is. Swap class: hot."""

from __future__ import annotations

from typing import Protocol


class Persona(Protocol):
    """Parts of the system prompt. Stable: the same session gives the same bytes at every request."""

    def system(self, *, cwd: str, model: str, mode: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        """The parts, the most stable first. No clock time in them: a date at most."""
        ...
