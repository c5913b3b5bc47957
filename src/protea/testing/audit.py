"""An audit log in a list."""

from __future__ import annotations

from protea.domain.audit import BEGINNING, AuditRecord, chained, read
from protea.domain.errors import StoreError


class ListAudit:
    """`Audit` that keeps its lines in `lines`; with `full` it fails as a full disk would."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.lines: list[bytes] = []
        self._last = BEGINNING

    def record(self, record: AuditRecord) -> None:
        if self.full:
            raise StoreError("the audit log cannot be written: no space left on device")
        line, self._last = chained(record, len(self.lines) + 1, self._last)
        self.lines.append(line)

    @property
    def records(self) -> list[AuditRecord]:
        return [record for line in self.lines if (record := read(line)) is not None]
