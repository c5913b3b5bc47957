"""Finding what was meant."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protea.interfaces.tui.fuzzy import Finder, in_order, rank

PATHS = [
    "src/app/user_view.py", "src/app/view.py", "src/view/main.py", "README.md", "tests/test_user_view.py",
    "src/very/interesting/words.py",
]  # fmt: skip


def test_a_name_that_begins_so_comes_first() -> None:
    assert Finder(PATHS).find("view")[:2] == ["src/app/view.py", "src/app/user_view.py"]


def test_letters_in_order_are_enough() -> None:
    assert Finder(PATHS).find("usrvw")[0] == "src/app/user_view.py"
    assert Finder(PATHS).find("zzz") == []


def test_a_path_is_found_by_its_folders() -> None:
    assert Finder(PATHS).find("app/v")[0] == "src/app/view.py"


def test_without_a_query_the_first_ones_are_given() -> None:
    assert Finder(PATHS).find("", 2) == PATHS[:2]


@given(
    st.lists(st.text(alphabet="abc/_", min_size=1, max_size=12), max_size=30, unique=True),
    st.text(alphabet="abc/", min_size=1, max_size=5),
)
def test_every_line_with_the_letters_is_found_and_no_other(items: list[str], query: str) -> None:
    assert sorted(Finder(items).find(query, 100)) == sorted(item for item in items if in_order(query, item))


def test_what_is_typed_further_is_the_same_as_typed_at_once() -> None:
    items = [f"src/{n % 7}/file_{n}.py" for n in range(3000)]
    slowly = Finder(items)
    for length in range(1, 6):
        slowly.find("file_29"[:length])
    slowly.find("fix")
    assert slowly.find("file_29") == Finder(items).find("file_29")


def test_names_are_ranked_by_what_they_say_before_what_is_said_of_them() -> None:
    items = [("a", "theme", "model of colours"), ("b", "choose a model", ""), ("c", "model", "")]
    assert rank("model", items) == ["c", "b", "a"]
    assert rank("chm", items) == ["b"]
