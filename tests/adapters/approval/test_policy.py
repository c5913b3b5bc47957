from __future__ import annotations

from protea.adapters.approval import policy
from protea.testing.contracts.approval import ApprovalContract


class TestPolicyApproval(ApprovalContract):
    def approval(self) -> policy.PolicyApproval:
        return policy.create(policy.Options())

    def test_every_question_is_refused(self) -> None:
        answer = self.approval().answer(self.question())
        assert answer is not None
        assert (answer.decision, answer.by) == ("deny", "policy")
