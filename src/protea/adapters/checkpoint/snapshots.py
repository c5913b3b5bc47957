"""Keeps what turns change in Protea's home, by looking at the tree before the first command of a turn and at its end.

What a tool writes is taken down before it writes. What a program writes cannot be known beforehand, so a copy of the
tree's files is kept and brought up to date by size, times and inode; docs/undo.md says what it costs and what it cannot
cover. All work on the disk is done in one thread of its own, which also needs no locks that way.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from protea.domain.changes import Changes, Direction, FileDiff, Restored
from protea.domain.errors import StoreError
from protea.domain.surroundings import Surroundings
from protea.ports.checkpoint import Checkpoint

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from protea.adapters.checkpoint._keeper import Keeper

T = TypeVar("T")

SLICE = 0.03
"""Seconds of copying in the background after which others get their turn."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    wait: float = 0.5
    """Seconds a command waits at most for copies of the files it might change; the rest is copied beside it."""
    most_files: int = 200_000
    """Files of one root that are looked through; in larger ones only what tools write can be undone."""
    largest: int = 256 << 20
    """Bytes of a file that is copied. Where the file system shares blocks there is no such limit."""
    limit: int = 4 << 30
    """Bytes the store may hold."""
    days: float = 14
    """After which a turn can no longer be undone."""


def create(options: Options, *, surroundings: Surroundings) -> Checkpoint:
    """Opens nothing until something is written."""
    return SnapshotCheckpoint(options, surroundings)


class SnapshotCheckpoint:
    """`Checkpoint` over the disk."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        self._options = options
        self._around = surroundings
        self._threads: ThreadPoolExecutor | None = None
        self._keeper: Keeper | None = None
        self._turn = ("", "")
        self._begun = False
        """Whether the keeper knows of this turn."""
        self._filling: asyncio.Task[None] | None = None
        self._trouble: StoreError | None = None
        """Why something of this turn could not be taken down."""
        self._closing = False

    def begin(self, session: str, turn: str) -> None:
        self._turn, self._begun, self._trouble = (session, turn), False, None

    async def before_write(self, path: str) -> None:
        await self._note(lambda keeper: keeper.before_write(path))

    async def after_write(self, path: str) -> None:
        await self._note(lambda keeper: keeper.after_write(path))

    async def before_command(self, words: Sequence[str], cwd: str) -> None:
        await self._note(lambda keeper: keeper.before_command(words, cwd))
        if self._filling is None or self._filling.done():
            self._filling = asyncio.create_task(self._fill(), name="copies for undo")

    async def after_command(self) -> None:
        await self._note(lambda keeper: keeper.after_command())

    async def finish(self) -> Changes | None:
        if not self._begun:
            return None
        self._begun, trouble = False, self._trouble
        changes = await self._do(lambda keeper: keeper.finish())
        if trouble is not None:
            raise trouble
        return changes

    async def recover(self, session: str, turn: str) -> Changes | None:
        return await self._do(lambda keeper: keeper.recover(session, turn)) if self._there() else None

    async def restore(self, checkpoints: Sequence[str], direction: Direction, *, dry_run: bool = False) -> Restored:
        def work(keeper: Keeper) -> Restored:
            from protea.adapters.checkpoint._ghosts import ghosts  # hardly any session undoes anything
            from protea.adapters.checkpoint._restoring import restore

            records = [keeper.shelf.load(each) for each in checkpoints]
            keeper.activity.who = keeper.activity.who or checkpoints[0].partition("/")[0]
            return restore(
                records,
                direction,
                keeper.pool,
                ghosts(self._around.protea_home),
                dry_run=dry_run,
                open_folders=f"{self._folder}/open-folders",
                wrote=keeper.activity.wrote,
            )

        return await self._do(work)

    async def compare(self, checkpoints: Sequence[str]) -> Sequence[FileDiff]:
        def work(keeper: Keeper) -> Sequence[FileDiff]:
            from protea.adapters.checkpoint._comparing import compare  # the same

            records = [keeper.shelf.load(each) for each in checkpoints]
            return compare(records, keeper.pool, os.fsencode(self._around.root))

        return await self._do(work)

    def forget(self, session: str) -> None:
        if self._there():
            from protea.adapters.checkpoint._records import Shelf  # sessions are seldom deleted

            Shelf(f"{self._folder}/turns").forget(session)

    async def aclose(self) -> None:
        self._closing = True
        if self._filling is not None:
            await asyncio.wait([self._filling])
        if self._keeper is not None:
            await self._do(lambda keeper: keeper.close())
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads, self._keeper = None, None

    @property
    def _folder(self) -> str:
        return f"{self._around.protea_home}/checkpoints"

    def _there(self) -> bool:
        return os.path.isdir(self._folder)

    async def _fill(self) -> None:
        """Copy what is not copied yet, in slices, so that nobody waits long for the thread."""

        def work(keeper: Keeper) -> bool:
            import time  # it has long been loaded; only this needs it

            return keeper.fill(time.monotonic() + SLICE)

        try:
            while not self._closing and await self._do(work):
                pass
            await self._do(lambda keeper: keeper.filled())
        except StoreError:
            return  # what is not kept is told at the end of the turn

    async def _note(self, work: Callable[[Keeper], None]) -> None:
        """Work must not stop because it could not be undone: what goes wrong is told when the turn ends."""
        first, (session, turn) = not self._begun, self._turn
        self._begun = True

        def whole(keeper: Keeper) -> None:
            if first:
                keeper.begin(session, turn)
            work(keeper)

        try:
            await self._do(whole)
        except StoreError as error:
            self._trouble = self._trouble or error

    async def _do(self, work: Callable[[Keeper], T]) -> T:
        """Run it in the thread; a cancellation waits for it, so that no two calls overlap."""
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # a session that writes nothing has no thread

            self._threads = ThreadPoolExecutor(1, "undo")
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._guarded, work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise

    def _guarded(self, work: Callable[[Keeper], T]) -> T:
        try:
            if self._keeper is None:
                self._keeper = self._made()
            return work(self._keeper)
        except OSError as error:
            raise StoreError(f"what undo needs cannot be kept in {self._folder}: {error.strerror or error}") from error

    def _made(self) -> Keeper:
        from protea.adapters.checkpoint._keeper import (
            Keeper,
            Settings,
        )  # a session that writes nothing loads none of it

        around, options = self._around, self._options
        folders = dict.fromkeys(os.path.realpath(each) for each in (around.root, around.cwd, *around.add_dirs))
        roots = [each for each in folders if not any(_beneath(each, other) for other in folders if other != each)]
        return Keeper(
            Settings(
                folder=self._folder,
                roots=tuple(os.fsencode(each) for each in roots),
                outside=frozenset({os.fsencode(os.path.realpath(around.protea_home))}),
                wait=options.wait,
                most_files=options.most_files,
                largest=options.largest,
                limit=options.limit,
                keep=options.days * 86_400,
                environment=around.environment,
            )
        )


def _beneath(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")
