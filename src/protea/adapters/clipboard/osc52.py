"""The clipboard of the terminal, by OSC 52: it also reaches through ssh. It can be written and not read."""

from __future__ import annotations

import asyncio
import base64
import os
from typing import Annotated

import msgspec

from protea.domain.messages import Image
from protea.domain.surroundings import Surroundings

PATIENCE = 2.0
"""Seconds a terminal has to take it all."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    terminal: str = "/dev/tty"
    """The device that is written to: the terminal Protea was started in."""
    most_bytes: Annotated[int, msgspec.Meta(ge=1)] = 74_994
    """Of text. Terminals drop longer sequences without a word; this much goes through all that are known."""


class Osc52Clipboard:
    def __init__(self, options: Options, *, inside_tmux: bool) -> None:
        self._options = options
        self._inside_tmux = inside_tmux

    async def copy(self, text: str) -> bool:
        data = text.encode("utf-8", "replace")
        if len(data) > self._options.most_bytes:
            return False
        return await asyncio.to_thread(self._write, sequence(data, inside_tmux=self._inside_tmux))

    async def paste(self) -> str | Image | None:
        return None  # terminals rarely answer, and what they send would arrive among the keys that are typed

    def _write(self, data: bytes) -> bool:
        import select

        try:
            descriptor = os.open(self._options.terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if not os.isatty(descriptor):
                return False
            while data:
                if not select.select((), (descriptor,), (), PATIENCE)[1]:
                    return False
                data = data[os.write(descriptor, data) :]
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True


def sequence(data: bytes, *, inside_tmux: bool) -> bytes:
    """What is written. tmux has a clipboard of its own and hands on only what is wrapped: it is sent both."""
    plain = b"\x1b]52;c;" + base64.b64encode(data) + b"\x1b\\"
    if not inside_tmux:
        return plain
    return plain + b"\x1bPtmux;" + plain.replace(b"\x1b", b"\x1b\x1b") + b"\x1b\\"


def create(options: Options, *, surroundings: Surroundings) -> Osc52Clipboard:
    return Osc52Clipboard(options, inside_tmux=bool(surroundings.environment.get("TMUX")))
