"""The clipboard of the desktop, by its own program: wl-copy, xclip, xsel or pbcopy. Text and pictures are read."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Annotated

import msgspec

from protea.adapters.walking.programs import program
from protea.domain.messages import Image
from protea.domain.surroundings import Surroundings

PATIENCE = 5.0
"""Seconds a program has."""
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    most_bytes: Annotated[int, msgspec.Meta(ge=1)] = 20_000_000
    """Of what is pasted; what is larger is taken for nothing."""


class _Way(msgspec.Struct, frozen=True):
    """How one system's programs are called. `{}` stands for a media type."""

    needs: str
    """The variable of the environment without which it can do nothing; empty where it needs none."""
    copy: tuple[str, ...]
    paste: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    """Prints the media types of what is there."""
    picture: tuple[str, ...] = ()


_WAYS = (
    _Way(
        "WAYLAND_DISPLAY",
        ("wl-copy",),
        ("wl-paste", "--no-newline"),
        ("wl-paste", "--list-types"),
        ("wl-paste", "--type", "{}"),
    ),
    _Way(
        "DISPLAY",
        ("xclip", "-selection", "clipboard", "-in"),
        ("xclip", "-selection", "clipboard", "-out"),
        ("xclip", "-selection", "clipboard", "-out", "-target", "TARGETS"),
        ("xclip", "-selection", "clipboard", "-out", "-target", "{}"),
    ),
    _Way("DISPLAY", ("xsel", "--clipboard", "--input"), ("xsel", "--clipboard", "--output")),
    _Way("", ("pbcopy",), ("pbpaste",), (), ("pngpaste", "-")),
)


class SystemClipboard:
    def __init__(self, options: Options, environment: Mapping[str, str]) -> None:
        self._most = options.most_bytes
        self._environment = environment

    async def copy(self, text: str) -> bool:
        way = self._way()
        # These programs stay behind to hand out what they took, so nothing of them is waited for but the first.
        return way is not None and await self._run(way.copy, text.encode("utf-8", "replace")) is not None

    async def paste(self) -> str | Image | None:
        way = self._way()
        if way is None:
            return None
        kinds = (await self._run(way.kinds) or b"").decode("utf-8", "replace").split() if way.kinds else []
        for kind in _PICTURES:
            if kind in kinds or (not way.kinds and way.picture and kind == "image/png"):
                data = await self._run(tuple(kind if word == "{}" else word for word in way.picture))
                if data:
                    return Image(kind, base64.b64encode(data).decode("ascii"))
        text = await self._run(way.paste)
        return text.decode("utf-8", "replace") if text else None

    def _way(self) -> _Way | None:
        for way in _WAYS:
            if (not way.needs or self._environment.get(way.needs)) and self._which(way.copy[0]):
                return way
        return None

    def _which(self, name: str) -> str | None:
        return program(name, self._environment.get("PATH", ""))

    async def _run(self, words: tuple[str, ...], given: bytes | None = None) -> bytes | None:
        """What the program printed; None where it is missing, failed, took too long or said too much."""
        path = self._which(words[0])
        if path is None:
            return None
        copying = given is not None
        try:
            process = await asyncio.create_subprocess_exec(
                path,
                *words[1:],
                env=dict(self._environment),
                stdin=asyncio.subprocess.PIPE if copying else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL if copying else asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                printed = await self._exchange(process, given)
                failed = await process.wait() != 0
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return None if failed or len(printed) > self._most else printed

    async def _exchange(self, process: asyncio.subprocess.Process, given: bytes | None) -> bytes:
        if given is not None and process.stdin is not None:
            process.stdin.write(given)
            await process.stdin.drain()
            process.stdin.close()
            await process.stdin.wait_closed()
        blocks: list[bytes] = []
        size = 0
        while process.stdout is not None and size <= self._most and (block := await process.stdout.read(65536)):
            blocks.append(block)
            size += len(block)
        if size > self._most:
            process.kill()
        return b"".join(blocks)


def create(options: Options, *, surroundings: Surroundings) -> SystemClipboard:
    return SystemClipboard(options, surroundings.environment)
