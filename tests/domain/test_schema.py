"""The schema check, beside the reference implementation and in its words."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protea.domain.schema import MOST_PROBLEMS, fitted, problems, schema_mistakes

TOOL = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1},
        "mode": {"enum": ["a", "b"]},
    },
    "required": ["path"],
    "additionalProperties": False,
}


def test_every_mistake_is_said_at_once() -> None:
    assert problems({"limit": "5", "mode": "c", "x": 1}, TOOL) == [
        "`path` is missing (a string)",
        "`limit` must be an integer, not the string '5'",
        "`mode` must be one of 'a', 'b', not 'c'",
        "`x` is not known; there are path, limit, mode",
    ]


def test_null_is_called_null() -> None:
    assert problems({"path": None}, TOOL) == ["`path` must be a string, not null"]


def test_the_place_of_a_mistake_is_named() -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "number"}}}}
    assert problems([{"n": 1}, {"n": "x"}], schema) == ["`[1].n` must be a number, not the string 'x'"]


def test_a_schema_that_refers_to_itself_is_followed_as_deep_as_the_value_goes() -> None:
    tree = {"$defs": {"t": {"type": "object", "properties": {"next": {"$ref": "#/$defs/t"}}}}, "$ref": "#/$defs/t"}
    assert problems({"next": {"next": {"next": 3}}}, tree) == ["`next.next.next` must be an object, not the integer 3"]


def test_a_reference_to_itself_ends() -> None:
    assert problems(1, {"$ref": "#"}) == []


def test_long_lists_of_mistakes_are_cut() -> None:
    assert len(problems(["x"] * 1000, {"items": {"type": "integer"}})) == MOST_PROBLEMS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([0.5, 1.0, 2.5]) | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])
LEAVES = st.one_of(
    st.booleans(),
    st.builds(lambda t: {"type": t}, TYPES),
    st.builds(lambda t: {"type": t}, st.lists(TYPES, min_size=1, max_size=2, unique=True)),
    st.builds(lambda v: {"enum": v}, st.lists(JSON, min_size=1, max_size=3)),
    st.builds(lambda v: {"const": v}, JSON),
    st.builds(lambda a, b: {"minimum": a, "exclusiveMaximum": b}, st.integers(-3, 3), st.integers(-3, 3)),
    st.builds(lambda a: {"multipleOf": a}, st.sampled_from([1, 2, 0.5])),
    st.builds(lambda a, b: {"minLength": a, "maxLength": b}, st.integers(0, 2), st.integers(0, 3)),
    st.builds(lambda p: {"pattern": p}, st.sampled_from(["^a", "b$", "ab"])),
    st.builds(lambda a, u: {"minItems": a, "uniqueItems": u}, st.integers(0, 2), st.booleans()),
    st.builds(lambda n: {"required": n}, st.lists(st.sampled_from("xyz"), max_size=2, unique=True)),
)


def _wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    named = st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
    return st.one_of(
        st.builds(lambda p, r: {"properties": p, "additionalProperties": r}, named, inner),
        st.builds(lambda i: {"items": i}, inner),
        st.builds(lambda p, i: {"prefixItems": p, "items": i}, several, inner),
        st.builds(lambda s: {"anyOf": s}, several),
        st.builds(lambda s: {"oneOf": s}, several),
        st.builds(lambda s: {"allOf": s}, several),
        st.builds(lambda s: {"not": s}, inner),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner),
        st.builds(lambda p: {"patternProperties": {"^x": p}}, inner),
        st.builds(lambda p: {"propertyNames": p}, inner),
    )


@given(value=JSON, schema=st.recursive(LEAVES, _wider, max_leaves=6))
def test_it_accepts_what_the_reference_implementation_accepts(value: Any, schema: Any) -> None:
    reference = jsonschema.Draft202012Validator(schema)
    assert (problems(value, schema) == []) == reference.is_valid(value)


@pytest.mark.parametrize("schema", [{"type": "strange"}, {"properties": 3}, {"pattern": "("}, {"$ref": 5}, "x", None])
def test_a_broken_schema_never_raises(schema: Any) -> None:
    assert isinstance(problems({"a": "b"}, schema), list)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strange"}, "there is no type 'strange'; there are object"),
        ({"properties": {"a": {"type": ["string", "text"]}}}, "no type 'text' at properties.a"),
        ({"items": {"$ref": "https://example.org/s.json"}}, "is not in this schema"),
        ({"$ref": "#/$defs/none"}, "points to nothing"),
        ({"anyOf": {"type": "string"}}, "anyOf must be a list"),
        ({"properties": {"a": 3}}, "not 3 at properties.a"),
        ([], "an object or true or false"),
    ],
)
def test_what_is_no_schema_is_told(schema: Any, words: str) -> None:
    (mistake,) = schema_mistakes(schema)
    assert words in mistake


@given(schema=st.recursive(LEAVES, _wider, max_leaves=6))
def test_what_the_reference_implementation_takes_is_a_schema(schema: Any) -> None:
    assert schema_mistakes(schema) == []


def test_a_schema_may_point_into_itself() -> None:
    assert schema_mistakes({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}) == []


WANTED = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "x": {"type": "number"},
        "yes": {"type": "boolean"},
        "names": {"type": "array", "items": {"type": "string"}},
        "edits": {"type": "array", "items": {"type": "object"}},
        "files": {"type": "object"},
        "text": {"type": "string"},
        "kind": {"type": "string", "enum": ["Python", "node"]},
    },
}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"n": "5"}, {"n": 5}),
        ({"n": " -7 "}, {"n": -7}),
        ({"x": "2.5"}, {"x": 2.5}),
        ({"yes": "True"}, {"yes": True}),
        ({"yes": "false"}, {"yes": False}),
        ({"names": "one"}, {"names": ["one"]}),
        ({"names": '["a", "b"]'}, {"names": ["a", "b"]}),
        ({"edits": '[{"a": 1}]'}, {"edits": [{"a": 1}]}),
        ({"files": '{"a": "b"}'}, {"files": {"a": "b"}}),
        ({"kind": "python"}, {"kind": "Python"}),
    ],
)
def test_what_was_put_into_text_is_taken_out_of_it(sent: dict[str, Any], meant: dict[str, Any]) -> None:
    assert problems(sent, WANTED) != []
    assert fitted(sent, WANTED) == meant
    assert problems(meant, WANTED) == []


@pytest.mark.parametrize(
    "sent",
    [
        *({"n": "five"}, {"n": "2.5"}, {"n": "9" * 40}, {"x": "1e999"}, {"x": "nan"}, {"yes": "1"}, {"yes": "yes"}),
        *({"names": ""}, {"names": "[broken"}, {"edits": "one"}, {"edits": "[" * 100_000}, {"files": "[1]"}),
        *({"text": 5}, {"n": True}, {"kind": "rust"}, {"n": None}),
    ],
)
def test_nothing_else_is_guessed(sent: dict[str, Any]) -> None:
    assert problems(fitted(sent, WANTED), WANTED) != []


def test_what_fits_stays_as_it_is() -> None:
    sent = {"text": "5", "kind": "node", "names": ["[1]"], "n": 3, "other": "5"}
    assert fitted(sent, WANTED) == sent
    assert fitted(sent, {}) == sent
