"""What every `Audit` keeps."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.audit import AuditRecord, verify
from protea.ports.audit import Audit


class AuditContract:
    def audit(self) -> Audit:
        """The same log, or another view of the same place, at every call within one test."""
        raise NotImplementedError

    def lines(self) -> Sequence[bytes] | None:
        """What was written; None where nothing is kept by design."""
        raise NotImplementedError

    def _record(self, call: str) -> AuditRecord:
        return AuditRecord(at="2026-01-01T00:00:00Z", kind="execution", session="s", call=call, tool="Bash")

    def test_records_are_chained_in_the_order_they_came(self) -> None:
        for call in ("c1", "c2", "half a character \ud800", "c4"):
            self.audit().record(self._record(call))
        lines = self.lines()
        if lines is None:
            return
        found = verify([("log", lines)])
        assert (found.records, found.broken) == (4, ())

    def test_what_was_changed_is_noticed(self) -> None:
        for call in ("c1", "c2", "c3"):
            self.audit().record(self._record(call))
        lines = self.lines()
        if lines is None:
            return
        changed = [lines[0], lines[1].replace(b'"c2"', b'"c9"'), lines[2]]
        assert [each.line for each in verify([("log", changed)]).broken] == [2]
        assert [each.line for each in verify([("log", [lines[0], lines[2]])]).broken] == [2]
        assert [each.line for each in verify([("log", [lines[1], lines[2]])]).broken] == [1]
        assert verify([("log", [lines[1], lines[0], lines[2]])]).broken
