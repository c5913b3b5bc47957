"""What a diff changes, where there is little room."""

from __future__ import annotations

from protea.domain.diff import unified
from protea.interfaces.tui.changes import change_rows

OLD = "".join(f"line {n}\n" for n in range(1, 30))


def words(diff: str, width: int = 60, most: int | None = None) -> list[str]:
    return ["".join(text for text, _ in row).strip() for row in change_rows(diff, width, most)]


def test_lines_have_the_numbers_they_have_in_the_file_and_what_differs_is_marked() -> None:
    rows = change_rows(unified(OLD, OLD.replace("line 9\n", "line nine\n"), "a.txt"), 60)
    assert ["".join(text for text, _ in row).strip() for row in rows][3:5] == ["9 - line 9", "9 + line nine"]
    assert ("9", "remove_word") in rows[3]
    assert ("nine", "add_word") in rows[4]


def test_what_stands_around_a_change_is_left_out_before_the_change_is() -> None:
    diff = unified(OLD, OLD.replace("line 9\n", "line nine\n"), "a.txt")
    assert len(words(diff)) == 8
    assert words(diff, most=3) == ["9 - line 9", "9 + line nine"]
    assert words(diff, most=1) == ["… 2 more lines (Ctrl+O shows all)"]


def test_of_a_long_change_no_more_is_made_than_can_be_shown_and_all_of_it_is_counted() -> None:
    diff = unified("", "word\n" * 50_000, "a.txt")
    assert words(diff, most=10)[-1] == "… 49991 more lines (Ctrl+O shows all)"
    assert words(diff, most=10)[:9] == [f"{n} + word" for n in range(1, 10)]


def test_lines_that_only_have_signs_are_shown_as_they_are() -> None:
    assert words("-old\n+new") == ["-old", "+new"]


def test_what_could_not_be_seen_is_named() -> None:
    assert words(unified("a\n", "a\u200b\n", "a.txt"))[1] == "1 + a<U+200B>"
