"""Pictures in a real terminal: one that answers as kitty does, one that draws sixels, and those that cannot."""

from __future__ import annotations

import base64
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from protea.interfaces.tui.pictures.asking import QUESTION
from protea.testing.loopback import LoopbackProvider
from tests.interfaces.tui.conftest import PROTEA, Open
from tests.interfaces.tui.terminal import PATIENCE, Terminal
from tests.interfaces.tui.test_journeys import use

READY = " NORMAL "
KITTY = b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.42.1)\x1b\\\x1b[6;20;10t\x1b[?62;c"
SIXEL = b"\x1bP>|foot(1.18.1)\x1b\\\x1b[6;20;10t\x1b[?62;4;22c"
PLAIN = b"\x1b[?62;22c"
UPLOAD = re.compile(r"\x1b_Ga=T,U=1,q=2,f=100,i=(\d+),c=(\d+),r=(\d+),")
SLICE = re.compile(r"\x1b\[(\d+);(\d+)H\x1bP0;1;0q")


@pytest.fixture
def picture(project: Path) -> str:
    image = Image.new("RGB", (120, 80), (200, 30, 30))
    image.save(project / "red.png")
    return "red.png"


def opened(open_screen: Open, **environment: str) -> Terminal:
    terminal = open_screen(rows=30, COLORTERM="truecolor", **environment)
    terminal.see(READY)
    return terminal


def read(terminal: Terminal, name: str, answer: bytes) -> None:
    """Have the picture read, and answer what is asked then."""
    assert QUESTION not in terminal.raw  # nobody is asked before there is a picture
    terminal.type(f"read {name}\r")
    terminal.until(lambda _: QUESTION in terminal.raw, "it did not ask")
    terminal.type(answer)


def placeholders(terminal: Terminal, number: int) -> str:
    """What introduces cells of a picture: its number, as a colour."""
    return f"38;2;{number >> 16};{number >> 8 & 255};{number & 255}"


def test_a_terminal_that_answers_as_kitty_does_is_sent_the_picture_and_cells_that_stand_for_it(
    open_screen: Open, picture: str
) -> None:
    terminal = opened(open_screen)
    read(terminal, picture, KITTY)
    terminal.until(lambda _: "\U0010eeee\u030e" in terminal.raw, "no row of it was drawn")
    sent = UPLOAD.findall(terminal.raw)
    assert len(sent) == 1
    number, columns, rows = map(int, sent[0])
    assert (columns, rows) == (12, 4)
    assert placeholders(terminal, number) in terminal.raw
    for row, mark in enumerate("\u0305\u030d\u030e\u0310"):
        assert "".join(f"\U0010eeee{mark}{column}" for column in "\u0305\u030d\u030e") in terminal.raw, row
    terminal.type("here\x15")  # it is asked once; what was answered is no text
    terminal.quiet()
    assert "kitty(" not in terminal.shown
    assert terminal.raw.count(QUESTION) == 1
    terminal.type("\x03\x03")
    assert terminal.ends() == 0
    assert f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\" in terminal.raw


def test_one_that_draws_sixels_is_sent_a_slice_for_each_row_and_again_when_the_rows_move(
    open_screen: Open, picture: str
) -> None:
    terminal = opened(open_screen)
    read(terminal, picture, SIXEL)
    terminal.until(lambda _: len(SLICE.findall(terminal.raw)) >= 4, "not all of it was drawn")
    places = [tuple(map(int, each)) for each in SLICE.findall(terminal.raw)[-4:]]
    top = places[0][0]
    assert places == [(top + row, 5) for row in range(4)]
    terminal.type("\x10")  # the palette lies over it: nothing is drawn through it
    terminal.see("Esc closes")
    terminal.quiet()
    assert terminal.raw.rfind("\x1bP0;1;0q") < terminal.raw.rfind("closes")
    drawn = len(SLICE.findall(terminal.raw))
    terminal.type("\x1b")
    terminal.until(lambda _: len(SLICE.findall(terminal.raw)) >= drawn + 4, "it was not drawn again")
    terminal.resize(80, 12)
    terminal.quiet()
    terminal.type("read README.md\r")
    terminal.until(
        lambda _: (found := SLICE.findall(terminal.raw)) and int(found[-1][0]) < top, "it did not move with the text"
    )


def test_an_answer_shows_pictures_of_the_project_and_fetches_none_from_elsewhere(
    open_screen: Open, picture: str, tmp_path: Path
) -> None:
    said = f"![here]({picture})\n\n![away](http://127.0.0.1:9/a.png) ![gone](nope.png) ![out](../../../etc/motd.png)"
    with LoopbackProvider.in_thread([said]) as provider:
        use(tmp_path, provider)
        terminal = opened(open_screen, LOCAL_KEY="k")
        terminal.type("show me\r")
        terminal.until(lambda _: QUESTION in terminal.raw, "it did not ask")
        terminal.type(KITTY)
        terminal.until(lambda _: "\U0010eeee\u030e" in terminal.raw, "it was not drawn")
        terminal.quiet()
        assert len(UPLOAD.findall(terminal.raw)) == 1
        assert len(provider.requests) == 1


HALVES = re.compile(r"\x1b\[[0-9;]*48;2;20[0-9];[23][0-9];[23][0-9][0-9;]*m {60}")
"""Cells that are red; the picture has no other colour."""


@pytest.mark.parametrize("answer", [PLAIN, b"\x1bP>|kitty(0.42.1)\x1b\\" + PLAIN, b""])
def test_one_that_cannot_or_does_not_answer_shows_halves_of_cells(
    open_screen: Open, picture: str, answer: bytes
) -> None:
    terminal = opened(open_screen)
    read(terminal, picture, answer)
    terminal.see("▣ image/png")
    terminal.type("still typing")
    terminal.see("still typing")
    terminal.until(lambda _: HALVES.search(terminal.raw) is not None, "nothing was drawn")
    assert "\U0010eeee" not in terminal.raw
    assert not SLICE.search(terminal.raw)


def test_with_few_colours_it_is_drawn_in_these_and_nobody_is_asked(open_screen: Open, picture: str) -> None:
    terminal = open_screen(rows=30)
    terminal.see(READY)
    terminal.type(f"read {picture}\r")
    terminal.until(lambda _: re.search(r"\x1b\[[0-9;]*48;5;\d+[0-9;]*m {60}", terminal.raw) is not None, "not drawn")
    assert QUESTION not in terminal.raw


def test_without_colours_it_is_the_line_that_stands_for_it(open_screen: Open, picture: str) -> None:
    terminal = opened(open_screen, NO_COLOR="1")
    terminal.type(f"read {picture}\r")
    terminal.see("▣ image/png", " out ")
    terminal.quiet()
    assert QUESTION not in terminal.raw
    assert not HALVES.search(terminal.raw)


def test_where_no_tmux_answers_it_is_halves_of_cells(open_screen: Open, picture: str) -> None:
    terminal = opened(open_screen, TMUX="/nowhere,1,0")
    terminal.type(f"read {picture}\r")
    terminal.until(lambda _: HALVES.search(terminal.raw) is not None, "nothing was drawn")
    assert QUESTION not in terminal.raw


class Tmux:
    """A tmux server of its own, and terminals that look at it."""

    def __init__(self, home: Path, project: Path) -> None:
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "COLORTERM": "truecolor", "TMUX_TMPDIR": str(home),
        }  # fmt: skip
        self.project = project
        self.command = [str(shutil.which("tmux")), "-L", "pictures", "-f", "/dev/null"]
        self.terminals: list[Terminal] = []

    def attach(self, name: str, *words: str) -> Terminal:
        """A terminal that calls itself so when tmux asks."""
        command = [*self.command, "-T", "RGB", *words]
        terminal = Terminal(command, self.environment, cwd=str(self.project), columns=80, rows=30)
        self.terminals.append(terminal)
        terminal.until(lambda _: "\x1b[>q" in terminal.raw, "tmux did not ask who it is")
        terminal.type(f"\x1bP>|{name}\x1b\\")
        deadline = time.monotonic() + PATIENCE
        while name not in self.say("list-clients", "-F", "#{client_termtype}"):
            assert time.monotonic() < deadline, "tmux did not take the answer"
            terminal.quiet(0.05)
        return terminal

    def say(self, *words: str) -> str:
        done = subprocess.run([*self.command, *words], env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def close(self) -> None:
        self.say("kill-server")
        for terminal in self.terminals:
            terminal.close()


@pytest.fixture
def tmux(tmp_path: Path, project: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    home = tmp_path / "home"
    home.mkdir()
    found = Tmux(home, project)
    yield found
    found.close()


def in_tmux(tmux: Tmux, name: str) -> Terminal:
    """The program in the only pane, and the terminal that shows it."""
    terminal = tmux.attach(name, "new-session", "-x", "80", "-y", "30", "sh")
    tmux.say("set-option", "-g", "allow-passthrough", "on")
    terminal.type(f"exec {shlex.join(PROTEA)}\r")
    terminal.see(READY)
    return terminal


def test_in_tmux_kitty_is_sent_the_picture_through_it_and_another_terminal_that_comes_shows_halves_of_cells(
    tmux: Tmux, picture: str
) -> None:
    terminal = in_tmux(tmux, "kitty(0.42.1)")
    terminal.type(f"read {picture}\r")
    terminal.until(lambda _: "\U0010eeee\u030e" in terminal.raw, "no row of it was drawn")
    ((number, columns, rows),) = UPLOAD.findall(terminal.raw)
    assert (columns, rows) == ("12", "4")
    assert placeholders(terminal, int(number)) in terminal.raw
    other = tmux.attach("xterm(390)", "attach-session")
    terminal.raw = other.raw = ""
    terminal.type("\x0c")
    other.until(lambda _: HALVES.search(other.raw) is not None, "the other terminal shows nothing")
    terminal.until(lambda _: f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\" in terminal.raw, "kitty keeps what is not shown")


def test_in_tmux_a_picture_that_comes_while_nobody_looks_is_sent_once_somebody_does(tmux: Tmux, picture: str) -> None:
    terminal = in_tmux(tmux, "ghostty 1.2.0")
    tmux.say("new-window", "sh")
    terminal.see("1:sh*")
    tmux.say("send-keys", "-t", ":0", f"read {picture}", "Enter")
    deadline = time.monotonic() + PATIENCE
    while "image/png" not in tmux.say("capture-pane", "-p", "-t", ":0"):
        assert time.monotonic() < deadline, "it was not read"
        terminal.quiet(0.1)
    terminal.quiet(0.5)
    assert not UPLOAD.search(terminal.raw)
    tmux.say("select-window", "-t", ":0")
    terminal.until(lambda _: "\U0010eeee\u030e" in terminal.raw, "no row of it was drawn")
    assert len(UPLOAD.findall(terminal.raw)) == 1


def test_a_person_may_switch_them_off(open_screen: Open, picture: str, tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".protea"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[tui]\nimages = "none"\n')
    terminal = opened(open_screen)
    terminal.type(f"read {picture}\r")
    terminal.see("▣ image/png", " out ")
    terminal.quiet()
    assert QUESTION not in terminal.raw


def test_a_picture_that_is_pasted_as_an_address_that_holds_it_is_a_picture(
    open_screen: Open, picture: str, project: Path
) -> None:
    terminal = opened(open_screen)
    whole = base64.b64encode((project / picture).read_bytes()).decode()
    terminal.type(f"\x1b[200~data:image/png;base64,{whole}\x1b[201~")
    terminal.see("[image #1]")
    terminal.type("\x1b[200~data:image/svg+xml;base64,AAAA\x1b[201~")  # of a kind that models do not take
    terminal.see("data:image/svg+xml")


def test_nothing_for_pictures_is_loaded_before_there_is_one() -> None:
    code = (
        "import sys, protea.interfaces.tui.run\n"
        "print([name for name in sys.modules if name.startswith(('PIL', 'protea.interfaces.tui.pictures'))])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
