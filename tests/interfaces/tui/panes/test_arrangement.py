"""Which panes have how much room."""

from __future__ import annotations

import pytest

from protea.interfaces.tui.panes.arrangement import CONVERSATION, LEAST, Arrangement
from protea.interfaces.tui.panes.diff import Changes
from protea.interfaces.tui.panes.pane import Pane
from protea.interfaces.tui.panes.todos import Todos
from protea.interfaces.tui.panes.tree import Tree, folders_of
from protea.interfaces.tui.themes import THEMES, Look

LOOK = Look(THEMES["terminal"])


@pytest.fixture
def arrangement() -> Arrangement:
    panes: list[Pane] = [
        Tree(lambda: LOOK, lambda path: None),
        Todos(lambda: LOOK),
        Changes(lambda: LOOK, lambda p, n: None),
    ]
    return Arrangement(panes)


def test_of_each_side_one_is_open(arrangement: Arrangement) -> None:
    for name in ("tree", "todos", "diff"):
        assert arrangement.toggle(name)
    assert arrangement.open == ["tree", "diff"]
    assert arrangement.order() == ["tree", "", "diff"]
    assert not arrangement.toggle("diff")


@pytest.mark.parametrize("total", range(40, 301, 13))
def test_what_is_drawn_fills_the_screen_and_leaves_room(arrangement: Arrangement, total: int) -> None:
    arrangement.toggle("tree")
    arrangement.toggle("diff")
    for focus in ("composer", "tree", "diff"):
        widths = arrangement.lay_out(total, focus)
        assert sum(widths.values()) == total
        assert all(width == 0 or width >= LEAST for width in widths.values())
        assert widths[""] >= CONVERSATION or widths.get(focus) == total
        assert focus == "composer" or widths[focus] > 0


def test_a_pane_that_is_zoomed_has_everything(arrangement: Arrangement) -> None:
    arrangement.toggle("todos")
    arrangement.zoomed = True
    assert arrangement.lay_out(120, "todos") == {"tree": 0, "todos": 120, "diff": 0, "": 0}
    assert arrangement.lay_out(120, "composer")[""] == 120


def test_a_width_that_was_chosen_is_kept(arrangement: Arrangement) -> None:
    arrangement.toggle("todos")
    arrangement.widen("todos", 10, 200)
    assert arrangement.lay_out(200, "composer")["todos"] == 56


def test_files_are_a_tree_of_sorted_folders() -> None:
    assert folders_of(["b/x.py", "a.md", "b/c/y.py", "B.md"]) == {
        "": (["b"], ["a.md", "B.md"]),
        "b/": (["c"], ["x.py"]),
        "b/c/": ([], ["y.py"]),
    }
