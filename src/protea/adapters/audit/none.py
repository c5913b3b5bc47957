"""Nothing is written down."""

from __future__ import annotations

import msgspec

from protea.domain.audit import AuditRecord
from protea.ports.audit import Audit


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to choose."""


def create(options: Options) -> Audit:
    return NoAudit()


class NoAudit:
    """`Audit` that forgets."""

    def record(self, record: AuditRecord) -> None:
        """Forgotten."""
