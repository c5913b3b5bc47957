"""Questions stay open until a person answers from any client."""

from __future__ import annotations

import msgspec

from protea.domain.events import ApprovalRequested, ApprovalResolved


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class InteractiveApproval:
    """Never answers by itself."""

    def answer(self, question: ApprovalRequested) -> ApprovalResolved | None:
        return None


def create(options: Options) -> InteractiveApproval:
    return InteractiveApproval()
