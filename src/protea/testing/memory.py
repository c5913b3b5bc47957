"""Notes in a list."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.errors import StoreError, UsageError
from protea.ports.memory import Found, Note


class ListMemory:
    """`Memory` that keeps `notes`, the latest last; with `full` nothing more can be kept."""

    def __init__(self, *, full: bool = False) -> None:
        self.notes: list[Note] = []
        self._made = 0
        self._full = full

    async def remember(self, text: str, *, source: str, tags: Sequence[str] = ()) -> Note:
        text = text.strip()
        if not text:
            raise UsageError("there is nothing to remember; say what")
        if self._full:
            raise StoreError("the note could not be kept: no space left on device")
        for note in self.notes:
            if note.text == text:
                return note
        self._made += 1
        at = f"2026-11-21T04:05:{self._made % 60:02d}.000Z"
        self.notes.append(Note(id=f"n_{self._made}", text=text, at=at, source=source, tags=tuple(tags)))
        return self.notes[-1]

    async def recall(self, query: str, limit: int = 10) -> Sequence[Found]:
        words = {word.strip("?!.,").lower() for word in query.split()} - {""}
        scored = [Found(note, sum(word in note.text.lower() for word in words)) for note in self.notes]
        return sorted((each for each in scored if each.score), key=lambda each: -each.score)[:limit]

    async def list(self, limit: int | None = None) -> Sequence[Note]:
        return self.notes[::-1][:limit]

    async def forget(self, id: str) -> bool:
        left = [note for note in self.notes if note.id != id]
        found = len(left) < len(self.notes)
        self.notes[:] = left
        return found

    async def aclose(self) -> None:
        """Nothing is open."""
