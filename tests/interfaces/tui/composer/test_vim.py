"""Vim's keys: what they do to a text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.interfaces.tui.composer.buffer import Buffer
from protea.interfaces.tui.composer.vim import Clipboard, Vim


class Unread:
    """A clipboard that cannot be read."""

    def put(self, text: str) -> None:
        """It is put nowhere."""

    def get(self, then: Callable[[str | None], None]) -> None:
        then(None)


class Board:
    """A clipboard."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[Callable[[str | None], None]] = []

    def put(self, text: str) -> None:
        self.text = text

    def get(self, then: Callable[[str | None], None]) -> None:
        self.asked.append(then)


def vim_over(buffer: Buffer, *, clipboard: Clipboard | None = None, done: list[str] | None = None) -> Vim:
    """Vim over a text; `done` takes the actions that concern more than that."""
    do = (done if done is not None else []).append
    return Vim(lambda: buffer, lambda: None, do=do, clipboard=clipboard or Unread())


def after(text: str, keys: str, cursor: int = 0) -> tuple[str, int, str]:
    buffer = Buffer(text, cursor)
    vim = vim_over(buffer)
    vim.mode = "normal"
    for key in keys:
        if vim.mode == "insert" and key != "\x1b":
            buffer.insert(key)
        else:
            vim.press("escape" if key == "\x1b" else key)
    return buffer.text, buffer.cursor, vim.mode


@pytest.mark.parametrize(
    ("text", "keys", "expected"),
    [
        ("one two three", "dw", "two three"),
        ("one two three", "2dw", "three"),
        ("one two three", "d2w", "three"),
        ("one two three", "wD", "one "),
        ("one two three", "wcwsix\x1b", "one six three"),
        ("one two three", "ftx", "one wo three"),
        ("one two three", "dft", "wo three"),
        ("one two three", "dtt", "two three"),
        ("a (b c) d", "fcdi(", "a () d"),
        ("a (b c) d", "fcda(", "a  d"),
        ("a (b (x) c) d", "fcdib", "a () d"),
        ('say "hi there" now', "fhci\"yo\x1b", 'say "yo" now'),
        ("one two three", "wdaw", "one three"),
        ("one two three", "wdiw", "one  three"),
        ("a\nb\nc", "dd", "b\nc"),
        ("a\nb\nc", "jdd", "a\nc"),
        ("a\nb\nc", "jddp", "a\nc\nb"),
        ("a\nb\nc", "ddP", "a\nb\nc"),
        ("a\nb\nc", "dj", "c"),
        ("a\nb\nc", "dG", ""),
        ("a\nb\nc", "Gdgg", ""),
        ("a\nb", "yyp", "a\na\nb"),
        ("abc", "xp", "bac"),
        ("abc", "lr-", "a-c"),
        ("abc", "~~", "ABc"),
        ("a\n  b", "J", "a b"),
        ("abc", "A!\x1b", "abc!"),
        ("  abc", "I!\x1b", "  !abc"),
        ("a", "ob\x1bOc\x1b", "a\nc\nb"),
        ("abc", "xxuu", "abc"),
        ("one two", "vwd", "wo"),
        ("one two", "wvy0P", "tone two"),
        ("a\nb", "Vd", "b"),
        ("a\nb\nc", "Vjd", "c"),
        ("a\nb\nc", "Vyjp", "a\nb\na\nc"),
        ("a\nb", "Vcx\x1b", "x\nb"),
        ("one two", "vvx", "ne two"),
        ("one two", "ve~", "ONE two"),
        ("one two", "yiwwvep", "one one"),
        # registers
        ("one two", '"ayiww"byiw"ap', "one tonewo"),
        ("one two", '"ayiww"Ayiw0"aP', "onetwoone two"),
        ("one two", 'yiw"_dwp', "tonewo"),
        ("one two", 'yiwwde0P', "twoone "),
        ("one two", 'yiwwde0"0P', "oneone "),
        ("a\nb", '"xyyj"xp', "a\nb\na"),
        # again
        ("one two three", "dw.", "three"),
        ("one two three", "x2.", " two three"),
        ("one two three", "cwsix\x1bw.", "six six three"),
        ("a\nb", "A!\x1bj.", "a!\nb!"),
        ("a", "ob\x1b..", "a\nb\nb\nb"),
        ("abc", "x.u", "bc"),
        ("abc", "xu.", "bc"),
        ("abcdef", "r-l.", "--cdef"),
        # again, what was done to a selection: to as much text
        ("abcdefgh", "vldl.", "cfgh"),
        ("abc def ghi", "vec!\x1bw.", "! ! ghi"),
        ("a\nb\nc\nd", "Vd.", "c\nd"),
        ("a\nb\nc\nd\ne", "Vjd.", "e"),
        ("ab\ncd\nef\ngh\nij", "vjd.", "f\ngh\nij"),
        ("Abc Def", "v~w.", "abc def"),
        ("one two", "vey$p", "one twoone"),
        ("abcdef", "vld2lx.", "cd"),
        # marks
        ("a\nb\nc", "jmajd'a", "a"),
        ("one two three", "wma$d`a", "one e"),
        ("abc def", "ma$`ax", "bc def"),
        ("abc def", "$ma0`a''x", "bc def"),
        ("abc", "`zx", "bc"),
        # the clipboard
        ("one two", '"+yiww"+P', "one onetwo"),
        ("one two", '"*yiww"+P', "one onetwo"),
        ("one two", 'w"+yiw0ve"+p', "two two"),
        # longer words, lines by number, the other bracket
        ("a.b c.d e", "dW", "c.d e"),
        ("a.b c.d", "WD", "a.b "),
        ("a.b c.d", "$Bx", "a.b .d"),
        ("a.b c", "dE", " c"),
        ("a.b c", "cWx\x1b", "x c"),
        ("a\nb\nc", "2Gdd", "a\nc"),
        ("a\nb\nc", "G2ggx", "a\n\nc"),
        ("f(a, (b)) c", "d%", " c"),
        ("f(a) c", "fa%x", "fa) c"),
        ("abc abc", "$dFb", "abc ac"),
        ("abc", "S-\x1b", "-"),
        ("abc def", "ccnew\x1b", "new"),
    ],
)  # fmt: skip
def test_keys_change_the_text(text: str, keys: str, expected: str) -> None:
    assert after(text, keys)[0] == expected


