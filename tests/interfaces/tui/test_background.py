"""What the terminal says of its background: asked for, never waited for, never taken for keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.domain.settings import ScreenSettings
from protea.interfaces.tui.background import QUESTION, Answers, answers, guessed_light, is_light
from protea.interfaces.tui.themes import THEMES, theme_named
from tests.interfaces.tui.conftest import Open
from tests.interfaces.tui.stage import stage
from tests.interfaces.tui.terminal import Terminal

READY = " NORMAL "
WHITE = b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
DARKER = "38;5;25m"
"""A colour that is drawn on white alone."""


def asked(open_screen: Open, **environment: str) -> Terminal:
    terminal = open_screen(**environment)
    terminal.see(READY)
    terminal.until(lambda _: QUESTION in terminal.raw, "it did not ask")
    return terminal


def test_a_light_terminal_gets_colours_that_can_be_read_on_it(open_screen: Open) -> None:
    terminal = asked(open_screen)
    assert DARKER not in terminal.raw
    terminal.type(b"he" + WHITE + b"llo")
    terminal.see("❯ hello")
    terminal.until(lambda _: DARKER in terminal.raw, "its colours stayed as they were")


def test_one_that_never_answers_keeps_its_keys(open_screen: Open) -> None:
    terminal = asked(open_screen)
    terminal.type("/mo")
    terminal.see("show or change the model")
    terminal.type("\x1b")
    terminal.gone("show or change the model")
    terminal.type("re\x1bb")  # Alt+B
    terminal.quiet()
    terminal.type("X")
    terminal.see("❯ /Xmore")
    assert DARKER not in terminal.raw


def test_one_that_answers_late_and_in_pieces_is_heard_and_types_nothing(open_screen: Open) -> None:
    terminal = asked(open_screen)
    terminal.type("ab")
    terminal.see("❯ ab")
    terminal.type(WHITE[:9])
    terminal.quiet(0.5)
    terminal.type(WHITE[9:])
    terminal.until(lambda _: DARKER in terminal.raw, "it was not heard")
    terminal.type("cd")
    terminal.see("❯ abcd")
    assert "rgb" not in terminal.shown


def test_without_colour_or_with_a_theme_of_ones_own_nobody_asks(open_screen: Open) -> None:
    terminal = open_screen(NO_COLOR="1")
    terminal.see(READY)
    terminal.type("x")
    terminal.see("❯ x")
    assert QUESTION not in terminal.raw


@pytest.mark.parametrize("cut", range(len(WHITE) + 1))
def test_wherever_an_answer_is_cut_it_is_one(cut: int) -> None:
    heard = Answers()
    keys = heard.take(b"a" + WHITE[:cut]) + heard.take(WHITE[cut:] + b"b")
    assert keys + heard.rest() == b"ab"
    assert heard.colours == [(1, 1, 1)]


@pytest.mark.parametrize(
    "keys",
    [b"\x1b", b"\x1b]", b"\x1b]1", b"\x1b]x", b"\x1b[A", b"a\x1bb", b"\x1b\x1b", b"]11;rgb:0/0/0"],
)
def test_what_is_no_answer_comes_through_as_it_was(keys: bytes) -> None:
    heard = Answers()
    assert heard.take(keys) + heard.rest() == keys
    assert heard.colours == []


@pytest.mark.parametrize("said", [b"\x1b[?997;2n", b"\x1b[?62;4c", b"\x1b]10;rgb:0/0/0\x07", b"\x1bP>|one 1.0\x1b\\"])
def test_what_else_terminals_say_is_not_typed(said: bytes) -> None:
    heard = Answers()
    assert heard.take(b"a" + said + b"b") + heard.rest() == b"ab"


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (b"\x1b[97;5u", b"\x1b[97;5u"),
        (b"\x1b[97:65;6:1u", b"\x1b[97;6u"),  # with what else is on the key, and that it went down
        (b"\x1b[57441;1:3u", b""),  # it was let go
        (b"\x1b[1;5:3A", b""),
        (b"\x1b[1114112;1u", b""),
        (b"\x1b[999999999999999999999u", b""),
        (b"\x1b[48;24;80;400;800t", b"\x1b[48;24;80;400;800t"),
        (b"\x1b[48;0;0;0;0t", b""),
        (b"\x1b[48;99999;99999;1;1t", b""),
        (b"\x1b[" + b"1;" * 100_000 + b"m", b""),
    ],
)
def test_a_key_or_a_size_that_cannot_be_is_not_read_and_one_that_can_is(told: bytes, read: bytes) -> None:
    heard = Answers()
    assert heard.take(b"a" + told + b"b") + heard.rest() == b"a" + read + b"b"


@pytest.mark.parametrize(
    "said", [b"\x1b[?62;4c", b"\x1b[57441;1:3u", b"\x1b[" + b"1;" * 100 + b"m", b"\x1b[48;0;0;0;0t"]
)
def test_wherever_what_a_terminal_says_is_cut_it_is_not_typed(said: bytes) -> None:
    for cut in range(1, len(said)):
        heard = Answers()
        assert heard.take(b"a" + said[:cut]) + heard.take(said[cut:] + b"b") + heard.rest() == b"ab"


def test_one_without_an_end_is_no_text() -> None:
    heard = Answers()
    assert heard.take(b"\x1b]11;rgb:ff") + heard.rest() == b""
    assert heard.take(b"\rz") == b"\rz"


def test_bright_is_what_the_eye_calls_bright() -> None:
    assert is_light((1, 1, 0.9))
    assert not is_light((0, 0, 1))
    assert guessed_light({"COLORFGBG": "0;15"})
    assert not guessed_light({"COLORFGBG": "15;default;0"})
    assert not answers({"TERM": "linux"})
    assert answers({"TERM": "xterm-256color"})


async def test_only_auto_follows_it(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        on.main.use_background(light=True)
        assert on.app.desk.look.theme is THEMES["terminal-light"]
        on.main.use_background(light=False)
        assert on.app.desk.look.theme is THEMES["terminal"]
        assert on.app.desk.preferences.theme == "auto"
    async with stage(tmp_path / "home", preferences=ScreenSettings(theme="dusk", motion=False)) as on:
        on.main.use_background(light=True)
        assert on.app.desk.look.theme is THEMES["dusk"]
    assert theme_named("no such theme", light=True) is None
