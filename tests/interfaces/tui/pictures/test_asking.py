"""What terminals answer, and what that comes to."""

from __future__ import annotations

import pytest

from protea.interfaces.tui.background import Answers
from protea.interfaces.tui.pictures.asking import Drawing, drawing_of, is_answered, may_be_asked

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
        ([OK, named("Konsole 24.02"), CELL, PLAIN], None),
        ([OK, CELL, PLAIN], None),
        # It calls itself so and does not do it.
        ([named("kitty(0.42.1)"), CELL, PLAIN], None),
        ([b"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\", named("kitty(0.42.1)"), CELL, PLAIN], None),
        # Without the size of a cell nobody knows where a row ends.
        ([SIXEL], None),
        ([b"\x1b[6;0;0t", SIXEL], None),
        ([b"\x1b[?64;14;40c", CELL], None),
        ([named("xterm(390)"), PLAIN], None),
        ([], None),
    ],
)
def test_a_terminal_draws_what_it_says_itself_that_it_can(said: list[bytes], drawing: Drawing | None) -> None:
    assert drawing_of(said) == drawing


def test_the_last_question_is_answered_by_everybody_and_ends_the_wait() -> None:
    assert not is_answered([OK, named("kitty(0.42.1)"), CELL])
    assert is_answered([OK, PLAIN])


@pytest.mark.parametrize(
    "environment",
    [{"TMUX": "/tmp/x,1,0"}, {"STY": "1.a"}, {"NO_COLOR": "1"}, {"TERM": "linux"}, {"TERM": "tmux-256color"}],
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
