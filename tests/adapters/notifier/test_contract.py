"""Each notifier through the contract of its port; the bell on a real terminal, the desktop's by a real program."""

from __future__ import annotations

import os
import pty
import re
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from protea.adapters.notifier import bell, desktop, none
from protea.domain.surroundings import Surroundings
from protea.ports.notifier import Notification, Notifier
from protea.testing.contracts.notifier import NotifierContract


def around(**environment: str) -> Surroundings:
    return Surroundings(cwd="/", root="/", user_home="/", protea_home="/none", environment=environment)


class TestNoNotifier(NotifierContract):
    def notifier(self) -> Notifier:
        return none.create(none.Options())

    async def test_nobody_is_called(self) -> None:
        assert await self.notifier().notify(Notification("x")) is False


class Terminal:
    """A pseudoterminal, and what was written to it."""

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    def read(self) -> str:
        os.set_blocking(self._master, False)
        try:
            return os.read(self._master, 1 << 20).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


class TestBell(NotifierContract):
    @pytest.fixture(autouse=True)
    def _terminal(self, terminal: Terminal) -> None:
        self._path = terminal.path

    def notifier(self) -> Notifier:
        return bell.create(bell.Options(way="osc777", terminal=self._path), surroundings=around())


class TestBellWithoutATerminal(NotifierContract):
    def notifier(self) -> Notifier:
        return bell.create(bell.Options(terminal="/no/such/device"), surroundings=around())

    async def test_it_says_that_it_could_not(self) -> None:
        assert await self.notifier().notify(Notification("x")) is False


@pytest.mark.parametrize(
    ("environment", "written"),
    [
        ({}, "\a"),
        ({"TERM": "xterm-256color"}, "\a"),
        ({"TERM_PROGRAM": "WezTerm"}, "\x1b]9;Done: all of it\x1b\\"),
        ({"TERM": "foot"}, "\x1b]777;notify;Done;all of it\x1b\\"),
        ({"TERM": "xterm-kitty"}, "\x1b]99;i=protea:d=0;Done\x1b\\\x1b]99;i=protea:p=body;all of it\x1b\\"),
        ({"TERM": "foot", "TMUX": "/tmp/t"}, "\x1bPtmux;\x1b\x1b]777;notify;Done;all of it\x1b\x1b\\\x1b\\"),
    ],
)
async def test_each_terminal_is_told_in_its_own_words(
    terminal: Terminal, environment: dict[str, str], written: str
) -> None:
    notifier = bell.create(bell.Options(terminal=terminal.path), surroundings=around(**environment))
    assert await notifier.notify(Notification("Done", "all of it")) is True
    assert terminal.read() == written


async def test_no_text_can_end_the_sequence_or_begin_another(terminal: Terminal) -> None:
    for way in ("osc9", "osc777", "osc99"):
        notifier = bell.create(bell.Options(way=way, terminal=terminal.path), surroundings=around())
        evil = "a\x1b\\\x1b]52;c;ZXZpbA==\x07b\x9cc\x9d0;d\ne;f"
        await notifier.notify(Notification(evil, evil))
        written = terminal.read()
        rest = re.sub(r"\x1b\][^\x00-\x1f\x7f-\x9f]*\x1b\\", "", written)
        assert rest == ""
        assert ";c;" not in written


class TestDesktopWithoutAProgram(NotifierContract):
    def notifier(self) -> Notifier:
        return desktop.create(desktop.Options(), surroundings=around(PATH="/no/such/folder"))


class TestDesktop(NotifierContract):
    @pytest.fixture(autouse=True)
    def _program(self, tmp_path: Path) -> None:
        self._told = tmp_path / "told"
        program = tmp_path / "notify-send"
        program.write_text('#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done > "$TOLD"\n')
        program.chmod(0o755)
        self._around = around(PATH=f"{tmp_path}:/usr/bin:/bin", TOLD=str(self._told))

    def notifier(self) -> Notifier:
        return desktop.create(desktop.Options(program="notify-send"), surroundings=self._around)

    async def test_the_text_is_never_an_option(self) -> None:
        assert await self.notifier().notify(Notification("--help", "-x", "high")) is True
        assert self._told.read_text().splitlines() == ["--app-name=Protea", "--urgency=critical", "--", "--help", "-x"]


async def test_a_program_that_fails_has_told_nobody(tmp_path: Path) -> None:
    program = tmp_path / "notify-send"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    notifier = desktop.create(desktop.Options(), surroundings=around(PATH=str(tmp_path)))
    assert await notifier.notify(Notification("x")) is False


def test_on_a_mac_the_text_is_an_argument_and_no_script() -> None:
    words = desktop.command("/usr/bin/osascript", Notification('" & (do shell script "true")', "b"))
    assert words[-2:] == ('" & (do shell script "true")', "b")
    assert not any("do shell script" in word for word in words[:-2])
