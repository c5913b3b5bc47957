"""Checks a value against a JSON Schema and says every mistake at once, in words a model can act on.

Covers what tool and answer schemas use (JSON Schema 2020-12, sections "validation" and "applicator", with local
`$ref`): type, enum, const, properties, required, additionalProperties, patternProperties, propertyNames, items,
prefixItems, min/max of numbers, strings, arrays and objects, uniqueItems, multipleOf, pattern, anyOf, oneOf, allOf,
not, if/then/else, dependentRequired. `format` is an annotation, as the standard's default has it. Keywords it does
not know are ignored, as the standard asks.
"""

from __future__ import annotations

import contextlib
import json
import operator
import re
from collections.abc import Callable
from typing import Any

from protea.domain.pattern import may_never_end

MOST_PROBLEMS = 20
DEEPEST = 64

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
}
_BOUNDS: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
    ("minimum", "at least", operator.ge),
    ("maximum", "at most", operator.le),
    ("exclusiveMinimum", "more than", operator.gt),
    ("exclusiveMaximum", "less than", operator.lt),
)
_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def problems(value: Any, schema: Any) -> list[str]:
    """All that is wrong with `value`, one sentence each; empty when it fits. At most 20."""
    found: list[str] = []
    # A schema that is none itself is not the value's fault: what was found before that stands.
    with contextlib.suppress(AttributeError, KeyError, TypeError, re.error):
        _check(value, schema, "", schema, found, 0)
    return found[:MOST_PROBLEMS]


def schema_mistakes(schema: Any) -> list[str]:
    """Why `schema` is none that can be checked against, one sentence each; empty where it can. At most 20."""
    found: list[str] = []
    _mistakes(schema, "", schema, found, 0)
    return found[:MOST_PROBLEMS]


_KINDS = ("object", "array", "string", "number", "integer", "boolean", "null")
_ONE = ("items", "additionalProperties", "propertyNames", "not", "if", "then", "else", "contains")
_SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


def _mistakes(schema: Any, where: str, root: Any, found: list[str], depth: int) -> None:
    place = f" at {where}" if where else ""
    if isinstance(schema, bool) or len(found) >= MOST_PROBLEMS:
        return
    if not isinstance(schema, dict):
        found.append(f"a schema is an object or true or false, not {_shown(schema)}{place}")
        return
    if depth > DEEPEST:
        found.append(f"it is nested more than {DEEPEST} deep{place}")
        return
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in _KINDS:
            found.append(f"there is no type {_shown(kind)}{place}; there are {', '.join(_KINDS)}")
    reference = schema.get("$ref", "#")
    if not isinstance(reference, str) or not reference.startswith("#"):
        found.append(f"$ref {_shown(reference)}{place} is not in this schema; only #/… is followed")
    elif reference != "#" and _resolve(reference, root) is True:
        found.append(f"$ref {_shown(reference)}{place} points to nothing")
    if not isinstance(schema.get("required", []), list):
        found.append(f"required{place} must be a list of names")
    if not isinstance(schema.get("enum", []), list):
        found.append(f"enum{place} must be a list")
    patterns = schema.get("patternProperties")
    for pattern in (schema.get("pattern", ""), *(patterns if isinstance(patterns, dict) else ())):
        if wrong := _mistake_in(pattern):
            found.append(f"the pattern {_shown(pattern)}{place} {wrong}")
    for name in _ONE:
        if name in schema:
            _mistakes(schema[name], _join(where, name), root, found, depth + 1)
    for name in _SEVERAL:
        rules = schema.get(name, [])
        if not isinstance(rules, list):
            found.append(f"{name}{place} must be a list of schemas")
            continue
        for number, rule in enumerate(rules):
            _mistakes(rule, _join(where, f"{name}.{number}"), root, found, depth + 1)
    for name in _NAMED:
        table = schema.get(name, {})
        if not isinstance(table, dict):
            found.append(f"{name}{place} must be an object of schemas")
            continue
        for key, rule in table.items():
            _mistakes(rule, _join(_join(where, name), key), root, found, depth + 1)


def _mistake_in(pattern: Any) -> str:
    if not isinstance(pattern, str):
        return "must be a string"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"is no regular expression: {error}"
    return "may take for ever to match: nothing separates its repeats" if may_never_end(pattern) else ""


