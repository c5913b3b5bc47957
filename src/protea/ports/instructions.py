"""The port to instruction files (AGENTS.md and kin). Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
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

    def near(self, cwd: str, files: Sequence[str]) -> tuple[Instruction, ...]:
        """What only concerns some files (absolute), of those that `load(cwd)` does not give: told once one of them is
        touched. Each path once, the outermost first; unreadable ones are left out."""
        ...
