"""Cuts long text down for the model: the beginning and the end stay, at line borders, and what is missing is said."""

from __future__ import annotations


def cut(text: str, limit: int, where: str | None = None) -> str:
    """`text`, or its head and tail of together about `limit` characters with a line between that says how much was left
    out and where it is whole."""
    if len(text) <= limit:
        return text
    head = text[: limit // 2]
    tail = text[-(limit - limit // 2) :]
    return joined(head, tail, len(text.encode("utf-8", "surrogateescape")), text.count("\n"), where)


def joined(head: str, tail: str, size: int, lines: int, where: str | None = None) -> str:
    """Head and tail of a text of `size` bytes with `lines` line feeds, with a line between that says what is missing;
    cut back to whole lines where that costs less than half of them."""
    at = head.rfind("\n") + 1
    if at > len(head) // 2:
        head = head[:at]
    at = tail.find("\n") + 1
    if 0 < at < len(tail) // 2:
        tail = tail[at:]
    missing_bytes = size - len(head.encode("utf-8", "replace")) - len(tail.encode("utf-8", "replace"))
    missing_lines = lines - head.count("\n") - tail.count("\n")
    what = f"{max(missing_lines, 0):,} lines, " if missing_lines > 0 else ""
    whole = f"; all of it is in {where}" if where else ""
    gap = "" if not head or head.endswith("\n") else "\n"
    return f"{head}{gap}[… {what}{max(missing_bytes, 0):,} bytes left out{whole} …]\n{tail}"


def shorten(line: str, limit: int) -> str:
    """One line, its end replaced by how much is missing."""
    return line if len(line) <= limit else f"{line[:limit]}… [+{len(line) - limit:,} characters]"
