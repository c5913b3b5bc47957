"""The words and vectors of notes in a database beside them: made from the notes, and made anew where it is damaged."""

from __future__ import annotations

import os
import re
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from typing import TypeVar

from protea.domain.errors import StoreError
from protea.ports.memory import Note

Kind = TypeVar("Kind")

_TABLES = """
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, stamp TEXT NOT NULL, id TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS words
    USING fts5 (id UNINDEXED, text, tags, tokenize = "unicode61 remove_diacritics 2");
CREATE TABLE IF NOT EXISTS vectors (id TEXT, name TEXT, data BLOB NOT NULL, PRIMARY KEY (id, name));
"""


class Index:
    """Blocking, and quick. A connection lives for one question, so that any thread may ask."""

    def __init__(self, path: str) -> None:
        self._path = path

    def refresh(self, stamps: Mapping[str, str], read: Callable[[str], Note | None]) -> None:
        """Bring it in step with the files: `stamps` names each with what changes when it does."""

        def work(database: sqlite3.Connection) -> None:
            known = {name: (stamp, id) for name, stamp, id in database.execute("SELECT name, stamp, id FROM files")}
            for name in known.keys() - stamps.keys():
                _drop(database, name, known[name][1])
            for name, stamp in stamps.items():
                if name in known and known[name][0] == stamp:
                    continue
                if name in known:
                    _drop(database, name, known[name][1])
                note = read(name)
                if note is not None:
                    database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (name, stamp, note.id))
                    database.execute("INSERT INTO words VALUES (?, ?, ?)", (note.id, note.text, " ".join(note.tags)))

        self._do(work)

    def by_words(self, query: str, limit: int) -> list[str]:
        """Ids, the best first, by BM25; a tag counts twice."""
        words = re.findall(r"\w+", query)
        if not words:
            return []
        # Each word in quotes: nothing of what is asked is taken for the database's own language.
        asked = " OR ".join(f'"{word}"' for word in words[:64])
        order = "SELECT id FROM words WHERE words MATCH ? ORDER BY bm25(words, 0, 1, 2), id LIMIT ?"
        return self._do(lambda database: [id for (id,) in database.execute(order, (asked, limit))])

    def without_vector(self, name: str) -> list[tuple[str, str]]:
        """(id, text) of notes that have none of that name yet."""
        order = "SELECT id, text FROM words WHERE id NOT IN (SELECT id FROM vectors WHERE name = ?)"
        return self._do(lambda database: list(database.execute(order, (name,))))

    def keep_vectors(self, name: str, vectors: Iterable[tuple[str, Sequence[float]]]) -> None:
        rows = [(id, name, array("f", vector).tobytes()) for id, vector in vectors]
        self._do(lambda database: database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows))

    def vectors(self, name: str) -> list[tuple[str, array[float]]]:
        rows = self._do(lambda database: list(database.execute("SELECT id, data FROM vectors WHERE name = ?", (name,))))
        return [(id, array("f", data)) for id, data in rows]

    def _do(self, work: Callable[[sqlite3.Connection], Kind]) -> Kind:
        try:
            return self._try(work)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not os.path.exists(self._path):
                raise StoreError(f"{self._path} could not be made: {error}") from error
        # Nothing is in it that is not in the notes.
        try:
            os.unlink(self._path)
            return self._try(work)
        except (OSError, sqlite3.DatabaseError) as error:
            raise StoreError(f"{self._path} cannot be used: {error}") from error

    def _try(self, work: Callable[[sqlite3.Connection], Kind]) -> Kind:
        with suppress(OSError):  # what is wrong is told by the next line; SQLite would let others read it
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(self._path, timeout=10)) as database, database:
            database.executescript(_TABLES)
            return work(database)


def _drop(database: sqlite3.Connection, name: str, id: str) -> None:
    database.execute("DELETE FROM files WHERE name = ?", (name,))
    for table in ("words", "vectors"):
        database.execute(f"DELETE FROM {table} WHERE id = ?", (id,))
