"""What terminals answer, and what that comes to."""

from __future__ import annotations

import pytest

from protea.interfaces.tui.background import Answers
from protea.interfaces.tui.pictures.asking import (
    BLOCKS,
    Drawing,
    drawing_in_tmux,
    drawing_of,
    is_answered,
    may_be_asked,
)

OK = b"\x1b_Gi=31;OK\x1b\\"
CELL = b"\x1b[6;20;9t"
PLAIN = b"\x1b[?62;22c"
SIXEL = b"\x1b[?62;4;22c"


def named(name: str) -> bytes:
    return b"\x1bP>|" + name.encode() + b"\x1b\\"


@pytest.mark.parametrize(
    ("said", "drawing"),
    [
        ([OK, named("kitty(0.42.1)"), CELL, b"\x1b[?62;c"], Drawing("kitty", (9, 20))),
        ([OK, named("ghostty 1.2.0"), CELL, PLAIN], Drawing("kitty", (9, 20))),
        ([OK, named("ghostty 1.2.0"), PLAIN], Drawing("kitty", (10, 20))),
        ([named("iTerm2 3.5.10"), CELL, SIXEL], Drawing("iterm2", (9, 20))),
        ([OK, named("WezTerm 20240203"), CELL, SIXEL], Drawing("iterm2", (9, 20))),
        ([named("foot(1.18.1)"), CELL, SIXEL], Drawing("sixel", (9, 20))),
        ([CELL, SIXEL], Drawing("sixel", (9, 20))),
        # It takes kitty's pictures and knows no placeholders: they would stay where they are while the text moves.
        ([OK, named("Konsole 24.02"), CELL, PLAIN], BLOCKS),
        ([OK, CELL, PLAIN], BLOCKS),
        # It calls itself so and does not do it.
        ([named("kitty(0.42.1)"), CELL, PLAIN], BLOCKS),
        ([b"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\", named("kitty(0.42.1)"), CELL, PLAIN], BLOCKS),
        # Without the size of a cell nobody knows where a row ends.
        ([SIXEL], BLOCKS),
        ([b"\x1b[6;0;0t", SIXEL], BLOCKS),
        ([b"\x1b[?64;14;40c", CELL], BLOCKS),
        ([named("xterm(390)"), PLAIN], BLOCKS),
        ([], BLOCKS),
    ],
)
def test_a_terminal_draws_what_it_says_itself_that_it_can(said: list[bytes], drawing: Drawing) -> None:
    assert drawing_of(said) == drawing


def test_the_last_question_is_answered_by_everybody_and_ends_the_wait() -> None:
    assert not is_answered([OK, named("kitty(0.42.1)"), CELL])
    assert is_answered([OK, PLAIN])


@pytest.mark.parametrize(
    "environment",
    [{"TMUX": "/tmp/x,1,0"}, {"STY": "1.a"}, {"TERM": "linux"}, {"TERM": "tmux-256color"}],
)
def test_nobody_is_asked_where_something_stands_between(environment: dict[str, str]) -> None:
    assert not may_be_asked({"TERM": "xterm-256color", **environment})


def test_elsewhere_it_is_asked() -> None:
    assert may_be_asked({"TERM": "xterm-kitty"})
    assert may_be_asked({"TERM": "xterm-256color", "SSH_CONNECTION": "a b"})


def test_answers_are_taken_out_of_the_keys_however_they_are_cut() -> None:
    whole = OK + named("kitty(0.42.1)") + CELL + PLAIN
    for at in range(len(whole)):
        answers = Answers()
        answers.said = []
        keys = answers.take(b"ab" + whole[:at]) + answers.take(whole[at:] + b"cd")
        assert keys == b"abcd", at
        assert answers.said == [OK, named("kitty(0.42.1)"), CELL, PLAIN]


def test_keys_are_keys_while_an_answer_is_awaited() -> None:
    for key in (b"\x1b", b"\x1b[A", b"\x1bb", b"\x1b[13;2u", b"\x1b[<0;4;5M", b"\x1b[1;5C", b"x"):
        answers = Answers()
        answers.said = []
        assert answers.take(key) + answers.rest() == key
        assert answers.said == []


PANE = "pane\t1\t@3\t1\t0\t1\n"
KITTY_CLIENT = "client\t@3\t/dev/pts/1\t17\tkitty(0.42.1)\tRGB,title\t9\t20\n"


def test_in_tmux_kittys_way_goes_where_tmux_lets_it_through_and_every_terminal_that_looks_can() -> None:
    found = drawing_in_tmux(PANE + KITTY_CLIENT)
    assert found == Drawing("kitty", (9, 20), wrapped=True, seen=True, viewers="/dev/pts/1 17")
    elsewhere = "client\t@9\t/dev/pts/2\t18\txterm(390)\t\t\t\n"  # looks at another window
    assert drawing_in_tmux(PANE + elsewhere + KITTY_CLIENT) == found
    assert drawing_in_tmux(PANE.replace("\t1\t@", "\ton\t@") + KITTY_CLIENT) == found


@pytest.mark.parametrize(
    "told",
    [
        "",
        "no server running\n",
        KITTY_CLIENT,
        PANE,
        PANE.replace("\t1\t@", "\t0\t@") + KITTY_CLIENT,  # it lets nothing through
        PANE + KITTY_CLIENT.replace("kitty(0.42.1)", "xterm(390)"),
        PANE + KITTY_CLIENT.replace("kitty(0.42.1)", ""),  # it has not said who it is
        PANE + KITTY_CLIENT.replace("RGB,", ""),  # whose picture a cell shows would be lost with its colour
        PANE + KITTY_CLIENT + KITTY_CLIENT.replace("kitty(0.42.1)", "xterm(390)"),
    ],
)
def test_else_it_is_halves_of_cells(told: str) -> None:
    assert drawing_in_tmux(told) == BLOCKS


@pytest.mark.parametrize(
    ("pane", "seen"),
    [
        ("pane\t1\t@3\t0\t0\t1\n", False),
        ("pane\t1\t@3\t1\t1\t0\n", False),
        ("pane\t1\t@3\t1\t0\t0\n", True),
        ("pane\tall\t@3\t0\t0\t1\n", True),
    ],
)
def test_a_pane_that_nobody_looks_at_is_sent_nothing(pane: str, seen: bool) -> None:
    assert drawing_in_tmux(pane + KITTY_CLIENT).seen is seen
