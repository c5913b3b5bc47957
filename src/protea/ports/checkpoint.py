"""The port that remembers what turns do to files, so that it can be undone. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protea.domain.changes import Changes, Direction, FileDiff, Restored


class Checkpoint(Protocol):
    """One session's turns, one at a time: `begin`, then what writes announces itself, then `finish`.

    A turn that announces nothing costs nothing. What was taken down survives the death of this process at any moment
    (`recover`). Nothing is ever written into the workspace but by `restore`. What announces itself is never refused:
    where it cannot be taken down, `finish` raises `StoreError` for all of the turn, or names the file in `uncovered`.
    The others raise `StoreError` and nothing else, and leave files alone where they do. Slow work happens in a thread;
    one call at a time.
    """

    def begin(self, session: str, turn: str) -> None:
        """A turn begins. Never waits, touches nothing."""
        ...

    async def before_write(self, path: str) -> None:
        """One file (absolute, wherever it lies) is about to be written or removed by a tool."""
        ...

    async def after_write(self, path: str) -> None:
        """That is done, whether or not it worked."""
        ...

    async def before_command(self, words: Sequence[str], cwd: str) -> None:
        """A program is about to run that may change anything beneath the roots. `words` are what is known of it: files
        they name are looked after first."""
        ...

    async def after_command(self) -> None:
        """It has ended, or goes on in the background: what it changes after `finish` belongs to no turn."""
        ...

    async def finish(self) -> Changes | None:
        """The turn is over: keep what it changed. None where it changed nothing."""
        ...

    async def recover(self, session: str, turn: str) -> Changes | None:
        """The same for a turn whose process died: what differs now from what was taken down then."""
        ...

    async def restore(self, checkpoints: Sequence[str], direction: Direction, *, dry_run: bool = False) -> Restored:
        """Take these turns back, the latest first (or do them again, the earliest first).

        A file whose content is no longer what the turn left is skipped, and the rest done. Cut off halfway, the same
        call again does the rest. With `dry_run` it only tells. Raises `StoreError` where one is not kept any more.
        """
        ...

    async def compare(self, checkpoints: Sequence[str]) -> Sequence[FileDiff]:
        """What these turns (the earliest first) did, taken together, file by file in the order of their paths."""
        ...

    def forget(self, session: str) -> None:
        """Remove all that is kept of a session's turns."""
        ...

    async def aclose(self) -> None:
        """Stop what works in the background."""
        ...
