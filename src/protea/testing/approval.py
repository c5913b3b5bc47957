"""An approval that answers by a script, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterable

from protea.domain.events import Answer, ApprovalRequested, ApprovalResolved


class ScriptedApproval:
    """`Approval` that gives its answers in order; when they are used up, questions stay open."""

    def __init__(self, answers: Iterable[Answer | None] = ()) -> None:
        self._answers = list(answers)
        self.asked: list[ApprovalRequested] = []

    def answer(self, question: ApprovalRequested) -> ApprovalResolved | None:
        self.asked.append(question)
        decision = self._answers.pop(0) if self._answers else None
        return None if decision is None else ApprovalResolved(id=question.id, decision=decision, by="script")
