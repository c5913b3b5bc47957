"""JSON Schemas as providers take them for structured output. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec


def told(system: Sequence[str], schema: dict[str, Any] | None) -> tuple[str, ...]:
    """The system prompt where a schema must be said in words: the wire, or the model, has no field for it.

    It stands last and is the same in every request, so the beginning stays.
    """
    if schema is None:
        return tuple(system)
    said = msgspec.json.encode(schema).decode()
    return (
        *system,
        "Your final answer must be one JSON value and nothing else: no words around it, no code fence. "
        f"It must be valid by this JSON Schema:\n{said}",
    )


def _is_object(schema: Any) -> bool:
    return isinstance(schema, dict) and (schema.get("type") == "object" or "properties" in schema)


def _parts(schema: Any) -> Iterator[Any]:
    """The schemas that one is made of."""
    if isinstance(schema, list):
        yield from schema
    elif isinstance(schema, dict):
        for name, value in schema.items():
            if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
                yield from value.values()
            elif name not in ("enum", "const", "default", "examples"):
                yield value


def is_strict(schema: Any) -> bool:
    """Whether OpenAI takes `schema` in strict mode: every object closed, all of its properties required."""
    if _is_object(schema):
        names = schema.get("properties")
        closed = schema.get("additionalProperties") is False and isinstance(names, dict)
        if not closed or set(schema.get("required", ())) != set(names or ()):
            return False
    return all(is_strict(part) for part in _parts(schema))


_REFUSED_BY_ANTHROPIC = frozenset(
    [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "$schema",
    ]
)


def closed(schema: Any) -> Any:
    """`schema` as Anthropic takes it: its objects closed, without the limits it refuses. The caller checks those."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
            out[name] = {key: closed(item) for key, item in value.items()}
        elif name in ("enum", "const", "default", "required"):
            out[name] = value
        elif name not in _REFUSED_BY_ANTHROPIC and not (name == "minItems" and value not in (0, 1)):
            out[name] = closed(value)
    if schema.get("type") == "object" or "properties" in schema:
        out["additionalProperties"] = False
    return out


def is_closable(schema: Any) -> bool:
    """Whether `closed(schema)` still means the same shape: no object in it may have properties nobody named."""
    if _is_object(schema):
        more = schema.get("additionalProperties")
        if not schema.get("properties") or more is True or isinstance(more, dict) or "patternProperties" in schema:
            return False
    return all(is_closable(part) for part in _parts(schema))
