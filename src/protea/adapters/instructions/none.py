"""No instruction files are read."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.ports.instructions import Instruction


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoInstructions:
    def load(self, cwd: str) -> tuple[Instruction, ...]:
        return ()

    def near(self, cwd: str, files: Sequence[str]) -> tuple[Instruction, ...]:
        return ()


def create(options: Options) -> NoInstructions:
    return NoInstructions()
