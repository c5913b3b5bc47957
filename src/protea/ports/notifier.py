"""The port that calls a person who looks elsewhere. Swap class: hot."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec


class Notification(msgspec.Struct, frozen=True):
    """A line for someone who is not looking."""

    title: str
    body: str = ""
    urgency: Literal["low", "normal", "high"] = "normal"


class Notifier(Protocol):
    """Tells. Never raises: that someone could not be called must not stop what they would be called about."""

    async def notify(self, notification: Notification) -> bool:
        """Hand it on; whether it could be handed on, which does not say that anyone has seen it. Within seconds."""
        ...
