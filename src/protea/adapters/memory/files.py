"""Notes as Markdown files, one for each, that a person can read, change and remove; found by words and by vectors.

The files are the truth. The database beside them only finds, and is made anew where it is missing or damaged.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from protea.adapters.memory._index import Index
from protea.domain.errors import StoreError, UsageError
from protea.domain.front_matter import listed, split
from protea.domain.recall import cosine, decayed, fuse
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.embedding import Embedding
from protea.ports.memory import Found, Note

LONGEST = 100_000
"""Bytes of a note; what is longer is no note."""
Ids = list[str]

WIDE = 50
"""Places of each ranking that are looked at, at least."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scope: Literal["project", "user"] = "project"
    """Whether each project has notes of its own, or all share the person's."""
    folder: str | None = None
    """Absolute; `memory/` in Protea's home where it is left out."""
    half_life: Annotated[float, msgspec.Meta(ge=0)] = 180.0
    """Days after which a note counts half when notes are compared; 0: age does not matter."""


class FileMemory:
    def __init__(self, folder: str, half_life: float, clock: Clock, embedding: Embedding) -> None:
        self._folder = folder
        self._half_life = half_life
        self._clock = clock
        self._embedding = embedding
        self._index = Index(os.path.join(folder, "index.sqlite"))

    async def remember(self, text: str, *, source: str, tags: Sequence[str] = ()) -> Note:
        text = text.strip()
        if not text:
            raise UsageError("there is nothing to remember; say what")
        if len(text.encode("utf-8", "replace")) > LONGEST:
            raise UsageError(f"this is too long for a note: {LONGEST // 1000} kB is the most")
        note = Note(
            id=f"n_{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}",
            text=text.encode("utf-8", "replace").decode(),
            at=self._clock.now(),
            source=" ".join(source.split()),
            tags=tuple(" ".join(tag.replace(",", " ").split()) for tag in tags),
        )
        return await asyncio.to_thread(self._write, note)

    async def recall(self, query: str, limit: int = 10) -> Sequence[Found]:
        notes = await asyncio.to_thread(self._refreshed)
        if not notes:
            return []  # there may be no folder yet, nor an index in it
        wide = max(WIDE, limit)
        rankings = [await asyncio.to_thread(self._index.by_words, query, wide)]
        if self._embedding.size and any(letter.isalnum() for letter in query):
            rankings.append(await self._by_vectors(query, wide))
        now = self._clock.now()
        found = [
            Found(notes[id], decayed(score, notes[id].at, now, self._half_life))
            for id, score in fuse(rankings).items()
            if id in notes
        ]
        return sorted(found, key=lambda each: (-each.score, each.note.id))[:limit]

    async def list(self, limit: int | None = None) -> Sequence[Note]:
        notes = await asyncio.to_thread(self._all)
        return sorted(notes.values(), key=lambda note: (note.at, note.id), reverse=True)[:limit]

    async def forget(self, id: str) -> bool:
        return await asyncio.to_thread(self._remove, id)

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _by_vectors(self, query: str, limit: int) -> Ids:
        name = self._embedding.name
        missing = await asyncio.to_thread(self._index.without_vector, name)
        if missing:
            made = await self._embedding.embed([text for _, text in missing])
            new = [(id, vector) for (id, _), vector in zip(missing, made, strict=True)]
            await asyncio.to_thread(self._index.keep_vectors, name, new)
        (asked,) = await self._embedding.embed([query])
        kept = await asyncio.to_thread(self._index.vectors, name)
        close = [(cosine(asked, vector), id) for id, vector in kept if len(vector) == len(asked)]
        return [id for nearness, id in sorted(close, reverse=True)[:limit] if nearness > 0]

    # ── what blocks ────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, note: Note) -> Note:
        path = self._path(note.id)
        try:
            before = self._read(os.path.basename(path))
            if before is not None and before.text == note.text:
                return before
            for folder in (os.path.dirname(self._folder), self._folder):
                os.makedirs(folder, 0o700, exist_ok=True)
            passing = f"{path}.{os.getpid()}.part"
            descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:
                file.write(written(note).encode())
                file.flush()
                os.fsync(file.fileno())
            os.replace(passing, path)
        except OSError as error:
            raise StoreError(f"{path} could not be written: {(error.strerror or str(error)).lower()}") from error
        return note

    def _refreshed(self) -> dict[str, Note]:
        """All notes, by id; the index knows them, and no others."""
        notes = self._all()
        if os.path.isdir(self._folder):
            self._index.refresh(self._stamps(), self._read)
        return notes

    def _all(self) -> dict[str, Note]:
        found = (self._read(name) for name in sorted(self._stamps()))
        return {note.id: note for note in found if note is not None}

    def _stamps(self) -> dict[str, str]:
        try:
            with os.scandir(self._folder) as entries:
                return {
                    entry.name: f"{entry.stat().st_mtime_ns} {entry.stat().st_size}"
                    for entry in entries
                    if entry.name.endswith(".md") and entry.is_file(follow_symlinks=False)
                }
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be read: {(error.strerror or str(error)).lower()}") from error

    def _read(self, name: str) -> Note | None:
        path = os.path.join(self._folder, name)
        try:
            with open(path, "rb") as file:
                data = file.read(LONGEST + 4096)
                at = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None  # removed meanwhile
        return read_note(name.removesuffix(".md"), data.decode("utf-8", "replace"), _time(at))

    def _remove(self, id: str) -> bool:
        if id not in self._all():
            return False
        try:
            os.unlink(self._path(id))
        except OSError as error:
            raise StoreError(f"{id} could not be removed: {(error.strerror or str(error)).lower()}") from error
        self._index.refresh(self._stamps(), self._read)
        return True

    def _path(self, id: str) -> str:
        return os.path.join(self._folder, f"{id}.md")


def written(note: Note) -> str:
    """A note as its file."""
    tags = ", ".join(map(_quoted, note.tags))
    return f"---\nat: {note.at}\nsource: {_quoted(note.source)}\ntags: [{tags}]\n---\n{note.text}\n"


def read_note(id: str, text: str, at: str) -> Note | None:
    """The note of a file; also of one that a person wrote without a head, whose time is then `at`."""
    head, body = split(text)
    if not body.strip():
        return None
    said = head.get("at")
    return Note(
        id=id,
        text=body.strip(),
        at=said if isinstance(said, str) and said else at,
        source=str(head.get("source") or "user"),
        tags=listed(head.get("tags")),
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def create(options: Options, *, surroundings: Surroundings, clock: Clock, embedding: Embedding) -> FileMemory:
    folder = options.folder or os.path.join(surroundings.protea_home, "memory")
    if options.scope == "project":
        root = surroundings.root
        name = os.path.basename(root) or "root"
        folder = os.path.join(folder, f"{name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:8]}")
    else:
        folder = os.path.join(folder, "user")
    return FileMemory(folder, options.half_life, clock, embedding)