def _check(value: Any, schema: Any, where: str, root: Any, found: list[str], depth: int) -> None:
    if schema is True or len(found) >= MOST_PROBLEMS:
        return
    if schema is False:
        found.append(f"{_at(where)} is not allowed here")
        return
    if not isinstance(schema, dict) or depth > DEEPEST:
        return
    if "$ref" in schema:
        _check(value, _resolve(schema["$ref"], root), where, root, found, depth + 1)
    if "type" in schema and not _is_of(value, schema["type"]):
        found.append(f"{_at(where)} must be {_a(schema['type'])}, not {_kind(value)}{_shown(value)}")
        return
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        found.append(f"{_at(where)} must be one of {', '.join(map(_shown, schema['enum']))}, not {_shown(value)}")
    if "const" in schema and not _same(value, schema["const"]):
        found.append(f"{_at(where)} must be {_shown(schema['const'])}, not {_shown(value)}")
    if isinstance(value, str):
        _check_string(value, schema, where, found)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_number(value, schema, where, found)
    elif isinstance(value, (list, tuple)):
        _check_array(value, schema, where, root, found, depth)
    elif isinstance(value, dict):
        _check_object(value, schema, where, root, found, depth)
    _check_combinations(value, schema, where, root, found, depth)


def _check_string(value: str, schema: dict[str, Any], where: str, found: list[str]) -> None:
    if len(value) < schema.get("minLength", 0):
        found.append(f"{_at(where)} must have at least {schema['minLength']} characters, it has {len(value)}")
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        found.append(f"{_at(where)} must have at most {schema['maxLength']} characters, it has {len(value)}")
    if "pattern" in schema and not _fits(schema["pattern"], value):
        found.append(f"{_at(where)} must match the pattern {schema['pattern']}, not {_shown(value)}")


def _fits(pattern: str, text: str) -> bool:
    """A pattern Python's dialect cannot read, or one whose match may never end, is the schema's fault and not the
    value's."""
    try:
        return may_never_end(pattern) or re.search(pattern, text) is not None
    except re.error:
        return True


def _check_number(value: float, schema: dict[str, Any], where: str, found: list[str]) -> None:
    for keyword, words, fits in _BOUNDS:
        limit = schema.get(keyword)
        if isinstance(limit, (int, float)) and not isinstance(limit, bool) and not fits(value, limit):
            found.append(f"{_at(where)} must be {words} {limit}, not {_shown(value)}")
    step = schema.get("multipleOf")
    if isinstance(step, (int, float)) and step > 0:
        quotient = value / step
        if quotient != int(quotient):
            found.append(f"{_at(where)} must be a multiple of {step}, not {_shown(value)}")


def _check_array(
    value: list[Any] | tuple[Any, ...], schema: dict[str, Any], where: str, root: Any, found: list[str], depth: int
) -> None:
    if len(value) < schema.get("minItems", 0):
        found.append(f"{_at(where)} must have at least {schema['minItems']} items, it has {len(value)}")
    if "maxItems" in schema and len(value) > schema["maxItems"]:
        found.append(f"{_at(where)} must have at most {schema['maxItems']} items, it has {len(value)}")
    if schema.get("uniqueItems") and any(_same(a, b) for i, a in enumerate(value) for b in value[:i]):
        found.append(f"{_at(where)} must not repeat an item")
    first = schema.get("prefixItems", [])
    for index, item in enumerate(value):
        rule = first[index] if index < len(first) else schema.get("items", True)
        _check(item, rule, f"{where}[{index}]", root, found, depth + 1)


def _check_object(
    value: dict[str, Any], schema: dict[str, Any], where: str, root: Any, found: list[str], depth: int
) -> None:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            what = known.get(name)
            kind = f" ({_a(what['type'])})" if isinstance(what, dict) and "type" in what else ""
            found.append(f"{_at(_join(where, name))} is missing{kind}")
    for name, needed in schema.get("dependentRequired", {}).items():
        if name in value:
            found += [
                f"{_at(_join(where, other))} is missing; {name} needs it" for other in needed if other not in value
            ]
    if len(value) < schema.get("minProperties", 0):
        found.append(f"{_at(where)} must have at least {schema['minProperties']} properties, it has {len(value)}")
    if "maxProperties" in schema and len(value) > schema["maxProperties"]:
        found.append(f"{_at(where)} must have at most {schema['maxProperties']} properties, it has {len(value)}")
    patterns = schema.get("patternProperties", {})
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        _check(name, schema.get("propertyNames", True), _join(where, name), root, found, depth + 1)
        matching = [rule for pattern, rule in patterns.items() if _fits(pattern, name)]
        if name in known:
            matching.append(known[name])
        if not matching:
            if rest is False:
                expected = f"; there are {', '.join(known)}" if known else ""
                found.append(f"{_at(_join(where, name))} is not known{expected}")
                continue
            matching.append(rest)
        for rule in matching:
            _check(item, rule, _join(where, name), root, found, depth + 1)


