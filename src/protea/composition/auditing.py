"""Reads the audit log: for `protea perm audit`, `perm why` and `perm test`. Called by `cli`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC

from protea.composition.launch import Launch
from protea.composition.surroundings import protea_home
from protea.domain.audit import AuditRecord, Verified, records, verify


def folder(launch: Launch) -> str:
    return os.path.join(protea_home(launch.environment), "audit")


def verified(launch: Launch) -> Verified:
    """Raises `StoreError` where a file cannot be read."""
    from protea.adapters.audit.file import files

    return verify(files(folder(launch)))


def of_call(launch: Launch, call: str, session: str = "") -> list[AuditRecord]:
    """What was written down of the latest call of that id (in a session whose id begins so), in order."""
    found: list[AuditRecord] = []
    for record in _all(launch):
        if record.call == call and record.session.startswith(session):
            if record.kind == "decision":
                found = []  # ids come again; the latest is meant
            found.append(record)
    return found


def decisions(launch: Launch, since: str) -> Iterator[AuditRecord]:
    """All decisions from a moment on (RFC 3339)."""
    return (record for record in _all(launch) if record.kind == "decision" and record.at >= since)


def answers(launch: Launch, since: str) -> dict[tuple[str, str], AuditRecord]:
    """(session, call) → what was answered."""
    return {(each.session, each.call): each for each in _all(launch) if each.kind == "answer" and each.at >= since}


def days_ago(days: float) -> str:
    """A moment, as records have it."""
    from datetime import datetime, timedelta  # only here

    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S")


def _all(launch: Launch) -> Iterator[AuditRecord]:
    from protea.adapters.audit.file import files

    for _, lines in files(folder(launch)):
        yield from records(lines)
