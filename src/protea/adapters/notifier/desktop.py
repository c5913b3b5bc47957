"""A message of the desktop's, by the program the system has for it: notify-send, or osascript on macOS."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal

import msgspec

from protea.adapters.walking.programs import program
from protea.domain.plain import plain
from protea.domain.surroundings import Surroundings
from protea.ports.notifier import Notification

PATIENCE = 5.0
"""Seconds the program has."""
_URGENCY: dict[str, str] = {"low": "low", "normal": "normal", "high": "critical"}
_SCRIPT = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    program: Literal["auto", "notify-send", "osascript"] = "auto"


class Desktop:
    def __init__(self, options: Options, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._programs = ("notify-send", "osascript") if options.program == "auto" else (options.program,)

    async def notify(self, notification: Notification) -> bool:
        found = (program(name, self._environment.get("PATH", "")) for name in self._programs)
        path = next(filter(None, found), None)
        if path is None:
            return False
        try:
            process = await asyncio.create_subprocess_exec(
                *command(path, notification),
                env=dict(self._environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError:
            return False
        try:
            async with asyncio.timeout(PATIENCE):
                return await process.wait() == 0
        except TimeoutError:
            return False
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def command(path: str, notification: Notification) -> tuple[str, ...]:
    """Words for the program. The text is never read as an option or as a script."""
    title, body = (plain(text).encode("utf-8", "replace").decode() for text in (notification.title, notification.body))
    if path.endswith("osascript"):
        return (path, *(word for line in _SCRIPT for word in ("-e", line)), title, body)
    return (path, "--app-name=Protea", f"--urgency={_URGENCY[notification.urgency]}", "--", title, body)


def create(options: Options, *, surroundings: Surroundings) -> Desktop:
    return Desktop(options, surroundings.environment)
