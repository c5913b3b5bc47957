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


def cut_three() -> Buffer:
    buffer = Buffer("")
    for word in ("one", "two", "three"):
        buffer.insert(word)
        buffer.delete(0, len(word), keep=True)
        buffer.move(0)
    return buffer


def test_what_was_cut_earlier_takes_the_place_of_what_was_put_back_round_and_round() -> None:
    buffer = cut_three()
    buffer.yank()
    seen = [buffer.text]
    for _ in range(3):
        buffer.yank_earlier()
        seen.append(buffer.text)
    assert seen == ["three", "two", "one", "three"]
    buffer.insert("!")
    buffer.yank_earlier()  # something else was done since
    assert buffer.text == "three!"


def test_with_a_mark_moving_selects_until_something_changes() -> None:
    buffer = Buffer("one two three", 4)
    buffer.mark()
    buffer.move(buffer.word_right(buffer.cursor))
    assert buffer.selection() == (4, 7)
    buffer.swap_mark()
    assert (buffer.cursor, buffer.selection()) == (4, (4, 7))
    buffer.insert("x")  # nothing that is selected so is written over
    assert buffer.text == "one xtwo three"
    buffer.move(0)
    assert buffer.selection() == (0, 0)


def test_a_mark_set_twice_in_one_place_is_dropped_and_undo_drops_it() -> None:
    buffer = Buffer("one", 0)
    buffer.mark()
    buffer.mark()
    buffer.move(3)
    assert buffer.selection() == (3, 3)
    buffer.insert("s")
    buffer.mark()
    buffer.move(0)
    buffer.undo()
    assert (buffer.text, buffer.selection()) == ("one", (3, 3))


@pytest.mark.parametrize(
    ("text", "cursor", "expected", "after"),
    [
        ("foo, bar baz", 3, "bar, foo baz", 8),
        ("foo bar", 1, "bar foo", 7),
        ("foo bar baz", 5, "foo baz bar", 11),
        ("foo bar", 7, "bar foo", 7),
        ("foo", 1, "foo", 1),
        ("", 0, "", 0),
        ("foo bar", 4, "bar foo", 7),
    ],
)
def test_words_are_exchanged(text: str, cursor: int, expected: str, after: int) -> None:
    buffer = Buffer(text, cursor)
    buffer.swap_words()
    assert (buffer.text, buffer.cursor) == (expected, after)


def test_the_rest_of_a_word_changes_its_letters() -> None:
    buffer = Buffer("one two", 1)
    buffer.recase(str.upper)
    assert (buffer.text, buffer.cursor) == ("oNE two", 3)
    buffer.recase(str.upper)
    assert (buffer.text, buffer.cursor) == ("oNE TWO", 7)
    buffer.recase(str.lower)
    assert buffer.text == "oNE TWO"
