"""Where things stand in a TOML file: lines for errors and traces, spans for changing one value and nothing else.

It reads files a TOML parser has accepted; on others its answers mean nothing. Called by `adapters.settings`. Pure.
"""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True):
    key: tuple[str, ...]
    line: int
    start: int
    """Of the value, as an index into the text; for a table's header, of the header."""
    end: int
    table: bool = False


def places(text: str) -> list[Place]:
    """Each key and table header in order. Tables in arrays appear under the array's name; keys inside inline tables
    do not appear, the whole value does."""
    found: list[Place] = []
    table: tuple[str, ...] = ()
    at, size = 0, len(text)
    while at < size:
        at = _past_blanks(text, at)
        if at >= size:
            break
        line = text.count("\n", 0, at) + 1
        if text[at] == "[":
            start = at
            at += 2 if text.startswith("[[", at) else 1
            table, at = _key(text, at)
            while at < size and text[at] in " \t]":
                at += 1
            found.append(Place(table, line, start, at, True))
        else:
            key, after = _key(text, at)
            if after >= size or text[after] != "=":
                break
            start = after + 1
            while start < size and text[start] in " \t":
                start += 1
            at = _value_end(text, start)
            found.append(Place((*table, *key), line, start, at))
    return found


def texts(value: str, line: int) -> dict[str, int]:
    """Each string in the text of a value → its line; the value begins on `line`."""
    found: dict[str, int] = {}
    at = 0
    while at < len(value):
        if value[at] == "#":
            at = _line_end(value, at)
        elif value[at] in "\"'":
            end = _string_end(value, at)
            found.setdefault(_unquoted(value[at:end]), line + value.count("\n", 0, at))
            at = end
        else:
            at += 1
    return found


def split_key(key: str) -> tuple[str, ...] | None:
    """The parts of a dotted key, quoted ones unquoted; None where it is not one."""
    parts, end = _key(key, 0)
    written = key.strip()
    return parts if written and all(parts) and end >= len(key.rstrip()) and not written.endswith(".") else None


def _past_blanks(text: str, at: int) -> int:
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
        elif text[at] == "#":
            at = _line_end(text, at)
        else:
            break
    return at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _key(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """The dotted key at `at` and where what follows it begins."""
    parts: list[str] = []
    while True:
        while at < len(text) and text[at] in " \t":
            at += 1
        if at < len(text) and text[at] in "\"'":
            end = _string_end(text, at)
            parts.append(_unquoted(text[at:end]))
        else:
            end = at
            while end < len(text) and (text[end].isalnum() or text[end] in "_-"):
                end += 1
            parts.append(text[at:end])
        at = end
        while at < len(text) and text[at] in " \t":
            at += 1
        if at >= len(text) or text[at] != ".":
            return tuple(parts), at
        at += 1


def _value_end(text: str, at: int) -> int:
    """Where the value at `at` ends: before blanks and comments on its last line."""
    depth, end = 0, at
    while at < len(text):
        letter = text[at]
        if letter in "\"'":
            at = end = _string_end(text, at)
            continue
        if letter == "#":
            at = _line_end(text, at)
            continue
        if letter == "\n" and not depth:
            break
        depth += (letter in "[{") - (letter in "]}")
        at += 1
        if letter not in " \t\r\n":
            end = at
    return end


def _string_end(text: str, at: int) -> int:
    quote = text[at]
    fence = quote * 3 if text.startswith(quote * 3, at) else quote
    at += len(fence)
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 2
        elif text.startswith(fence, at):
            at += len(fence)
            while len(fence) == 3 and at < len(text) and text[at] == quote:
                at += 1  # up to two quotes may stand before the closing three
            return at
        else:
            at += 1
    return at


def _unquoted(text: str) -> str:
    if text[0] == "'" or text.startswith('"""'):
        return text.strip(text[0])
    try:
        return msgspec.json.decode(text.encode(), type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text.strip('"')  # \U…, which JSON has not
