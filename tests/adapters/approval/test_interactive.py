from __future__ import annotations

from protea.adapters.approval import interactive
from protea.testing.contracts.approval import ApprovalContract


class TestInteractiveApproval(ApprovalContract):
    def approval(self) -> interactive.InteractiveApproval:
        return interactive.create(interactive.Options())

    def test_every_question_stays_open_for_a_person(self) -> None:
        assert self.approval().answer(self.question()) is None