def _check_combinations(
    value: Any, schema: dict[str, Any], where: str, root: Any, found: list[str], depth: int
) -> None:
    def wrong(rule: Any) -> list[str]:
        inner: list[str] = []
        _check(value, rule, where, root, inner, depth + 1)
        return inner

    for rule in schema.get("allOf", ()):
        found += wrong(rule)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            tried = [wrong(rule) for rule in schema[keyword]]
            fitting = sum(not each for each in tried)
            if tried and fitting == 0:
                closest = min(tried, key=len)
                found.append(f"{_at(where)} fits none of the {len(tried)} allowed forms; closest: {'; '.join(closest)}")
            elif keyword == "oneOf" and fitting > 1:
                found.append(f"{_at(where)} must fit exactly one of {len(tried)} forms, it fits {fitting}")
    if "not" in schema and not wrong(schema["not"]):
        found.append(f"{_at(where)} has a form that is not allowed: {_shown(value)}")
    if "if" in schema:
        branch = schema.get("else", True) if wrong(schema["if"]) else schema.get("then", True)
        found += wrong(branch)


def _is_of(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return any(_is_of(value, each) for each in wanted)
    if wanted == "integer":
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )
    if wanted == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return wanted not in _TYPES or isinstance(value, _TYPES[wanted])


def _same(a: Any, b: Any) -> bool:
    """Equality as JSON has it: 1 and 1.0 are one number, true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _resolve(reference: Any, root: Any) -> Any:
    """What a local reference (`#/$defs/x`) points to; anything else allows everything."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return True
    target = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and name.isdigit() and int(name) < len(target):
            target = target[int(name)]
        elif isinstance(target, dict) and name in target:
            target = target[name]
        else:
            return True
    return target


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _at(where: str) -> str:
    return f"`{where}`" if where else "the value"


def _a(wanted: Any) -> str:
    if isinstance(wanted, list):
        return " or ".join(_a(each) for each in wanted)
    return "null" if wanted == "null" else f"{'an' if str(wanted)[:1] in 'aio' else 'a'} {wanted}"


def _kind(value: Any) -> str:
    return "" if value is None else f"the {_NAMES.get(type(value), type(value).__name__)} "


def _shown(value: Any) -> str:
    text = "null" if value is None else "true" if value is True else "false" if value is False else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def fitted(arguments: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The arguments as a schema wants them, where a model has put into text what is none: `"5"` for 5, `"true"`, a list
    written as JSON, one text for a list of one. Nothing else is guessed: what does not fit then is wrong."""
    known = schema.get("properties")
    if not isinstance(known, dict):
        return arguments
    return {name: _out_of_text(value, known.get(name)) for name, value in arguments.items()}


_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")


def _out_of_text(value: Any, wanted: Any) -> Any:
    if not isinstance(value, str) or not isinstance(wanted, dict):
        return value
    text = value.strip()
    match wanted.get("type"):
        case "integer" | "number" as kind if found := _NUMBER.fullmatch(text):
            return float(text) if found[1] and kind == "number" else value if found[1] else int(text)
        case "boolean" if text.lower() in ("true", "false"):
            return text.lower() == "true"
        case "array" | "object" as kind if text[:1] == {"array": "[", "object": "{"}[kind]:
            with contextlib.suppress(ValueError, RecursionError):
                return json.loads(text)
        case "array" if text and wanted.get("items", {}).get("type") == "string":
            return [value]
        case "string" if value not in wanted.get("enum", (value,)):
            return next((each for each in wanted["enum"] if str(each).lower() == text.lower()), value)
        case _:
            pass
    return value
