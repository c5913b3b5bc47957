from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.adapters.settings._writing import toml, with_value
from protea.domain.settings import dotted
from protea.domain.toml_places import places, split_key, texts

TEXT = '''\
# a comment with [brackets] and = signs
model = "a # not a comment" # a comment
"quoted key".'and other' = 1
multi = """
[not.a.table]
key = "no"
""" # after
literal = \'\'\'
x = 1\'\'\'\'
list = [ # first
  "one", # ] not the end
  { a = "]" },
]
empty = []

[table . "with.dot"]
key=true
[[array]]
x = { y = [1,
2] }
'''


def test_each_key_and_table_has_its_place() -> None:
    tomllib.loads(TEXT)
    found = [(place.key, place.line, TEXT[place.start : place.end]) for place in places(TEXT)]
    assert found == [
        (("model",), 2, '"a # not a comment"'),
        (("quoted key", "and other"), 3, "1"),
        (("multi",), 4, '"""\n[not.a.table]\nkey = "no"\n"""'),
        (("literal",), 8, "'''\nx = 1''''"),
        (("list",), 10, '[ # first\n  "one", # ] not the end\n  { a = "]" },\n]'),
        (("empty",), 14, "[]"),
        (("table", "with.dot"), 16, '[table . "with.dot"]'),
        (("table", "with.dot", "key"), 17, "true"),
        (("array",), 18, "[[array]]"),
        (("array", "x"), 19, "{ y = [1,\n2] }"),
    ]


def test_strings_of_a_value_have_their_lines() -> None:
    assert texts('[ # "no"\n"a", \'b"\',\n"c\\u0041"]', 7) == {"a": 8, 'b"': 8, "cA": 9}


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a", ("a",)),
        ("a.b-c.d_1", ("a", "b-c", "d_1")),
        (' a . "b.c" ', ("a", "b.c")),
        ("a.'b'", ("a", "b")),
        ("", None),
        ("a.", None),
        (".a", None),
        ("a..b", None),
        ("a b", None),
        ('a."b', ("a", "b")),
    ],
)
def test_dotted_keys_are_taken_apart(key: str, parts: tuple[str, ...] | None) -> None:
    assert split_key(key) == parts


names = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=6)
values: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(values)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert tomllib.loads(f"value = {toml(value)}")["value"] == value


@given(st.dictionaries(names, values, min_size=1, max_size=4), values)
def test_one_value_is_replaced_and_nothing_else(table: dict[str, Any], value: Any) -> None:
    text = "# first\n" + "".join(f"{dotted([name])} = {toml(item)} # note\n" for name, item in table.items())
    for name in table:
        after = with_value(text, (name,), value)
        assert tomllib.loads(after) == {**table, name: value}
        assert after.count("# note") >= len(table)
