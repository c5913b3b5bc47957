"""What every `Approval` keeps."""

from __future__ import annotations

from protea.domain.events import ApprovalRequested
from protea.domain.messages import ToolCall
from protea.ports.approval import Approval


class ApprovalContract:
    def approval(self) -> Approval:
        raise NotImplementedError

    def question(self, id: str = "a_1") -> ApprovalRequested:
        call = ToolCall(id="c1", name="Bash", arguments={"command": "git push"})
        return ApprovalRequested(id=id, call=call, why="no rule allows git push", proposals=("Bash(git push)",))

    def test_an_answer_names_its_question(self) -> None:
        answer = self.approval().answer(self.question("a_7"))
        assert answer is None or answer.id == "a_7"

    def test_an_answer_that_no_person_gave_says_so(self) -> None:
        answer = self.approval().answer(self.question())
        assert answer is None or answer.by != "user"

    def test_nobody_who_was_not_asked_allows_anything_for_good(self) -> None:
        answer = self.approval().answer(self.question())
        assert answer is None or answer.decision in ("once", "deny")

    def test_the_same_question_gets_the_same_answer(self) -> None:
        approval = self.approval()
        assert approval.answer(self.question()) == approval.answer(self.question())
