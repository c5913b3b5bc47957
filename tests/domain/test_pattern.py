"""Patterns whose match may never end."""

from __future__ import annotations

import pytest

from protea.domain.pattern import may_never_end
from protea.domain.schema import problems, schema_mistakes


@pytest.mark.parametrize(
    "pattern",
    [r"^(a+)+$", r"(a*)*b", r"(\w+\s?)+$", r"([a-z]+|x-)*", r"((a+))+", r"(?:a{1,5})*$", r"(?P<n>\d+)+x", r"x(a+?)+"],
)
def test_repeats_that_nothing_separates(pattern: str) -> None:
    assert may_never_end(pattern)
    [mistake] = schema_mistakes({"type": "object", "properties": {"x": {"pattern": pattern}}})
    assert "nothing separates its repeats" in mistake
    assert problems("a" * 60 + "!", {"pattern": pattern}) == []  # at once, and never held against the value


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[a-z0-9]+(-[a-z0-9]+)*$",
        r"^(\d{3}-)+\d+$",
        r"^([^@]+)@([a-z]+\.)+[a-z]{2,}$",
        r"^(foo|bar)+$",
        r"[]+*]+\(a+\)+",
        r"(a++)+",
        r"(?i)^(?:ab?)+$",
        r"(a+)?(b+){1}",
        r"",
    ],
)
def test_all_others_are_matched(pattern: str) -> None:
    assert not may_never_end(pattern)
    assert schema_mistakes({"pattern": pattern}) == []


def test_what_is_no_pattern_is_a_mistake_of_the_schema() -> None:
    [mistake] = schema_mistakes({"patternProperties": {"(": {}}})
    assert mistake.startswith("the pattern '(' is no regular expression:")
    assert problems({"x": 1}, {"patternProperties": {"(": {"type": "integer"}}}) == []
