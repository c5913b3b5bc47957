"""Nobody is asked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.domain.hooks import HookMoment, HookSaid, Moment


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoHooks:
    def wants(self, moment: Moment, tool: str | None = None) -> bool:
        return False

    async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
        return ()

    async def aclose(self) -> None:
        """Nothing is open."""


def create(options: Options) -> NoHooks:
    return NoHooks()
