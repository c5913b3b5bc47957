"""The port to what an agent keeps beyond a session. Swap class: warm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was to be remembered, and where it came from. It is never a source of rules."""

    id: str
    text: str
    at: str
    """When it was kept: RFC 3339, UTC."""
    source: str
    """Who said so: `user`, `session:ID`, `file:PATH` …"""
    tags: tuple[str, ...] = ()


class Found(msgspec.Struct, frozen=True):
    note: Note
    score: float
    """Higher is better. It compares the notes of one answer and nothing else."""


class Memory(Protocol):
    """Keeps notes and finds them again. Any method may raise `StoreError`; none blocks the loop."""

    async def remember(self, text: str, *, source: str, tags: Sequence[str] = ()) -> Note:
        """Keep it. A text that is kept already is not kept twice: its note comes back. Raises `UsageError` for text
        that says nothing, or where nothing can be kept."""
        ...

    async def recall(self, query: str, limit: int = 10) -> Sequence[Found]:
        """The notes that have most to do with `query`, the best first. Any text is a query; one without words finds
        nothing."""
        ...

    async def list(self, limit: int | None = None) -> Sequence[Note]:
        """All notes, the latest first."""
        ...

    async def forget(self, id: str) -> bool:
        """Remove a note for good, everywhere. False where there is none of that id."""
        ...

    async def aclose(self) -> None:
        """Write what is pending."""
        ...
