"""The status bar: what it says, and what it leaves out first."""

from __future__ import annotations

import pytest

from protea.interfaces.tui.state import State
from protea.interfaces.tui.status import Facts, context_text, status_row

STATE = State(model="acme/big", effort="high", profile="coding", cost_usd=0.0421)


def shown(facts: Facts, width: int) -> str:
    return "".join(text for text, _ in status_row(facts, width)).rstrip()


@pytest.mark.parametrize(
    ("window", "used", "cached", "said"),
    [
        (200_000, 12_000, 0.8, "ctx 6% of 200k (80% cached)"),
        (1_000_000, 12_000, None, "ctx 1% of 1.0M"),
        (None, 35, None, "ctx 35 tokens"),
        (None, 12_000, 0.8, "ctx 12k tokens (80% cached)"),
    ],
)
def test_how_full_the_window_is_or_how_much_was_shown_where_nobody_knows_it(
    window: int | None, used: int, cached: float | None, said: str
) -> None:
    assert context_text(Facts(state=STATE, window=window, used=used, cached=cached)) == said


def test_what_has_no_room_is_left_out_the_branch_first_and_the_model_last() -> None:
    facts = Facts(state=STATE, branch="trunk", window=200_000, used=12_000)
    parts = ["trunk", "coding", "high", "$0.0421", "ctx 6% of 200k", "acme/big"]
    left = [[part for part in parts if part in shown(facts, width)] for width in range(100, 8, -1)]
    assert left[0] == parts
    assert list(dict.fromkeys(map(len, left))) == [6, 5, 4, 3, 2, 1, 0], "one after the other"
    assert all(each == parts[-len(each) or len(parts) :] for each in left)


def test_a_hint_takes_the_place_of_all_but_the_mode() -> None:
    assert shown(Facts(state=STATE, branch="trunk", hint="keys read again"), 80) == " NORMAL  keys read again"
