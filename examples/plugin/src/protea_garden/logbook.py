"""A notifier that writes a line into a file. It asks for the port `clock` by the name of a parameter."""

from __future__ import annotations

import asyncio

import msgspec

from protea.ports.clock import Clock
from protea.ports.notifier import Notification


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    """Absolute. It is made when somebody is first called."""


class Logbook:
    def __init__(self, options: Options, clock: Clock) -> None:
        self._file = options.file
        self._clock = clock

    async def notify(self, notification: Notification) -> bool:
        words = " ".join(f"{notification.title}: {notification.body}".split())
        return await asyncio.to_thread(self._write, f"{self._clock.now()} {words}\n")

    def _write(self, line: str) -> bool:
        try:
            with open(self._file, "a", encoding="utf-8", errors="replace") as file:
                file.write(line)
        except OSError:
            return False  # a promise of the port: it never raises
        return True


def create(options: Options, *, clock: Clock) -> Logbook:
    return Logbook(options, clock)
