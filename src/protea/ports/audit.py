"""The port to the record of what was decided and what was run. Swap class: hot."""

from __future__ import annotations

from typing import Protocol

from protea.domain.audit import AuditRecord


class Audit(Protocol):
    """Append only."""

    def record(self, record: AuditRecord) -> None:
        """Write it down; `seq`, `before` and `hash` are filled in. Quick.

        After it returns the record survives the death of this process. Raises `StoreError` where it cannot be written:
        then what it is about must not happen.
        """
        ...