@pytest.mark.parametrize(
    ("text", "keys", "cursor"),
    [
        ("one two", "w", 4), ("one two", "e", 2), ("one two", "$", 6), ("one two", "$0", 0), ("  ab", "^", 2),
        ("ab\ncd", "jl", 4), ("ab\ncd", "jlk", 1), ("ab\ncd", "G", 4), ("ab\ncd", "Ggg", 0), ("a b c d", "fbfd", 6),
        ("a x a x", "fx;", 6), ("a x a x", "fx;,", 2), ("one", "lll", 2), ("one two", "wb", 0),
    ],
)  # fmt: skip
def test_keys_move_the_cursor(text: str, keys: str, cursor: int) -> None:
    assert after(text, keys)[1] == cursor


def test_a_register_that_is_the_clipboard_is_read_when_it_is_put_back() -> None:
    buffer, board = Buffer("one two", 0), Board("from elsewhere")
    vim = vim_over(buffer, clipboard=board)
    vim.normal()
    for key in 'w"+P':
        vim.press(key)
    assert buffer.text == "one two"  # nothing waits for it
    board.asked.pop()(board.text)
    assert buffer.text == "one from elsewheretwo"
    for key in 'u"*yiw':
        vim.press(key)
    assert board.text == "two"
    for key in '0"+P':
        vim.press(key)
    board.asked.pop()(None)  # it cannot be read: what was put there from here is known all the same
    assert buffer.text == "twoone two"


def test_tabs_are_gone_to_as_in_vim() -> None:
    done: list[str] = []
    buffer = Buffer("one two", 0)
    vim = vim_over(buffer, done=done)
    vim.normal()
    for key in "gtgT3gtx":
        vim.press(key)
    assert done == ["tab.next", "tab.previous", "tab.3"]
    assert buffer.text == "ne two"


def test_a_command_that_is_none_is_forgotten() -> None:
    assert after("abc", "zdqx") == ("bc", 0, "normal")


@given(
    st.text(alphabet="ab (\n", max_size=20),
    st.text(alphabet="hjklwbeGg0$^dcyxXpPiaIAoOvVuDCSJ~rft;,123(.m'`\"+\x1b", max_size=14),
)
def test_no_keys_lead_out_of_the_text(text: str, keys: str) -> None:
    text_after, cursor, mode = after(text, keys)
    assert 0 <= cursor <= len(text_after)
    assert mode in ("normal", "insert", "visual")
