"""JSON Schemas as Gemini's `parameters` takes them: a part of OpenAPI 3.0's. Used by the Gemini adapter; pure.

Sources: ai.google.dev/api/caching#Schema, the same page of the Vertex AI reference, and the messages of the 400s that
other keywords are answered with.
"""

from __future__ import annotations

from typing import Any

_KEPT = ("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength")
_FORMATS = {
    "STRING": frozenset({"date-time"}),
    "NUMBER": frozenset({"float", "double"}),
    "INTEGER": frozenset({"int32", "int64"}),
}
_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_OF_VALUE: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}


class _Unsaid(Exception):
    """The schema says what this form cannot."""


def openapi(schema: dict[str, Any]) -> dict[str, Any] | None:
    """`schema`, of an object, in Gemini's form; None where it would mean something else.

    What only narrows (`pattern`, `additionalProperties: false`, formats …) is left out: arguments are checked against
    the whole schema anyway. What Gemini cannot say at all is a value of any shape, an object without named properties
    inside another, a tuple, and a schema that contains itself.
    """
    try:
        out = _said(schema, schema, (), top=True)
    except (_Unsaid, AttributeError, TypeError, ValueError):
        return None
    return out if out.get("type") == "OBJECT" else None


def _said(node: Any, root: dict[str, Any], inside: tuple[str, ...], *, top: bool = False) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise _Unsaid
    if isinstance(ref := node.get("$ref"), str):
        if ref in inside:
            raise _Unsaid
        beside = {name: value for name, value in node.items() if name != "$ref"}
        return _said(_target(ref, root) | beside, root, (*inside, ref), top=top)
    if isinstance(parts := node.get("allOf"), list):
        return _said(_merged(node, parts, root), root, inside, top=top)
    choices = node.get("anyOf") or node.get("oneOf")
    kinds = node.get("type")
    if isinstance(kinds, list):
        choices = [{"type": kind} for kind in kinds] if choices is None else choices
    if isinstance(choices, list):
        return _choice(node, choices, root, inside, top=top)
    out: dict[str, Any] = {}
    if isinstance(text := node.get("description"), str) and text:
        out["description"] = text
    if node.get("nullable") is True:
        out["nullable"] = True
    kind = kinds if isinstance(kinds, str) else _kind(node)
    if kind not in _TYPES:
        raise _Unsaid
    out["type"] = kind.upper()
    if "const" in node or isinstance(node.get("enum"), list):
        _enumerate(out, node)
    if node.get("format") in _FORMATS.get(out["type"], ()):
        out["format"] = node["format"]
    for name in _KEPT:
        if isinstance(node.get(name), (int, float)):
            out[name] = node[name]
    if kind == "object":
        _object(out, node, root, inside, top)
    elif kind == "array":
        if node.get("prefixItems"):
            raise _Unsaid
        out["items"] = _said(node.get("items"), root, inside)
    return out


def _target(ref: str, root: dict[str, Any]) -> dict[str, Any]:
    if not ref.startswith("#"):
        raise _Unsaid
    found: Any = root
    for step in ref[1:].split("/")[1:]:
        found = found.get(step.replace("~1", "/").replace("~0", "~"))
    if not isinstance(found, dict):
        raise _Unsaid
    return found


def _merged(node: dict[str, Any], parts: list[Any], root: dict[str, Any]) -> dict[str, Any]:
    """`node` with its `allOf` taken in, where that is only properties added to properties."""
    out = {name: value for name, value in node.items() if name != "allOf"}
    for part in parts:
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            part = _target(part["$ref"], root) | {name: value for name, value in part.items() if name != "$ref"}
        for name, value in part.items():
            if name == "properties":
                out[name] = out.get(name, {}) | value
            elif name == "required":
                out[name] = [*out.get(name, ()), *value]
            elif name == "description":
                out.setdefault(name, value)
            elif out.setdefault(name, value) != value:
                raise _Unsaid
    return out


def _choice(
    node: dict[str, Any], choices: list[Any], root: dict[str, Any], inside: tuple[str, ...], *, top: bool
) -> dict[str, Any]:
    """One of several schemas; null among them is a word of its own here."""
    rest = {name: value for name, value in node.items() if name not in ("anyOf", "oneOf", "type")}
    some = [choice for choice in choices if choice != {"type": "null"}]
    nullable = len(some) < len(choices) or node.get("nullable") is True
    if len(some) == 1:
        out = _said(some[0] | rest, root, inside, top=top)
    else:
        # What stands beside the choices holds for each of them, but for the words that describe the whole.
        each = {name: value for name, value in rest.items() if name not in ("description", "title", "default", "$defs")}
        out = {"anyOf": [_said(each | choice, root, inside) for choice in some]}
        if not some:
            raise _Unsaid
        if isinstance(text := node.get("description"), str) and text:
            out["description"] = text
    if nullable:
        out["nullable"] = True
    return out


def _kind(node: dict[str, Any]) -> str | None:
    """The type a schema leaves unsaid."""
    if "properties" in node:
        return "object"
    if "items" in node:
        return "array"
    values = [node["const"]] if "const" in node else node.get("enum")
    kinds = {_OF_VALUE.get(type(value)) for value in values or () if value is not None}
    return kinds.pop() if len(kinds) == 1 else None


def _enumerate(out: dict[str, Any], node: dict[str, Any]) -> None:
    values = [node["const"]] if "const" in node else node["enum"]
    some = [value for value in values if value is not None]
    if len(some) < len(values):
        out["nullable"] = True
    if out["type"] == "STRING" and some and all(isinstance(value, str) and value for value in some):
        out["enum"] = some
    elif some:
        # Only texts may be listed, and no empty one; the model is told in words.
        listed = "One of: " + ", ".join(repr(value) for value in some)
        out["description"] = f"{out['description']} {listed}" if "description" in out else listed


def _object(
    out: dict[str, Any], node: dict[str, Any], root: dict[str, Any], inside: tuple[str, ...], top: bool
) -> None:
    properties = node.get("properties") or {}
    more = node.get("additionalProperties")
    if node.get("patternProperties") or isinstance(more, dict) or (not properties and (not top or more is True)):
        raise _Unsaid
    out["properties"] = {name: _said(value, root, inside) for name, value in properties.items()}
    if required := [name for name in node.get("required") or () if name in properties]:
        out["required"] = required
