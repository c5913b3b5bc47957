"""What is written down of turns: while one runs, line by line, so that a killed process loses nothing; then whole.

`turns/<session>/<turn>.open` is a row of frames (`_frames`); what cannot be read ends it.
`turns/<session>/<turn>.done` is the finished record.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

import msgspec

from protea.adapters.checkpoint._frames import framed, pieces
from protea.adapters.checkpoint._private import make_private
from protea.adapters.checkpoint._seen import Entry, Version
from protea.domain.errors import StoreError

VERSION = 1
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class Record(msgspec.Struct, array_like=True):
    """One finished turn."""

    version: int
    roots: list[bytes]
    entries: list[Entry]
    repositories: dict[bytes, tuple[bytes, bytes]] = {}
    """A repository's own folder → a digest of all of it before the turn and after it."""


class Begun(msgspec.Struct, array_like=True, frozen=True, tag="begun"):
    """The first frame: where commands were to be told by."""

    version: int


class Watched(msgspec.Struct, array_like=True, frozen=True, tag="watched"):
    """From here on a command may have changed anything in this tree."""

    root: bytes
    slot: str
    stamp: str


class Noted(msgspec.Struct, array_like=True, frozen=True, tag="noted"):
    """What a file was before this turn touched it."""

    path: bytes
    before: Version | None


Frame = Begun | Watched | Noted


class Journal:
    """The frames of a turn that runs."""

    def __init__(self, path: str) -> None:
        make_private(os.path.dirname(path))
        self.path = path
        self._fd = os.open(path, _NEW | os.O_APPEND, 0o600)
        self.write(Begun(VERSION))

    def write(self, *frames: Frame) -> None:
        """They survive the death of this process once this returns. Raises `OSError`."""
        view = memoryview(b"".join(map(framed, frames)))
        while view:
            view = view[os.write(self._fd, view) :]

    def remove(self) -> None:
        os.close(self._fd)
        with contextlib.suppress(OSError):
            os.unlink(self.path)


def frames(path: str) -> Iterator[Frame]:
    """What a turn wrote before its process died; nothing where there is no such turn."""
    for piece in pieces(path):
        try:
            yield msgspec.msgpack.decode(piece, type=Frame)
        except (msgspec.DecodeError, ValueError):
            return


class Shelf:
    """The records of all sessions, in one folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def open_path(self, checkpoint: str) -> str:
        return f"{self._path(checkpoint)}.open"

    def save(self, checkpoint: str, record: Record) -> None:
        """Raises `OSError`."""
        path = self._path(checkpoint)
        make_private(os.path.dirname(path))
        with os.fdopen(os.open(f"{path}.new", _NEW, 0o600), "wb") as file:
            file.write(msgspec.msgpack.encode(record))
        os.replace(f"{path}.new", f"{path}.done")

    def load(self, checkpoint: str) -> Record:
        """Raises `StoreError` where it is not kept (any more) or cannot be read."""
        try:
            with open(f"{self._path(checkpoint)}.done", "rb") as file:
                return msgspec.msgpack.decode(file.read(), type=Record)
        except FileNotFoundError:
            raise StoreError(
                f"what turn {_name(checkpoint)} changed is not kept any more, so it cannot be undone"
            ) from None
        except (OSError, msgspec.DecodeError, ValueError) as error:
            raise StoreError(f"what is kept of turn {_name(checkpoint)} cannot be read: {error}") from error

    def forget(self, session: str) -> None:
        import shutil  # loads what packs archives; seldom needed

        shutil.rmtree(f"{self._folder}/{_safe(session)}", ignore_errors=True)

    def all(self) -> Iterator[tuple[float, str]]:
        """(time, path) of every file of every turn, finished and not."""
        with contextlib.suppress(OSError), os.scandir(self._folder) as sessions:
            for session in sessions:
                with contextlib.suppress(OSError), os.scandir(session.path) as files:
                    for file in files:
                        with contextlib.suppress(OSError):
                            yield file.stat().st_mtime, file.path

    def _path(self, checkpoint: str) -> str:
        session, _, turn = checkpoint.partition("/")
        return f"{self._folder}/{_safe(session)}/{_safe(turn)}"


def names_in(path: str) -> set[str]:
    """The contents a file of a turn refers to. Raises `StoreError` where it cannot be read."""
    found: set[str] = set()
    try:
        if path.endswith(".open"):
            versions = [frame.before for frame in frames(path) if isinstance(frame, Noted)]
        else:
            with open(path, "rb") as file:
                record = msgspec.msgpack.decode(file.read(), type=Record)
            versions = [version for entry in record.entries for version in (entry.before, entry.after)]
    except (OSError, msgspec.DecodeError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    for version in versions:
        if version is not None and version.object is not None:
            found.add(version.object)
    return found


def _safe(name: str) -> str:
    """Ids come from elsewhere: what could lead out of the folder does not."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:120] or "_"


def _name(checkpoint: str) -> str:
    return checkpoint.rpartition("/")[2]
