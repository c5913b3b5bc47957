"""What a slash command is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from protea.ports.gateway import Gateway

if TYPE_CHECKING:
    from protea.ports.templates import Templates


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A slash command that was typed, and what it may use."""

    gateway: Gateway
    session: str
    rest: str
    """What stands behind its name, without blanks around it."""
    by: str
    now: str
    """RFC 3339."""
    rested: Callable[[], Awaitable[object]]
    """Waits until the session has nothing to run."""
    templates: Templates | None
    """Those of one's own."""

    async def about(self) -> dict[str, Any]:
        """What `describe("session")` says."""
        about: dict[str, Any] = await self.gateway.describe("session", self.session)
        return about


class Answer(msgspec.Struct, frozen=True):
    text: str = ""
    """Empty where the events that the command brought about say it all."""
    data: Any = None


def first_line(text: str, width: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
