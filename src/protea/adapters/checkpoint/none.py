"""Nothing is kept, so nothing can be undone: for places where the workspace is thrown away anyway."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.changes import Changes, Direction, FileDiff, Restored
from protea.domain.errors import StoreError
from protea.ports.checkpoint import Checkpoint

_NOTHING = "nothing is kept that could be undone: the checkpoint port is filled by none"


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to choose."""


def create(options: Options) -> Checkpoint:
    return NoCheckpoint()


class NoCheckpoint:
    """`Checkpoint` that remembers nothing."""

    def begin(self, session: str, turn: str) -> None:
        """Costs nothing."""

    async def before_write(self, path: str) -> None:
        """Nothing is taken down."""

    async def after_write(self, path: str) -> None:
        """Nor here."""

    async def before_command(self, words: Sequence[str], cwd: str) -> None:
        """Nor here."""

    async def after_command(self) -> None:
        """Nor here."""

    async def finish(self) -> Changes | None:
        return None

    async def recover(self, session: str, turn: str) -> Changes | None:
        return None

    async def restore(self, checkpoints: Sequence[str], direction: Direction, *, dry_run: bool = False) -> Restored:
        raise StoreError(_NOTHING)

    async def compare(self, checkpoints: Sequence[str]) -> Sequence[FileDiff]:
        raise StoreError(_NOTHING)

    def forget(self, session: str) -> None:
        """Nothing was kept."""

    async def aclose(self) -> None:
        """Nothing is open."""
