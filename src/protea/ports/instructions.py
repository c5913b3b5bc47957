"""The port to instruction files (AGENTS.md and kin). Swap class: hot."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Instruction(msgspec.Struct, frozen=True):
    path: str
    text: str


class Instructions(Protocol):
    """What the person and the project want every session to know."""

    def load(self, cwd: str) -> tuple[Instruction, ...]:
        """From the user's own down to the nearest to `cwd`. Unreadable ones are left out."""
        ...
