"""Checks what a layer says, key by key, so that an error can name the key, its place and what is accepted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from protea.domain.settings import NOT_KEYS, Settings, dotted
from protea.domain.spelling import nearest

_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table",
    list: "a list",
    type(None): "nothing",
}

Fail = Callable[[str, str], Exception]
"""(dotted key, message) → the error to raise."""


def check(data: dict[str, Any], fail: Fail, warn: Callable[[str, str], None]) -> dict[str, Any]:
    """`data` without the keys nobody knows, of which `warn` is told. Raises what `fail` makes of the first mistake."""
    checked: dict[str, Any] = _table(data, Settings, (), fail, warn)
    return checked


def accepts(key: tuple[str, ...]) -> Any | None:
    """The type of what a key takes; None for an unknown one."""
    known: Any = Settings
    for part in key:
        known = _plain(known)
        if _is_struct(known):
            known = _fields(known).get(part)
        elif get_origin(known) is dict:
            known = get_args(known)[1]
        elif known is not Any:
            return None
        if known is None:
            return None
    return known


def names(key: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of the table that `key` is."""
    kind = _plain(accepts(key) if key else Settings)
    return tuple(_fields(kind)) if _is_struct(kind) else ()


def _table(data: Any, struct: Any, at: tuple[str, ...], fail: Fail, warn: Callable[[str, str], None]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise fail(dotted(at), f"{dotted(at)} must be a table, not {_shown(data)}")
    fields = _fields(struct)
    checked: dict[str, Any] = {}
    for name, value in data.items():
        here = (*at, name)
        kind = fields.get(name)
        if kind is None:
            near = nearest(name, fields)
            hint = f"; did you mean {dotted((*at, near))}?" if near else ""
            warn(dotted(here), f"{dotted(here)} is not a setting, so it is passed over{hint}")
            continue
        checked[name] = _value(value, kind, here, fail, warn)
    return checked


def _value(value: Any, kind: Any, at: tuple[str, ...], fail: Fail, warn: Callable[[str, str], None]) -> Any:
    plain = _plain(kind)
    if _is_struct(plain):
        table = _table(value, plain, at, fail, warn)
        _convert(table, plain, at, fail)  # what is required of it
        return table
    if get_origin(plain) is dict and get_args(plain)[1] is not str:
        if not isinstance(value, dict):
            raise fail(dotted(at), f"{dotted(at)} must be a table, not {_shown(value)}")
        inner = get_args(plain)[1]
        return {name: _value(item, inner, (*at, name), fail, warn) for name, item in value.items()}
    if kind is Any:
        return value
    _convert(value, kind, at, fail)
    return value


def _convert(value: Any, kind: Any, at: tuple[str, ...], fail: Fail) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        key = dotted(at)
        if _is_struct(_plain(kind)):
            raise fail(key, f"{key}: {str(error)[:1].lower()}{str(error)[1:]}") from None
        raise fail(key, f"{key} must be {words(kind)}, not {_shown(value)}") from None


def words(kind: Any) -> str:
    """What a type accepts, for a person."""
    if get_origin(kind) is Annotated:
        inner, *metas = get_args(kind)
        least = next((meta.ge for meta in metas if isinstance(meta, msgspec.Meta) and meta.ge is not None), None)
        return words(inner) + ("" if least is None else f" from {least} up")
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        return " or ".join(words(choice) for choice in get_args(kind) if choice is not type(None))
    if get_origin(kind) in (tuple, list):
        return f"a list of {words(get_args(kind)[0])}s"
    if get_origin(kind) is dict:
        return f"a table of {words(get_args(kind)[1])}s"
    return _WORDS.get(kind, "a table")


def _shown(value: Any) -> str:
    kind = _WORDS.get(type(value), type(value).__name__)
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, UnicodeEncodeError):
        return kind
    return f"{kind} ({text[:40]}{'…' if len(text) > 40 else ''})" if not isinstance(value, dict) else kind


def _plain(kind: Any) -> Any:
    """Without `| None`."""
    if get_origin(kind) in (Union, UnionType):
        rest = [choice for choice in get_args(kind) if choice is not type(None)]
        return rest[0] if len(rest) == 1 else kind
    return kind


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


@cache
def _fields(struct: Any) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(struct) if field.name not in NOT_KEYS}
