"""Adds to the JSON Schema of the settings what each key means: the docstrings below the fields, read from the source.

Only for `protea config schema`: nothing else pays for it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import Any, get_args

import msgspec


def describe(schema: dict[str, Any], top: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema with descriptions; keys nobody knows are refused, so that an editor underlines them."""
    structs = {each.__name__: each for each in _structs(top)}
    for name, table in schema["$defs"].items():
        struct = structs.get(name)
        if struct is None:
            continue
        table["additionalProperties"] = False
        about, fields = _docstrings(struct)
        table.pop("title", None)
        if about:
            table["description"] = about
        for key, rule in table.get("properties", {}).items():
            if fields.get(key):
                rule["description"] = fields[key]
    # Names other agents' files have, which are understood as well.
    settings = schema["$defs"][top.__name__]["properties"]
    settings["default_model"] = {**settings["model"], "description": "The same as `model`."}
    settings["log_level"] = {"type": "string", "description": "The same as `log.level`."}
    return schema


def _structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """The struct, and those its fields are made of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from _structs(field.type)
    for inner in get_args(kind):
        yield from _structs(inner)


def _docstrings(struct: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """(of the class, field → of it). Nothing where the source is not there."""
    module = sys.modules[struct.__module__]
    try:
        with open(module.__file__ or "", encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except OSError:
        return "", {}
    node = next((each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == struct.__name__), None)
    if node is None:
        return "", {}
    fields = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                fields[field.target.id] = " ".join(text.split())
    return " ".join((ast.get_docstring(node) or "").split()), fields
