"""The composer is there at once, and what is typed into it early is neither lost nor doubled."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from protea.interfaces.tui.frame import MOST_ROWS, PROMPT, place, window, wrap
from tests.interfaces.tui.conftest import Open
from tests.interfaces.tui.terminal import Terminal

SRC = Path(__file__).parents[3] / "src"
BOOT = """
import sys
from protea.boot import FirstFrame
frame = FirstFrame("1", "/here")
frame.begin()
import os, select
try:
    while True:
        if b"stop" in os.read(int(sys.argv[1]), 64):
            break
except KeyboardInterrupt:
    frame.give_back()
    print("left")
    sys.exit()
while select.select([0], [], [], 0.05)[0]:
    pass  # on a busy machine its thread may not have come to what was typed
typed = frame.hand_over()
frame._holding = True
frame.give_back()
print(repr((typed.text, typed.cursor, typed.sent, typed.rest)))
"""
"""Draws the first frame and hands over when it is told to; what was typed is printed."""


class Frame(Terminal):
    """The first frame alone, with nothing behind it."""

    def __init__(self, **size: int) -> None:
        reading, self._stop = os.pipe()
        os.set_inheritable(reading, True)
        environment = {"TERM": "xterm-256color", "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        super().__init__([sys.executable, "-I", "-c", BOOT, str(reading)], environment, cwd="/", **size)
        os.close(reading)

    def handed_over(self) -> str:
        self.quiet()
        os.write(self._stop, b"stop")
        assert self.ends() == 0
        return self.raw.rpartition("\x1b[0m")[2].replace("\r\n", "")

    def close(self) -> None:
        super().close()
        os.close(self._stop)


@pytest.fixture
def frame() -> Iterator[Frame]:
    opened = Frame()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("typed", "shown", "expected"),
    [
        ("hello", "❯ hello", ("hello", 5, (), b"")),
        ("hello\x1b[D\x1b[D\x7f", "❯ helo", ("helo", 2, (), b"")),
        ("one two\x17three", "❯ one three", ("one three", 9, (), b"")),
        ("first\rsecond", "❯ second", ("second", 6, ("first",), b"")),
        ("a\nb", "❯ a\n  b", ("a\nb", 3, (), b"")),
        ("end\\\rnext", "❯ end\n  next", ("end\nnext", 8, (), b"")),
        ("漢字é", "❯ 漢", ("漢字é", 3, (), b"")),
        ("x\x1b[200~two\rlines\x1b[201~y", "❯ xtwo\n  linesy", ("xtwo\nlinesy", 11, (), b"")),
        ("see \x1b[Aup", "❯ see", ("see ", 4, (), b"\x1b[Aup")),
        ("/model", "❯ Ask", ("", 0, (), b"/model")),
        ("read @src", "❯ read", ("read ", 5, (), b"@src")),
        ("gone\x03stays", "❯ stays", ("stays", 5, (), b"")),
    ],
)
def test_what_is_typed_is_shown_and_handed_over_once(typed: str, shown: str, expected: tuple[object, ...]) -> None:
    frame = Frame()
    try:
        frame.see("❯ ")
        frame.type(typed)
        frame.see(*shown.split("\n"))
        assert frame.handed_over() == repr(expected)
    finally:
        frame.close()


def test_an_enter_typed_before_the_first_frame_sends_as_well() -> None:
    frame = Frame()
    try:
        frame.type("list files\rnext")  # while the terminal still echoes and turns Enter into a line feed
        frame.see("❯ next")
        assert frame.handed_over() == repr(("next", 4, ("list files",), b""))
    finally:
        frame.close()


def test_a_character_that_comes_in_two_pieces_is_one(frame: Frame) -> None:
    frame.see("❯ ")
    frame.type("ä".encode()[:1])
    frame.quiet(0.1)
    frame.type("ä".encode()[1:] + b"b")
    frame.see("❯ äb")
    assert frame.handed_over() == repr(("äb", 2, (), b""))


def test_a_large_paste_waits_for_the_application_whole(frame: Frame) -> None:
    pasted = b"\x1b[200~" + b"line\r" * 5000 + b"\x1b[201~after"
    frame.see("❯ ")
    frame.type(b"before" + pasted)
    frame.see("❯ before")
    text = frame.handed_over()
    assert text.startswith("('before', 6, (), ")
    assert text.count("line") == 5000


def test_ctrl_c_twice_leaves_the_terminal_as_it_was(frame: Frame) -> None:
    before = termios.tcgetattr(frame.leader)
    frame.see("❯ ")
    frame.type("\x03")
    frame.see("Ctrl+C again leaves")
    frame.type("\x03")
    assert frame.ends() == 0
    assert "left" in frame.shown
    assert termios.tcgetattr(frame.leader)[:4] == before[:4]


@pytest.mark.parametrize(
    "typed",
    [
        "\x1b[200~a\x1b]52;c;eA==\x07b\x1b[201~",
        "\x1b[200~red \x1b[31m\x1b[201~",
        "\x1b[200~\u202egnp.exe\x1b[201~",
        "\u009b31mred",
        "\u2066x\u2069",
    ],
)
def test_what_a_terminal_would_obey_is_not_drawn_but_handed_over(frame: Frame, typed: str) -> None:
    frame.see("❯ ")
    before = len(frame.raw)
    frame.type("see ")
    frame.see("❯ see")
    frame.type(typed)
    assert frame.handed_over() == repr(("see ", 4, (), typed.encode()))
    drawn = frame.raw[before:].rpartition("(")[0]
    assert not re.search(r"\x1b\]|\x1b\[31m|[\x80-\x9f\u2066\u2069\u202e]", drawn)


def test_a_folder_whose_name_is_an_escape_sequence_is_only_shown(open_screen: Open) -> None:
    with tempfile.TemporaryDirectory() as short:  # the folders above it are to leave room for its name
        folder = Path(short, "a\x1b]0;evil\x07b\x9b31mc\u202ed")
        folder.mkdir()
        terminal = open_screen("-C", str(folder))
        terminal.see("a␛]0;evil", " NORMAL ")
        assert "\x1b]0;evil" not in terminal.raw
        assert not re.search(r"[\x80-\x9f\u202e]", terminal.raw)


def test_ctrl_c_three_times_leaves_whatever_was_typed_before(frame: Frame) -> None:
    frame.see("❯ ")
    frame.type("/model\x03\x03\x03")
    assert frame.ends() == 0
    assert "left" in frame.raw


def test_the_first_frame_follows_the_window(frame: Frame) -> None:
    frame.see("❯ ")
    frame.type("word " * 20)
    frame.resize(40, 14)
    shown = frame.until(lambda shown: shown.count("word") == 20 and shown.split("\n")[-1].strip() == "starting …")
    assert shown.split("\n")[-2] == "─" * 40


def test_the_screen_takes_over_with_what_was_typed(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see("❯ ")
    for character in "typed while it starts":
        terminal.type(character)
    terminal.see("NORMAL", "❯ typed while it starts")
    terminal.type(" and after")
    assert terminal.see("❯ typed while it starts and after").count("typed while") == 1


def test_an_early_enter_sends(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see("❯ ")
    terminal.type("list files\rnext")
    shown = terminal.see("NORMAL", "README.md", "❯ next")
    assert shown.count("next") == 1


def test_keys_the_first_frame_does_not_know_reach_the_screen_in_order(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see("❯ ")
    terminal.type("abc\x1b[1;5Dx")  # Ctrl+Left, a word back
    terminal.see("NORMAL", "❯ xabc")


def test_the_composer_stands_where_the_first_frame_drew_it(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see("❯ Ask", "starting")
    first = terminal.shown.split("\n")[-4:-1]
    terminal.see("NORMAL")
    assert terminal.shown.split("\n")[-4:-1] == first
    assert terminal.shown.split("\n")[:2] == terminal.shown.split("\n")[:2]


def test_a_faulty_configuration_gives_the_terminal_back_and_says_why(open_screen: Open, tmp_path: Path) -> None:
    home = tmp_path / "home" / ".protea"
    home.mkdir(parents=True)
    (home / "config.toml").write_text("model = \n")
    terminal = open_screen()
    assert terminal.ends() == 1
    assert "config.toml" in terminal.shown


def test_without_the_extra_one_line_says_so_and_the_chat_goes_on(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("msgspec", "tree_sitter", "tree_sitter_bash"):
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.submodule_search_locations is not None
        (packages / name).symlink_to(found.submodule_search_locations[0])
    code = f"import sys; sys.path[:0] = {[str(SRC), str(packages)]}; from protea.cli import main; sys.exit(main([]))"
    environment = {"TERM": "xterm-256color", "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(tmp_path)}
    terminal = Terminal([sys.executable, "-I", "-S", "-c", code], environment, cwd=str(tmp_path), columns=120)
    try:
        terminal.see("needs the extra 'tui': pip install 'protea[tui]'", "/help\n>")
        terminal.type("\x04")
        assert terminal.ends() == 0
    finally:
        terminal.close()


def test_a_dumb_terminal_is_told_why_it_gets_the_plain_chat(open_screen: Open) -> None:
    terminal = open_screen(TERM="dumb")
    terminal.see("TERM is dumb: the plain chat (protea repl) instead of the full screen", "/help\n>")
    terminal.type("list files\r")
    terminal.see("README.md")
    assert "\x1b[?1049h" not in terminal.raw


def test_rows_of_a_text_cover_it_and_the_cursor_has_one_place() -> None:
    text = "one two three\nfour 漢字漢字 five"
    rows = wrap(text, 8)
    assert [text[begin:end] for begin, end in rows] == ["one two ", "three", "four ", "漢字漢字", " five"]
    assert place(rows, text, text.index("three")) == (1, 0)
    assert place(rows, text, len(text)) == (4, 5)


def test_the_row_with_the_cursor_is_in_sight() -> None:
    assert window(30, 0, 5, MOST_ROWS) == 0
    assert window(30, 29, 0, MOST_ROWS) == 20
    assert window(3, 2, 9, MOST_ROWS) == 0
    assert len(PROMPT) == 2
