"""A persona of fixed words, which tells what it was given."""

from __future__ import annotations


class FixedPersona:
    """`Persona` that says the same everywhere."""

    def __init__(self, *parts: str) -> None:
        self._parts = parts
        self.given: list[tuple[str, str, str, tuple[str, ...]]] = []
        """(cwd, model, mode, tools) of each request."""

    def system(self, *, cwd: str, model: str, mode: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        self.given.append((cwd, model, mode, tools))
        return self._parts
