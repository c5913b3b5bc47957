"""The port that lets other agents in. Swap class: cold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec


class PeerCard(msgspec.Struct, frozen=True, kw_only=True):
    """What others are told of this agent before they ask it anything."""

    name: str
    description: str
    version: str
    skills: tuple[str, ...] = ()


class PeerQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What another agent asked. Its words are somebody else's: never an approval, never a change of mode."""

    peer: str
    text: str
    conversation: str = ""


class PeerServer(Protocol):
    """Listens. Nobody is answered who does not prove who they are; what they ask goes to `answer` and nowhere else."""

    async def start(self, card: PeerCard, answer: Callable[[PeerQuestion], Awaitable[str]]) -> str:
        """Begin to listen, and the address; empty where nobody is let in. Raises `StoreError` where it cannot."""
        ...

    async def aclose(self) -> None:
        """Listen no longer; questions that are being answered are broken off."""
        ...
