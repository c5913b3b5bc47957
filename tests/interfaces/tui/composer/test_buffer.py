"""The text that is being written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.interfaces.tui.composer.buffer import Buffer


def test_what_is_inserted_takes_the_place_of_the_selection() -> None:
    buffer = Buffer("one two")
    buffer.move(4, select=False)
    buffer.move(7, select=True)
    buffer.insert("three")
    assert (buffer.text, buffer.cursor) == ("one three", 9)


def test_undo_takes_a_run_of_typing_back_at_once() -> None:
    buffer = Buffer()
    for character in "hello":
        buffer.insert(character)
    buffer.insert(" ")
    buffer.insert("x")
    buffer.undo()
    assert buffer.text == "hello "
    buffer.undo()
    assert buffer.text == "hello"
    buffer.undo()
    assert buffer.text == ""
    buffer.redo()
    assert buffer.text == "hello"


def test_cuts_beside_one_another_are_yanked_together() -> None:
    buffer = Buffer("one two three")
    buffer.delete(buffer.cursor, buffer.blank_left(buffer.cursor), keep=True)
    buffer.delete(buffer.cursor, buffer.blank_left(buffer.cursor), keep=True)
    assert buffer.text == "one "
    assert buffer.cut == "two three"


@pytest.mark.parametrize(
    ("move", "text", "at", "to"),
    [
        (Buffer.word_left, "one two", 7, 4),
        (Buffer.word_left, "one two", 4, 0),
        (Buffer.word_right, "one two", 0, 3),
        (Buffer.next_word, "one two", 0, 4),
        (Buffer.word_end, "one two", 0, 2),
        (Buffer.word_end, "one two", 2, 6),
        (Buffer.blank_left, "a/b c/d", 7, 4),
        (Buffer.line_begin, "a\nbc", 4, 2),
        (Buffer.line_end, "a\nbc", 0, 1),
        (Buffer.left, "ae\u0301", 3, 1),
        (Buffer.right, "e\u0301a", 0, 2),
    ],
)
def test_where_a_move_leads(move: object, text: str, at: int, to: int) -> None:
    assert move(Buffer(text), at) == to  # type: ignore[operator]  # one of the methods above


def test_a_chip_is_stepped_over_and_removed_whole() -> None:
    buffer = Buffer("see [pasted #1: 9 lines]")
    buffer.whole = ("[pasted #1: 9 lines]",)
    assert buffer.left(len(buffer.text)) == 4
    assert buffer.right(4) == len(buffer.text)


@given(st.text(alphabet="ab \n.é漢", max_size=30), st.integers(0, 30))
def test_no_move_leaves_the_text(text: str, at: int) -> None:
    buffer = Buffer(text)
    at = min(at, len(text))
    for move in (
        Buffer.left, Buffer.right, Buffer.word_left, Buffer.word_right, Buffer.next_word, Buffer.line_begin,
        Buffer.line_end, Buffer.blank_left,
    ):  # fmt: skip
        assert 0 <= move(buffer, at) <= len(text)
    assert buffer.word_left(at) <= at <= buffer.word_right(at)
