"""Undo and redo: what turns do to files is taken down, taken back and done again. Made by `session`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from protea.application.hub import Hub
from protea.domain.changes import MOST_FILES, ChangedFile, Changes, Direction, FileDiff, restored_text
from protea.domain.commands import Redo, Undo
from protea.domain.errors import StoreError
from protea.domain.events import FilesChanged, FilesRestored, NoticeGiven
from protea.domain.tools import ToolSpec
from protea.domain.turn_changes import TurnChanges
from protea.ports.checkpoint import Checkpoint

NOTHING_KEPT = "nothing is kept that could be undone: the checkpoint port is filled by none"
MOST_PREVIEWS = 50
WRITES_IN_SIGHT = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit", "Patch"})
"""Tools that write through the workspace, which takes down each file before it is written."""


class Undoing:
    """For one session."""

    def __init__(self, checkpoint: Checkpoint, hub: Hub, standing: Callable[[], TurnChanges]) -> None:
        self._checkpoint = checkpoint
        self._hub = hub
        self._standing = standing
        self._turn = ""
        self.changed = False
        """Whether a call of the turn that began last may have changed something."""

    def begin(self, turn: str) -> None:
        self._turn, self.changed = turn, False
        self._checkpoint.begin(self._hub.session, turn)

    @asynccontextmanager
    async def around(
        self, spec: ToolSpec, arguments: Mapping[str, Any], cwd: str, *, harmless: bool
    ) -> AsyncIterator[None]:
        """While a call runs. One that is known to change nothing, or writes in sight, costs nothing here."""
        effects = set(spec.effects)
        if harmless or not effects & {"proc.exec", "fs.write"}:
            yield
            return
        self.changed = True
        if spec.name in WRITES_IN_SIGHT:
            yield
            return
        async with self.around_program(arguments, cwd):
            yield

    @asynccontextmanager
    async def around_program(self, arguments: Mapping[str, Any], cwd: str) -> AsyncIterator[None]:
        """While a program runs that may change anything. `arguments`: what is known of which files it will be."""
        words = [value for value in arguments.values() if isinstance(value, str)]
        await self._checkpoint.before_command(words, cwd)
        try:
            yield
        finally:
            await self._checkpoint.after_command()

    async def finish(self) -> None:
        """Record what the turn that began last has changed."""
        try:
            changes = await self._checkpoint.finish()
        except StoreError as error:
            self._hub.record(NoticeGiven(level="warning", text=f"This turn cannot be undone: {error}"))
            return
        self._record(self._turn, changes)

    async def recover(self, turn: str) -> None:
        """The same for a turn whose process died."""
        try:
            changes = await self._checkpoint.recover(self._hub.session, turn)
        except StoreError as error:
            self._hub.record(NoticeGiven(level="warning", text=f"The interrupted turn cannot be undone: {error}"))
            return
        self._record(turn, changes)

    def _record(self, turn: str, changes: Changes | None) -> None:
        if changes is not None:
            files, more = _first(changes.files)
            self._hub.record(
                FilesChanged(
                    turn=turn,
                    checkpoint=changes.checkpoint,
                    files=files,
                    more=more,
                    uncovered=changes.uncovered[:MOST_FILES],
                )
            )

    async def restore(self, command: Undo | Redo) -> None:
        """Raises `UsageError` where there is nothing to restore, `StoreError` where it is not kept any more."""
        direction: Direction = "undo" if isinstance(command, Undo) else "redo"
        standing = self._standing()
        if direction == "redo":
            turns = standing.to_redo(command.turns)
        else:
            turns = await _rest_of(standing, self._checkpoint) if command.turns == 1 else ()
            turns = turns or standing.to_undo(command.turns)
        restored = await self._checkpoint.restore([each.checkpoint for each in turns], direction)
        files, more = _first(restored.files)
        await self._hub.commit(
            FilesRestored(
                direction=direction,
                turns=tuple(each.turn for each in turns),
                files=files,
                more=more,
                skipped=restored.skipped[:MOST_FILES],
                by=command.by,
            )
        )


async def _rest_of(standing: TurnChanges, checkpoint: Checkpoint) -> tuple[FilesChanged, ...]:
    """The turns that were taken back last with something left as it was, where that can be taken back by now."""
    for turns in reversed(standing.partly):
        try:
            found = await checkpoint.restore([each.checkpoint for each in turns], "undo", dry_run=True)
        except StoreError:
            continue  # it is not kept any more
        if found.files:
            return turns
    return ()


async def previews_of(standing: TurnChanges, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """`describe("undo")`: what an undo or redo of one turn, of two … would do now, for as many as there are."""
    found: dict[str, Any] = {}
    directions: tuple[Direction, Direction] = ("undo", "redo")
    for direction in directions:
        there = standing.done if direction == "undo" else standing.undone
        found[direction] = []
        rest = await _rest_of(standing, checkpoint) if direction == "undo" and checkpoint is not None else ()
        for count in range(1, min(max(len(there), bool(rest)), MOST_PREVIEWS) + 1):
            turns = rest if rest and count == 1 else ()
            turns = turns or (standing.to_undo(count) if direction == "undo" else standing.to_redo(count))
            try:
                if checkpoint is None:
                    raise StoreError(NOTHING_KEPT)
                restored = await checkpoint.restore([each.checkpoint for each in turns], direction, dry_run=True)
            except StoreError as error:
                found[direction].append({"turns": [each.turn for each in turns], "missing": str(error)})
                continue
            text = restored_text(direction, restored.files, restored.skipped, dry_run=True)
            shape: dict[str, Any] = msgspec.to_builtins(restored)
            preview = {"turns": [each.turn for each in turns], "missing": "", "text": text}
            found[direction].append({**preview, "files": [], "skipped": [], **shape})
    return found


async def changes_of(standing: TurnChanges, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """`describe("changes")`: the turns that changed files, what of them can still be shown, and all of it as one."""
    turns = []
    for entry, undone in (
        *((each, False) for each in standing.done),
        *((each, True) for each in reversed(standing.undone)),
    ):
        diffs, missing = await _compared(checkpoint, [entry])
        turns.append(
            {
                "turn": entry.turn,
                "seq": entry.seq,
                "at": entry.at,
                "undone": undone,
                "files": [msgspec.to_builtins(each) for each in diffs] if not missing else _listed(entry.files),
                "diff": "".join(each.diff for each in diffs),
                "more": entry.more,
                "uncovered": [msgspec.to_builtins(each) for each in entry.uncovered],
                "missing": missing,
            }
        )
    whole, missing = await _compared(checkpoint, standing.done)
    return {
        "turns": turns,
        "files": [msgspec.to_builtins(each) for each in whole],
        "diff": "".join(each.diff for each in whole),
        "missing": missing,
    }


async def _compared(checkpoint: Checkpoint | None, turns: Sequence[FilesChanged]) -> tuple[list[FileDiff], str]:
    """The diffs, or why there are none."""
    if checkpoint is None:
        return [], NOTHING_KEPT
    try:
        return list(await checkpoint.compare([each.checkpoint for each in turns])), ""
    except StoreError as error:
        return [], str(error)


def _listed(files: tuple[ChangedFile, ...]) -> list[Any]:
    return [msgspec.to_builtins(each) for each in files]


def _first(files: tuple[ChangedFile, ...]) -> tuple[tuple[ChangedFile, ...], int]:
    return files[:MOST_FILES], max(0, len(files) - MOST_FILES)
