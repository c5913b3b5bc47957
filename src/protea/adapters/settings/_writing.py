"""TOML values as text, and changing one key of a file without touching the rest of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from protea.domain.errors import StoreError
from protea.domain.settings import dotted
from protea.domain.toml_places import places


def toml(value: Any) -> str:
    """A value as TOML writes it, on one line. Raises `ValueError` for what TOML has no word for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{dotted([name])} = {toml(item)}" for name, item in value.items()) + " }"
    raise ValueError(f"{type(value).__name__} cannot be written as TOML")


def with_value(text: str, key: tuple[str, ...], value: Any) -> str:
    """`text` with `key` set to `value`: in its place where it has one, else at the end of its table."""
    found = places(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    for place in found:
        if not place.table and place.key == key:
            return text[: place.start] + toml(value) + text[place.end :]
    for place in found:
        # `limits = { … }`: a comment cannot stand in such a table, so writing it anew loses none.
        if not place.table and place.key == key[: len(place.key)] and text.startswith("{", place.start):
            import tomllib

            table = tomllib.loads(f"table = {text[place.start : place.end]}")["table"]
            _put(table, key[len(place.key) :], value)
            return text[: place.start] + toml(table) + text[place.end :]
    for depth in range(len(key) - 1, -1, -1):
        head = key[:depth]
        headers = [index for index, place in enumerate(found) if place.table and place.key == head]
        if depth and not headers:
            continue
        start = headers[-1] + 1 if depth else 0
        rest = found[start:]
        own = rest[: next((index for index, place in enumerate(rest) if place.table), len(rest))]
        line = f"{dotted(key[depth:])} = {toml(value)}{newline}"
        if depth == 0 and len(key) > 1:
            apart = newline if text.strip() else ""
            header = f"{apart}[{dotted(key[:-1])}]{newline}"
            return f"{_ended(text, newline)}{header}{dotted(key[-1:])} = {toml(value)}{newline}"
        if own or depth:
            at = _next_line(text, own[-1].end if own else found[headers[-1]].end)
        else:
            at = _before_first_table(text, rest[0].start if rest else len(text))
        return _ended(text[:at], newline) + line + text[at:]
    raise AssertionError("the depth of 0 always has a place")


def _put(table: dict[str, Any], key: tuple[str, ...], value: Any) -> None:
    for part in key[:-1]:
        below = table.setdefault(part, {})
        if not isinstance(below, dict):
            raise ValueError(f"{part} is no table")
        table = below
    table[key[-1]] = value


def with_item(text: str, key: tuple[str, ...], value: Any) -> str:
    """`text` with `value` as one more item of the list at `key`. What a person wrote between its items stays."""
    place = next((place for place in places(text) if not place.table and place.key == key), None)
    if place is None or not text.startswith("[", place.start):
        return with_value(text, key, [value])
    newline = "\r\n" if "\r\n" in text else "\n"
    written = text[place.start : place.end]
    if "#" in written:
        rest = text[place.start + 1 :]
        indent = "" if rest.lstrip(" \t").startswith(("\r", "\n")) else newline
        return f"{text[: place.start + 1]}{newline}  {toml(value)},{indent}{rest}"
    import tomllib

    items = [*tomllib.loads(f"items = {written}")["items"], value]
    lines = "".join(f"  {toml(item)},{newline}" for item in items)
    return f"{text[: place.start]}[{newline}{lines}]{text[place.end :]}"


@contextmanager
def alone(path: str) -> Iterator[None]:
    """Nobody else changes a file of this folder meanwhile, as far as they ask here. Raises `StoreError`."""
    folder = os.path.dirname(os.path.realpath(path))
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(f"{path} could not be written: {(error.strerror or str(error)).lower()}") from error
    try:
        with suppress(OSError):  # a file system without locks: then it is as if nobody else was there
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def replace_file(path: str, text: str) -> None:
    """Write `text` in the place of a file, all at once; a new one can be read by its owner alone."""
    real = os.path.realpath(path)  # a link to a folder of dotfiles stays a link
    passing = f"{real}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(real), 0o700, exist_ok=True)
        try:
            mode = os.stat(real).st_mode & 0o777
        except FileNotFoundError:
            mode = 0o600
        fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        try:
            with open(fd, "wb") as file:
                os.fchmod(fd, mode)
                file.write(text.encode())
                file.flush()
                os.fsync(fd)
            os.replace(passing, real)
        except BaseException:
            os.unlink(passing)
            raise
    except OSError as error:
        raise StoreError(f"{path} could not be written: {(error.strerror or str(error)).lower()}") from error


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _before_first_table(text: str, table: int) -> int:
    """Where a key of no table can stand: before the comment that belongs to the first table."""
    at = table
    while at > 0:
        above = text.rfind("\n", 0, at - 1) + 1
        if not text[above:at].lstrip().startswith("#"):
            break
        at = above
    return at if table < len(text) else len(text)


def _ended(text: str, newline: str) -> str:
    return text if not text or text.endswith("\n") else text + newline
