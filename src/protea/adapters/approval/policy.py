"""Nobody is there: every question is answered no at once."""

from __future__ import annotations

import msgspec

from protea.domain.events import ApprovalRequested, ApprovalResolved


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class PolicyApproval:
    """Refuses, and says that it was no person who did."""

    def answer(self, question: ApprovalRequested) -> ApprovalResolved | None:
        return ApprovalResolved(id=question.id, decision="deny", by="policy")


def create(options: Options) -> PolicyApproval:
    return PolicyApproval()
