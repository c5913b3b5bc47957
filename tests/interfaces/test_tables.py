"""Tables and times."""

from __future__ import annotations

import pytest

from protea.interfaces.tables import ago, table

NOW = 1_735_689_600.0  # 2025-01-01T00:00:00Z


def test_columns_are_aligned_also_under_wide_characters() -> None:
    assert table(["ID", "TITLE"], [["1", "日本"], ["22", "x"]]) == "ID  TITLE\n1   日本\n22  x\n"
    assert table(None, [["日本", "x"], ["a", "y"]]) == "日本  x\na     y\n"


def test_no_rows_are_no_table() -> None:
    assert table(["ID"], []) == ""


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2024-12-31T23:59:30Z", "just now"),
        ("2024-12-31T23:30:00Z", "30 min ago"),
        ("2024-12-31T20:00:00+00:00", "4 h ago"),
        ("2024-12-30T20:00:00Z", "yesterday"),
        ("2024-12-25T00:00:00Z", "7 days ago"),
        ("2024-06-01T00:00:00Z", "2024-06-01"),
        ("whenever", "whenever"),
    ],
)
def test_times_are_told_as_people_tell_them(at: str, said: str) -> None:
    assert ago(at, NOW) == said
