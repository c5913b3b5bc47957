"""Lines broken between words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.columns import width_of
from protea.interfaces.flow import Flow
from protea.interfaces.markdown import Markdown
from protea.interfaces.terminal import Paint


def flowed(text: str, width: int = 20, size: int = 0) -> str:
    flow = Flow(lambda: width)
    pieces = [text[at : at + size] for at in range(0, len(text), size)] if size else [text]
    return "".join(flow.feed(piece) for piece in pieces) + flow.end()


@pytest.mark.parametrize("size", [0, 1, 3])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three four five six", "one two three four\nfive six"),
        ("- one two three four five", "- one two three four\n  five"),
        ("12. one two three four five", "12. one two three\n    four five"),
        ("│ one two three four five", "│ one two three four\n  five"),
        ("/go  says where it goes to", "/go  says where it\n     goes to"),
        ("  in the middle of it all", "  in the middle of\n  it all"),
        ("short\nlines\n\nstay", "short\nlines\n\nstay"),
        ("a " + "b" * 30 + " c", "a\n" + "b" * 30 + " c"),
        ("漢字かなカナ漢字かなカナ", "漢字かなカナ漢字かな\nカナ"),
    ],
)
def test_a_row_ends_where_a_word_does(text: str, expected: str, size: int) -> None:
    if "\x1b" not in text:
        assert flowed(text, size=size) == expected


def test_colours_take_no_room() -> None:
    assert flowed("\x1b[1mone\x1b[0m \x1b[31mtwo three four\x1b[0m five") == (
        "\x1b[1mone\x1b[0m \x1b[31mtwo three four\x1b[0m\nfive"
    )


@given(st.text(alphabet="ab -•1.\n漢é\t", max_size=120), st.integers(20, 40), st.integers(0, 5))
def test_nothing_but_blanks_is_lost_and_no_row_is_too_long(text: str, width: int, size: int) -> None:
    drawn = flowed(text, width, size)
    assert re.sub(r"\s", "", drawn) == re.sub(r"\s", "", text)
    for row in drawn.split("\n"):
        assert width_of(row) <= width or max(map(len, row.split(" "))) > width // 2


@pytest.mark.parametrize("colour", [True, False])
def test_answers_are_broken_between_words_and_code_is_not(colour: bool) -> None:
    markdown = Markdown(Paint(colour), lambda: 20)
    text = "Some words that are many.\n```\na = some_code(that, is, long)\n```\nAnd more words than fit."
    drawn = "".join(markdown.feed(text[at : at + 4]) for at in range(0, len(text), 4)) + markdown.end()
    plain = re.sub(r"\x1b\[[\d;]*m", "", drawn)
    assert plain == ("Some words that are\nmany.\n```\na = some_code(that, is, long)\n```\nAnd more words than\nfit.\n")
