"""Messages as files: what is put into `inbox/` comes in, what is said goes to `outbox/`.

For whatever can write a file: a mail filter, a script, another machine by rsync. A message is a `.txt` file, whose name
is the conversation, or a `.json` file with `conversation`, `sender` and `text`; write it under another name and rename.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec

from protea.domain.errors import StoreError, UsageError
from protea.domain.surroundings import Surroundings
from protea.ports.channel import Incoming
from protea.ports.clock import Clock
from protea.ports.ids import Ids

LARGEST = 1 << 20
"""Bytes of a message; what is larger is set aside unread."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    folder: str | None = None
    """Absolute; `spool/` in Protea's home where it is left out."""
    senders: tuple[str, ...] = ()
    """Who is heard; empty: whoever can write into the folder."""
    every: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Seconds between two looks."""


class _Message(msgspec.Struct):
    text: str
    conversation: str = ""
    sender: str = ""


class Spool:
    def __init__(self, options: Options, folder: str, clock: Clock, ids: Ids) -> None:
        self._options = options
        self._folder = folder
        self._clock = clock
        self._ids = ids
        self._closed = asyncio.Event()

    async def open(self) -> None:
        try:
            for name in ("inbox", "taken", "outbox"):
                os.makedirs(os.path.join(self._folder, name), 0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be used: {(error.strerror or '').lower()}") from error

    async def incoming(self) -> AsyncIterator[Incoming]:
        while not self._closed.is_set():
            for message in await asyncio.to_thread(self._take):
                yield message
            pause = asyncio.ensure_future(self._clock.sleep(self._options.every))
            closed = asyncio.ensure_future(self._closed.wait())
            try:
                await asyncio.wait((pause, closed), return_when=asyncio.FIRST_COMPLETED)
            finally:
                pause.cancel()
                closed.cancel()

    async def send(self, conversation: str, text: str) -> None:
        if not conversation or "/" in conversation or conversation.startswith("."):
            raise UsageError(f"there is no conversation {conversation!r}")
        await asyncio.to_thread(self._put, conversation, text)

    async def aclose(self) -> None:
        self._closed.set()

    def _take(self) -> list[Incoming]:
        """What lies there, the oldest first. Each file is moved away first: it is then ours, and comes in once."""
        inbox, taken = os.path.join(self._folder, "inbox"), os.path.join(self._folder, "taken")
        found: list[Incoming] = []
        try:
            with os.scandir(inbox) as entries:
                names = sorted((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name) for entry in entries)
        except OSError as error:
            raise StoreError(f"{inbox} cannot be read: {(error.strerror or '').lower()}") from error
        for written, name in names:
            if name.startswith(".") or not name.endswith((".txt", ".json")):
                continue
            id = self._ids.short("m")
            path = os.path.join(taken, f"{id}-{name}")
            try:
                os.rename(os.path.join(inbox, name), path)
                message = self._read(path, name)
            except OSError:
                continue  # another process took it, or it cannot be read
            if message is not None and self._is_heard(message.sender):
                seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(written // 10**9))
                at = f"{seconds}.{written // 10**6 % 1000:03d}Z"
                found.append(
                    Incoming(id=id, conversation=message.conversation, sender=message.sender, text=message.text, at=at)
                )
        return found

    def _is_heard(self, sender: str) -> bool:
        return not self._options.senders or sender in self._options.senders

    def _read(self, path: str, name: str) -> _Message | None:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
                return None
            data = file.read(LARGEST)
        stem = name.rpartition(".")[0]
        if name.endswith(".txt"):
            return _Message(data.decode("utf-8", "replace").strip(), stem, stem)
        try:
            message = msgspec.json.decode(data, type=_Message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return _Message(message.text, message.conversation or stem, message.sender or message.conversation or stem)

    def _put(self, conversation: str, text: str) -> None:
        name = f"{self._clock.now().replace(':', '')}-{self._ids.short('m')}-{conversation}.json"
        path = os.path.join(self._folder, "outbox", name)
        passing = os.path.join(self._folder, "outbox", f".{name}.part")
        data = {"conversation": conversation, "text": text, "at": self._clock.now()}
        try:
            descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode(data))
            os.rename(passing, path)
        except OSError as error:
            raise StoreError(f"{path} could not be written: {(error.strerror or '').lower()}") from error


def create(options: Options, *, clock: Clock, ids: Ids, surroundings: Surroundings) -> Spool:
    return Spool(options, options.folder or os.path.join(surroundings.protea_home, "spool"), clock, ids)
