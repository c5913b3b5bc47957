"""A Markdown file of errands, `HEARTBEAT.md`, that a person writes and ticks.

- [ ] every 30m: Is the build still green?
- [ ] 0 9 * * 1-5: Read me what is planned today.
- [ ] Look after the backup.            (at every heartbeat)
- [x] every 1h: Not for now.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from protea.domain.schedule import following, parse
from protea.domain.surroundings import Surroundings
from protea.ports.clock import Clock
from protea.ports.proactive import Errand

NAME = "HEARTBEAT.md"
LARGEST = 64_000
"""Bytes that are read."""
_ITEM = re.compile(r"^\s*[-*+] \[ \] (?:((?:every|@|[\d*])[^:]*?(?::\d\d)?): )?(\S.*)$")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str | None = None
    """Absolute; `HEARTBEAT.md` in Protea's home where it is left out. Never the project's: who knows who wrote it?"""


class Checklist:
    def __init__(self, path: str, state: str, clock: Clock) -> None:
        self._path = path
        self._state = state
        """The file that says when each errand was last done."""
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._items: tuple[tuple[Errand, str], ...] = ()
        """Errands and their times, of the file as it was when `_seen`."""

    def due(self) -> Sequence[Errand]:
        items = self._read()
        if not items:
            return ()
        done, now = self._done(), self._clock.now()
        since = datetime.fromtimestamp(self._seen[0] / 1e9, UTC).isoformat() if self._seen else now
        return [
            errand
            for errand, when in items
            # An interval begins at once; for a time of the day it is waited, from when it was written.
            if _is_due(when, done.get(errand.id, "" if when.startswith("every") else since), now)
        ]

    def done(self, errand: Errand) -> None:
        known = {each.id for each, _ in self._read()} | {errand.id}
        times = {id: at for id, at in self._done().items() if id in known} | {errand.id: self._clock.now()}
        passing = f"{self._state}.{os.getpid()}.part"
        with suppress(OSError):  # a promise of the port: it is then due again, which is the smaller harm
            descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode(times))
            os.replace(passing, self._state)

    def _read(self) -> tuple[tuple[Errand, str], ...]:
        """The open errands. A file that has not changed is not opened."""
        try:
            found = os.stat(self._path)
            seen = (found.st_mtime_ns, found.st_size)
            if not stat.S_ISREG(found.st_mode):
                return ()
            if seen != self._seen:
                with open(self._path, "rb") as file:
                    text = file.read(LARGEST).decode("utf-8", "replace")
                self._items, self._seen = tuple(_items(text, self._path)), seen
        except OSError:
            self._items, self._seen = (), None
        return self._items

    def _done(self) -> dict[str, str]:
        try:
            with open(self._state, "rb") as file:
                return msgspec.json.decode(file.read(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}


def _items(text: str, path: str) -> list[tuple[Errand, str]]:
    found: list[tuple[Errand, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _ITEM.match(line)
        if match is None:
            continue
        when, what = match[1] or "", match[2].strip()
        if when:
            try:
                parse(when, _EPOCH)
            except ValueError:
                when, what = "", f"{when}: {what}"  # what looked like a time was the beginning of the errand
        id = hashlib.sha256(f"{when}\n{what}".encode("utf-8", "replace")).hexdigest()[:12]
        if id not in {errand.id for errand, _ in found}:
            found.append((Errand(id, what, f"{path}:{number}"), when))
    return found


_EPOCH = datetime(2000, 1, 1)


def _is_due(when: str, last: str, now: str) -> bool:
    if not when or not last:
        return True
    then = _local(last)
    time = following(parse(when, then), then, then)
    return time is not None and time <= _local(now)


def _local(utc: str) -> datetime:
    return datetime.fromisoformat(utc).astimezone(None).replace(tzinfo=None)


def create(options: Options, *, clock: Clock, surroundings: Surroundings) -> Checklist:
    state = os.path.join(surroundings.protea_home, "heartbeat.json")
    return Checklist(options.file or os.path.join(surroundings.protea_home, NAME), state, clock)
