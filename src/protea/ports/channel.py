"""The port to conversations outside: messengers, mail, files. Swap class: cold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """What someone wrote."""

    id: str
    conversation: str
    """Where an answer belongs."""
    sender: str
    text: str
    at: str
    """RFC 3339, UTC."""


class Channel(Protocol):
    """Carries words and decides nothing: what comes in is what someone else wrote, never an approval by itself.

    Who is not on its list of senders gets silence. Any method may raise `StoreError` or `ModelError` where the other
    side cannot be reached.
    """

    async def open(self) -> None:
        """Begin to listen. To be called once, before the rest."""
        ...

    def incoming(self) -> AsyncIterator[Incoming]:
        """Messages as they come, each once, those that came while nobody listened first. Ends when it is closed."""
        ...

    async def send(self, conversation: str, text: str) -> None:
        """Say something there. Returns once the other side has taken it. Raises `UsageError` where there is no such
        conversation, or nothing can be said."""
        ...

    async def aclose(self) -> None: ...
