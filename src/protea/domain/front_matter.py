"""The head of a Markdown file between two `---` lines, as skills, rules, agents and commands have it.

A small part of YAML: `name: text`, quoted texts, `[a, b]`, and lists of `- item` lines; folded (`>`) and literal (`|`)
blocks. What is more than that is kept as the text it is. Pure.
"""

from __future__ import annotations

import re

from protea.domain.pattern import regex

Value = str | tuple[str, ...]

_FENCE = regex(r"\A\ufeff?---[ \t]*\r?\n(.*?)(?:^---[ \t]*\r?$\n?|\Z)", re.DOTALL | re.MULTILINE)
_PAIR = regex(r"([A-Za-z_][\w.-]*)[ \t]*:(?:[ \t]+(.*)|[ \t]*)$")
_ITEM = regex(r"[ \t]*-[ \t]+(.*)$")


def split(text: str) -> tuple[dict[str, Value], str]:
    """The head's values and the body. Without a head that ends, there are none and the body is all of it."""
    head = _FENCE.match(text)
    if head is None or not head[0].rstrip().endswith("---") or head.end(1) == head.end():
        return {}, text
    return _values(head[1].splitlines()), text[head.end() :]


def listed(value: Value | None) -> tuple[str, ...]:
    """A value that is a list, or a text with commas between its items, as a list."""
    if value is None:
        return ()
    items = _items(value) if isinstance(value, str) else value
    return tuple(item.strip() for item in items if item.strip())


def _values(lines: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    at = 0
    while at < len(lines):
        pair = _PAIR.match(lines[at])
        at += 1
        if pair is None:
            continue
        name, rest = pair[1], _without_comment(pair[2] or "")
        end = at
        while end < len(lines) and (not lines[end].strip() or lines[end][0] in " \t" or _ITEM.match(lines[end])):
            end += 1
        below = lines[at:end]
        if rest in (">", ">-", ">+", "|", "|-", "|+"):
            values[name] = _block(below, folded=rest[0] == ">")
        elif not rest and any(_ITEM.match(line) for line in below):
            items = (item[1] for line in below if (item := _ITEM.match(line)))
            values[name] = tuple(_plain(_without_comment(item)) for item in items)
        elif rest.startswith("[") and rest.endswith("]"):
            values[name] = tuple(_plain(item) for item in _items(rest[1:-1]))
        else:
            more = " ".join(line.strip() for line in below if line.strip())
            values[name] = _plain(f"{rest} {more}".strip())
        at = end
    return values


def _block(lines: list[str], *, folded: bool) -> str:
    depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    cut = [line[depth:].rstrip() for line in lines]
    if not folded:
        return "\n".join(cut).strip("\n")
    paragraphs = re.split(r"\n{2,}", "\n".join(cut).strip("\n"))
    return "\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)


def _items(text: str) -> list[str]:
    """What stands between commas that are in no quotes and no braces."""
    items, depth, quote, start = [], 0, "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "{[":
            depth += 1
        elif letter in "}]":
            depth -= 1
        elif letter == "," and not depth:
            items.append(text[start:at].strip())
            start = at + 1
    items.append(text[start:].strip())
    return [item for item in items if item]


def _plain(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        inner = text[1:-1]
        return inner.replace("''", "'") if text[0] == "'" else inner.replace('\\"', '"').replace("\\\\", "\\")
    return text


def _without_comment(text: str) -> str:
    text = text.strip()
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[: end + 1] if end > 0 and text[end + 1 :].lstrip().startswith("#") else text
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip() if not text.startswith("#") else ""
