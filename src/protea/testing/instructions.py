"""Instructions from a table: what each directory would have said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protea.ports.instructions import Instruction


class FixedInstructions:
    """`Instructions` that are the same wherever they are loaded; `nearby` says what touching a file brings up."""

    def __init__(self, texts: Mapping[str, str], nearby: Mapping[str, Instruction] | None = None) -> None:
        self._found = tuple(Instruction(path=path, text=text) for path, text in texts.items())
        self._nearby = dict(nearby or {})

    def load(self, cwd: str) -> tuple[Instruction, ...]:
        return self._found

    def near(self, cwd: str, files: Sequence[str]) -> tuple[Instruction, ...]:
        return tuple(dict.fromkeys(self._nearby[file] for file in files if file in self._nearby))
