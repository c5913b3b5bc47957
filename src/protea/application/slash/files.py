"""What turns did to files: `/undo`, `/redo`, `/diff`."""

from __future__ import annotations

from typing import Any

from protea.application.slash.call import Answer, Call
from protea.domain import turn_changes
from protea.domain.commands import Redo, Undo
from protea.domain.errors import UsageError


async def undo(call: Call) -> Answer:
    turns, dry_run = _turns_of(call.rest)
    if dry_run:
        return await _preview(call, "undo", turns or 1)
    await call.gateway.submit(call.session, Undo(turns=turns or 1, by=call.by))
    return Answer()


async def redo(call: Call) -> Answer:
    turns, dry_run = _turns_of(call.rest)
    if dry_run:
        return await _preview(call, "redo", turns or 1)
    await call.gateway.submit(call.session, Redo(turns=turns or 1, by=call.by))
    return Answer()


async def _preview(call: Call, direction: str, turns: int) -> Answer:
    previews = (await call.gateway.describe("undo", call.session))[direction]
    turn_changes.require(direction, len(previews), turns)
    preview = previews[turns - 1]
    return Answer(preview["missing"] or preview["text"], preview)


async def diff(call: Call) -> Answer:
    changes: dict[str, Any] = await call.gateway.describe("changes", call.session)
    turns, _ = _turns_of(call.rest)
    if turns is None:
        return Answer(changes["diff"] or changes["missing"] or "No turn has changed a file.\n", changes)
    standing = [each for each in changes["turns"] if not each["undone"]][-turns:]
    return Answer("".join(each["diff"] for each in standing) or "No turn has changed a file.\n", changes)


def _turns_of(rest: str) -> tuple[int | None, bool]:
    """How many turns, where that is said, and whether it is only to be told what would happen."""
    words = rest.split()
    dry_run = bool(words) and words[-1] in ("--dry-run", "-n")
    words = words[:-1] if dry_run else words
    if not words:
        return None, dry_run
    if len(words) > 1 or not words[0].isdecimal() or not 1 <= int(words[0]) <= 10_000:
        raise UsageError(f"the number of turns is expected, from 1, not {rest!r}")
    return int(words[0]), dry_run
