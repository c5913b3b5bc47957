"""The head of a Markdown file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.front_matter import listed, split


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("name: pdf", {"name": "pdf"}),
        ("name: 'it''s'", {"name": "it's"}),
        ('name: "a \\"b\\" # c"', {"name": 'a "b" # c'}),
        ("name: pdf # what it is called", {"name": "pdf"}),
        ("url: http://a.b/c#d", {"url": "http://a.b/c#d"}),
        ("tools: [Read, 'a, b', \"{x,y}\"]", {"tools": ("Read", "a, b", "{x,y}")}),
        ("tools:\n- Read\n- Bash(git:*)", {"tools": ("Read", "Bash(git:*)")}),
        ("paths:\n  - 'a'\n\n  - b # c\nname: x", {"paths": ("a", "b"), "name": "x"}),
        ("description: >\n  one\n  two\n\n  three\nname: x", {"description": "one two\nthree", "name": "x"}),
        ("description: |\n  one\n    two\nname: x", {"description": "one\n  two", "name": "x"}),
        ("description: goes\n  on here", {"description": "goes on here"}),
        ("allowed-tools: Read, Grep", {"allowed-tools": "Read, Grep"}),
        ("empty:", {"empty": ""}),
        ("# nothing", {}),
        ("not a pair", {}),
    ],
)
def test_names_and_values(head: str, expected: dict[str, object]) -> None:
    for end in ("\n", "\r\n"):
        text = f"---\n{head}\n---\nbody\n".replace("\n", end)
        assert split(text) == (expected, f"body{end}")


@pytest.mark.parametrize(
    "text", ["", "body", "---", "---\nname: a\nbody", "text\n---\nname: a\n---\n", "----\na: b\n---\n"]
)
def test_without_a_head_all_is_body(text: str) -> None:
    assert split(text) == ({}, text)


def test_lists_may_be_written_with_commas() -> None:
    assert listed("a, b ,,c") == ("a", "b", "c")
    assert listed(("a ", "b")) == ("a", "b")
    assert listed(None) == ()


@given(st.text(max_size=200))
def test_any_text_is_split_without_losing_the_body(text: str) -> None:
    values, body = split(text)
    assert text.endswith(body)
    assert values == {} or text.lstrip("\ufeff").startswith("---")
    split(f"---\n{text}\n---\n")
