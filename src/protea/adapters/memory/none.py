"""Nothing is kept and nothing is found."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.errors import UsageError
from protea.ports.memory import Found, Note


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoMemory:
    async def remember(self, text: str, *, source: str, tags: Sequence[str] = ()) -> Note:
        raise UsageError('nothing can be remembered: set [ports.memory] adapter = "files"')

    async def recall(self, query: str, limit: int = 10) -> Sequence[Found]:
        return ()

    async def list(self, limit: int | None = None) -> Sequence[Note]:
        return ()

    async def forget(self, id: str) -> bool:
        return False

    async def aclose(self) -> None:
        """Nothing is open."""


def create(options: Options) -> NoMemory:
    return NoMemory()
