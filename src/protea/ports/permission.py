"""The port that decides what may be done. Swap class: hot."""

from __future__ import annotations

from typing import Protocol

from protea.domain.permission import Decision, PermissionRequest


class Permission(Protocol):
    """Allow, ask or deny, with the reason.

    Deterministic for one state of the file system; quick (under 5 ms for ordinary requests) and never raises on bad
    arguments: what cannot be understood asks. It reads the file system (real paths, globs) and changes nothing.
    """

    def decide(self, request: PermissionRequest) -> Decision: ...
