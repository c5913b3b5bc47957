"""A value of any type that events and commands are made of, with every field filled: for round trips."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec


def sample(kind: Any) -> Any:
    """Some value of `kind`; the same one every time."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return {"any": ["thing", 1, None]}
    if origin is Literal:
        return arguments[-1]
    if origin in (Union, types.UnionType):
        return sample(next(each for each in arguments if each not in (type(None), msgspec.UnsetType)))
    if origin is tuple:
        return (sample(arguments[0]), sample(arguments[0]))
    if origin is dict:
        return {"a key": sample(arguments[1])}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return filled(kind)
    plain = {str: 'text with ü, 𝄞, \u2028, "quotes" and \n', int: 7, float: 0.25, bool: True}
    return plain[kind]


def filled(kind: type[msgspec.Struct]) -> Any:
    """An instance whose every field has a value that is not its default."""
    hints = get_type_hints(kind)
    return kind(**{name: sample(hints[name]) for name in kind.__struct_fields__})
