"""What is new of what a language server says, and how it is told."""

from __future__ import annotations

import pytest

from protea.domain.diagnostics import Change, fresh, line, ranked, told, touched
from protea.domain.tools import Diagnostic


def said(message: str, at: int = 1, *, warning: bool = False, path: str = "/p/a.py") -> Diagnostic:
    return Diagnostic(path=path, line=at, message=message, severity="warning" if warning else "error")


def test_what_was_there_is_not_new_wherever_it_has_moved_to() -> None:
    assert fresh([said("old", 3)], [said("old", 40), said("new", 2)]) == [said("new", 2)]


def test_the_same_once_more_counts_where_the_lines_were_changed() -> None:
    after = [said("same", 1), said("same", 5), said("same", 9)]
    assert fresh([said("same", 1), said("same", 8)], after, range(5, 6)) == [said("same", 5)]


def test_what_was_mended_is_not_told() -> None:
    assert fresh([said("a"), said("b")], [said("b")]) == []


def test_an_error_in_place_of_a_warning_is_new() -> None:
    assert fresh([said("x", warning=True)], [said("x")]) == [said("x")]


def test_errors_come_first_then_files_and_lines() -> None:
    mixed = [said("w", 1, warning=True), said("b", 9), said("a", 2), said("z", 1, path="/p/0.py")]
    assert [each.message for each in ranked(mixed)] == ["z", "a", "b", "w"]
    assert [each.message for each in fresh([], mixed)] == ["z", "a", "b", "w"]


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a\nb\nc", "a\nB\nc", [2]),
        ("a\nb\nc", "a\nx\ny\nb\nc", [2, 3]),
        ("a\nb\nc", "a\nc", []),
        (None, "a\nb", [1, 2]),
        ("a", "a", []),
        ("a\na", "a\na\na", [3]),
    ],
)
def test_the_lines_a_change_touched(before: str | None, after: str, lines: list[int]) -> None:
    assert list(touched(Change("/p/a.py", before, after))) == lines


def test_a_line_is_short_plain_and_names_the_rule_once() -> None:
    each = Diagnostic(path="/p/a.py", line=3, column=5, message="no\n  such \x1b[31mname", code="F821", source="Ruff")
    assert line(each, lambda path: path[3:]) == "a.py:3:5 error: no such name [F821]"
    long = Diagnostic(path="/p/a.py", line=1, message="x" * 5000)
    assert len(line(long, str)) < 450


def test_of_many_the_first_are_told_and_the_others_counted() -> None:
    text = told([said(f"m{number}", number) for number in range(1, 31)], str, most=5)
    assert text.splitlines()[1].endswith("m1")
    assert text.splitlines()[-1] == "… and 25 more"
    assert len(text.splitlines()) == 7
    assert told([], str) == ""
