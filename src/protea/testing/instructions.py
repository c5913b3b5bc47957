"""Instructions from a table: what each directory would have said."""

from __future__ import annotations

from collections.abc import Mapping

from protea.ports.instructions import Instruction


class FixedInstructions:
    """`Instructions` that are the same wherever they are loaded."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._found = tuple(Instruction(path=path, text=text) for path, text in texts.items())

    def load(self, cwd: str) -> tuple[Instruction, ...]:
        return self._found
