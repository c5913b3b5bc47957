"""Each clipboard through the contract of its port; OSC 52 on a real terminal, the system's by real programs."""

from __future__ import annotations

import asyncio
import base64
import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from protea.adapters.clipboard import none, osc52, system
from protea.domain.messages import Image
from protea.domain.surroundings import Surroundings
from protea.ports.clipboard import Clipboard
from protea.testing.contracts.clipboard import ClipboardContract


def around(**environment: str) -> Surroundings:
    return Surroundings(cwd="/", root="/", user_home="/", protea_home="/none", environment=environment)


class TestNoClipboard(ClipboardContract):
    def clipboard(self) -> Clipboard:
        return none.create(none.Options())


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """The other end of a pseudoterminal, and its path."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(master)
    os.close(slave)


class TestOsc52(ClipboardContract):
    @pytest.fixture(autouse=True)
    def _terminal(self, terminal: tuple[int, str]) -> None:
        self._path = terminal[1]

    def clipboard(self) -> Clipboard:
        return osc52.create(osc52.Options(terminal=self._path), surroundings=around())


async def copied(terminal: tuple[int, str], text: str, **environment: str) -> bytes:
    """What the terminal was sent."""
    clipboard = osc52.create(osc52.Options(terminal=terminal[1]), surroundings=around(**environment))
    copying = asyncio.create_task(clipboard.copy(text))
    written = b""
    os.set_blocking(terminal[0], False)
    while not copying.done() or written.count(b"\x1b\\") < 1:
        try:
            written += os.read(terminal[0], 65536)
        except BlockingIOError:
            await asyncio.sleep(0.001)
    assert copying.result() is True
    return written


async def test_the_terminal_is_sent_what_was_copied(terminal: tuple[int, str]) -> None:
    text = "ünï\n" * 10_000  # more than a terminal takes at once
    written = await copied(terminal, text)
    assert written.startswith(b"\x1b]52;c;")
    assert base64.b64decode(written.removeprefix(b"\x1b]52;c;").removesuffix(b"\x1b\\")).decode() == text


async def test_inside_tmux_it_is_wrapped_as_well(terminal: tuple[int, str]) -> None:
    written = await copied(terminal, "x", TMUX="/tmp/t")
    assert written == b"\x1b]52;c;eA==\x1b\\\x1bPtmux;\x1b\x1b]52;c;eA==\x1b\x1b\\\x1b\\"


async def test_what_a_terminal_would_drop_is_refused(terminal: tuple[int, str]) -> None:
    clipboard = osc52.create(osc52.Options(terminal=terminal[1], most_bytes=10), surroundings=around())
    assert await clipboard.copy("x" * 11) is False


XCLIP = """#!/bin/sh
# As xclip: keeps what it is given in a file, and tells its kind.
case "$*" in
    *-in*) cat > "$HELD" ;;
    *TARGETS*) if [ -e "$HELD.png" ]; then echo image/png; else echo UTF8_STRING; fi ;;
    *image/png*) cat "$HELD.png" ;;
    *) cat "$HELD" ;;
esac
"""


class TestSystemClipboard(ClipboardContract):
    @pytest.fixture(autouse=True)
    def _program(self, tmp_path: Path) -> None:
        self._held = tmp_path / "held"
        (tmp_path / "xclip").write_text(XCLIP)
        (tmp_path / "xclip").chmod(0o755)
        self._around = around(PATH=f"{tmp_path}:/usr/bin:/bin", DISPLAY=":0", HELD=str(self._held))

    def clipboard(self) -> Clipboard:
        return system.create(system.Options(), surroundings=self._around)

    async def test_what_was_copied_can_be_pasted(self) -> None:
        text = "a\n" * 200_000  # more than a pipe holds
        assert await self.clipboard().copy(text) is True
        assert await self.clipboard().paste() == text

    async def test_a_picture_is_pasted_as_one(self) -> None:
        (self._held.parent / "held.png").write_bytes(b"\x89PNG...")
        assert await self.clipboard().paste() == Image("image/png", base64.b64encode(b"\x89PNG...").decode())

    async def test_what_is_too_large_is_taken_for_nothing(self) -> None:
        await self.clipboard().copy("x" * 1000)
        small = system.create(system.Options(most_bytes=999), surroundings=self._around)
        assert await small.paste() is None

    async def test_without_a_display_nothing_is_tried(self) -> None:
        away = system.create(system.Options(), surroundings=around(PATH=self._around.environment["PATH"]))
        assert (await away.copy("x"), await away.paste()) == (False, None)
