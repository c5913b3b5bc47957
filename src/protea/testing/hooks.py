"""Hooks that answer from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protea.domain.hooks import HookMoment, HookSaid, Moment


class TableHooks:
    """`Hooks` that say what they were given for a moment, and keep what they were told."""

    def __init__(self, says: Mapping[Moment, Sequence[HookSaid]] | None = None) -> None:
        self.says = dict(says or {})
        self.told: list[HookMoment] = []
        self.closed = False

    def wants(self, moment: Moment, tool: str | None = None) -> bool:
        return moment in self.says

    async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
        self.told.append(moment)
        return tuple(self.says.get(moment.moment, ()))

    async def aclose(self) -> None:
        self.closed = True
