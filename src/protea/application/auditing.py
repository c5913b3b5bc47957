"""Writes down what is decided about one call and that it runs. Made by `tool_runner`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from protea.domain.errors import StoreError
from protea.domain.events import ApprovalResolved
from protea.domain.permission import Decision, PermissionRequest

if TYPE_CHECKING:  # most sessions keep no record
    from protea.domain.audit import Kind
    from protea.ports.audit import Audit


class AuditError(StoreError):
    """A record could not be written: what it is about must not happen."""


class Books:
    """Of one call."""

    def __init__(
        self, audit: Audit | None, now: Callable[[], str], session: str, call: str, request: PermissionRequest
    ) -> None:
        self._audit = audit
        self._now = now
        self._session = session
        self._call = call
        self._request = request

    def decided(self, decision: Decision) -> None:
        """Raises `AuditError`, as do the others."""
        request = self._request
        self._write(
            "decision",
            arguments=request.arguments,
            cwd=request.cwd,
            root=request.root,
            mode=request.mode,
            trusted=request.trusted,
            interactive=request.interactive,
            verdict=decision.verdict,
            why=decision.why,
            rule=decision.rule,
            source=decision.source,
            trace=decision.trace,
            effects=decision.effects,
        )

    def answered(self, answer: ApprovalResolved) -> None:
        self._write("answer", verdict=answer.decision, why=answer.comment or "", by=answer.by, rules=answer.rules)

    def runs(self) -> None:
        """It is about to, with the arguments that were decided about."""
        self._write("execution")

    def _write(self, kind: Kind, *, arguments: dict[str, Any] | None = None, **fields: Any) -> None:
        if self._audit is None:
            return
        from protea.domain.audit import AuditRecord, shortened

        try:
            self._audit.record(
                AuditRecord(
                    at=self._now(),
                    kind=kind,
                    session=self._session,
                    call=self._call,
                    tool=self._request.tool,
                    arguments=shortened(arguments or {}),
                    **fields,
                )
            )
        except StoreError as error:
            raise AuditError(str(error)) from error
