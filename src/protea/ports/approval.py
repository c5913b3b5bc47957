"""The port that says who answers a question. Swap class: hot."""

from __future__ import annotations

from typing import Protocol

from protea.domain.events import ApprovalRequested, ApprovalResolved


class Approval(Protocol):
    """Answers at once, or leaves it to a person.

    `interactive` always returns None: the question stays open until a `ResolveApproval` comes from any client.
    `policy` answers no, for runs where nobody is there.
    """

    def answer(self, question: ApprovalRequested) -> ApprovalResolved | None: ...
