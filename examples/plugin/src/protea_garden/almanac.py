"""A toolset of one tool: the phase of the moon, by the length of its month."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.clock import Clock
from protea.ports.toolset import Tool, ToolContext

SPEC = ToolSpec(
    "MoonPhase",
    "The phase of the moon on a day.",
    {
        "type": "object",
        "properties": {"day": {"type": "string", "description": "YYYY-MM-DD; today where it is left out."}},
    },
    parallel=True,
    example={"day": "2026-11-28"},
)
_NEW_MOON = date(2000, 1, 6)
_MONTH = 29.530588853
_NAMES = (
    "new",
    "waxing crescent",
    "first quarter",
    "waxing gibbous",
    "full",
    "waning gibbous",
    "last quarter",
    "waning crescent",
)


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class MoonPhase:
    spec = SPEC

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        text = arguments.get("day") or self._clock.now()[:10]
        try:
            day = datetime.strptime(text, "%Y-%m-%d").date()
        except ValueError:
            return ToolResult(f"{text!r} is no day: write it like 2026-11-28.", is_error=True)
        age = (day - _NEW_MOON).days % _MONTH
        return ToolResult(f"On {day} the moon is {_NAMES[round(age / _MONTH * 8) % 8]}.")


class Almanac:
    cwd: str | None = None

    def __init__(self, clock: Clock) -> None:
        self._tool = MoonPhase(clock)

    def specs(self) -> Sequence[ToolSpec]:
        return (SPEC,)

    def tool(self, name: str) -> Tool | None:
        return self._tool if name == SPEC.name else None

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        return None

    async def aclose(self) -> None:
        """Nothing is open."""


def create(options: Options, *, clock: Clock) -> Almanac:
    return Almanac(clock)
