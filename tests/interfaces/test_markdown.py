"""Markdown drawn as it comes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.interfaces.markdown import Markdown
from protea.interfaces.terminal import Paint, visible
from tests.interfaces.unclosed import UNCLOSED

SGR = re.compile(r"\x1b\[[\d;]*m")


def drawn(text: str, *, size: int = 0, colour: bool = True) -> str:
    """`text`, fed in pieces of `size` characters."""
    markdown = Markdown(Paint(colour))
    pieces = [text[at : at + size] for at in range(0, len(text), size)] if size else [text]
    return "".join(markdown.feed(piece) for piece in pieces) + markdown.end()


@pytest.mark.parametrize("size", [0, 1, 2, 7])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Title #\n", "\x1b[1;35mTitle\x1b[0m\n"),
        ("- one\n  * two\n", "\x1b[1m•\x1b[0m one\n  \x1b[1m•\x1b[0m two\n"),
        ("3. three\n", "\x1b[1m3.\x1b[0m three\n"),
        ("> said\n", "\x1b[2m│ \x1b[0msaid\n"),
        ("a `b` **c** *d* e_f_g\n", "a \x1b[36mb\x1b[0m \x1b[1mc\x1b[0m \x1b[3md\x1b[0m e_f_g\n"),
        ("see [docs](http://x)\n", "see docs \x1b[2m(http://x)\x1b[0m\n"),
        ("```py\n# x\n```\n", "\x1b[2m```py\x1b[0m\n\x1b[36m# x\x1b[0m\n\x1b[2m```\x1b[0m\n"),
        ("---\n", "\x1b[2m" + "─" * 40 + "\x1b[0m\n"),
        ("2 * 3 * 4\n", "2 * 3 * 4\n"),
        ("no newline", "no newline\n"),
    ],
)
def test_it_looks_the_same_however_it_comes(text: str, expected: str, size: int) -> None:
    assert drawn(text, size=size) == expected


def test_a_paragraph_is_drawn_word_by_word() -> None:
    markdown = Markdown(Paint(True))
    assert markdown.feed("Hello the") == "Hello "
    assert markdown.feed("re **bo") == "there "
    assert markdown.feed("ld** now") == "\x1b[1mbold\x1b[0m "
    assert markdown.end() == "now\n"


def test_without_colour_nothing_is_changed() -> None:
    assert drawn("# A `b`\n", colour=False) == "# A `b`\n"


@given(st.text(), st.integers(1, 5), st.booleans())
def test_no_text_can_send_a_control_character(text: str, size: int, colour: bool) -> None:
    shown = SGR.sub("", drawn(text, size=size, colour=colour))
    assert visible(shown) == shown


@given(st.text())
def test_what_is_visible_is_harmless_and_stays_so(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert not any(ord(each) < 32 and each not in "\n\t" for each in shown)


@pytest.mark.parametrize("text", UNCLOSED)
def test_marks_that_are_never_closed_take_no_longer_than_other_text(text: str) -> None:
    drawn = Markdown(Paint(True))
    assert "end" in drawn.feed(f"{text} end\n") + drawn.end()
