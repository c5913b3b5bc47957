from __future__ import annotations

from protea.adapters.instructions import none
from protea.testing.contracts.instructions import InstructionsContract


class TestNoInstructions(InstructionsContract):
    def instructions(self) -> none.NoInstructions:
        return none.create(none.Options())

    def directory(self) -> str:
        return "/"

    def test_nothing_is_read(self) -> None:
        assert self.instructions().load("/") == ()
