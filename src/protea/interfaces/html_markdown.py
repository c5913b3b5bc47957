"""Markdown as HTML, for pages that nobody has to trust: all text is escaped, no HTML of the author's gets through, and
links lead only to the web.

As small as `markdown` for the terminal, and for the same text: what models write.
"""

from __future__ import annotations

import re
from html import escape

from protea.interfaces.markdown import heading_text

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(\S.*)$")
_ITEM = re.compile(r"^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$")
_BOX = re.compile(r"\[([ xX])\]\s+")
_RULE = re.compile(r"^ {0,3}([-*_])(\s*\1){2,}\s*$")
_QUOTE = re.compile(r"^ {0,3}>\s?(.*)$")
_DELIMITER = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_INLINE = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<image>!?)\[(?P<label>[^\[\]]*)\]\((?P<address>[^()\s]*)(?:\s+&quot;[^\n]*?&quot;)?\)"
    r"|(?P<bare>https?://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?])"
    r"|\*\*(?P<strong>\S(?:(?:[^*]|\*(?!\*))*\S)?)\*\*"
    r"|(?<![\w*])\*(?P<em>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])"
    r"|(?<!\w)_(?P<under>[^\s_](?:[^_]*[^\s_])?)_(?!\w)"
    r"|~~(?P<struck>\S(?:(?:[^~]|~(?!~))*\S)?)~~",
    re.DOTALL,
)
_WEB = re.compile(r"(?:https?|mailto):[^\s\"'<>]+\Z", re.IGNORECASE)
DEEPEST = 20
"""Levels of lists and quotes that are told apart."""


def markdown_html(text: str, depth: int = 0) -> str:
    """The blocks of `text` as HTML."""
    lines = text.replace("\r\n", "\n").split("\n")
    made: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif fence := _FENCE.match(line):
            end = next((i for i in range(at + 1, len(lines)) if _ends(fence[1], lines[i])), len(lines))
            language = f' data-language="{escape(fence[2])}"' if fence[2] else ""
            made.append(f"<pre{language}><code>{escape(chr(10).join(lines[at + 1 : end]))}</code></pre>")
            at = end + 1
        elif heading := _HEADING.match(line):
            made.append(f"<h{len(heading[1])}>{inline_html(heading_text(heading[2]))}</h{len(heading[1])}>")
            at += 1
        elif _RULE.match(line):
            made.append("<hr>")
            at += 1
        elif _QUOTE.match(line) and depth < DEEPEST:
            end = _while(lines, at, lambda each: _QUOTE.match(each) is not None)
            inner = "\n".join(_QUOTE.sub(r"\1", each) for each in lines[at:end])
            made.append(f"<blockquote>{markdown_html(inner, depth + 1)}</blockquote>")
            at = end
        elif _ITEM.match(line) and depth < DEEPEST:
            html, at = _list(lines, at, depth)
            made.append(html)
        elif "|" in line and at + 1 < len(lines) and _DELIMITER.match(lines[at + 1]) and "-" in lines[at + 1]:
            end = _while(lines, at + 2, lambda each: "|" in each and bool(each.strip()))
            made.append(_table([lines[at], *lines[at + 2 : end]], _cells(lines[at + 1])))
            at = end
        else:
            end = _while(lines, at + 1, lambda each: bool(each.strip()) and not _begins(each))
            made.append(f"<p>{inline_html(chr(10).join(each.strip() for each in lines[at:end]))}</p>")
            at = end
    return "\n".join(made)


def inline_html(text: str, depth: int = 0) -> str:
    """What stands in a paragraph."""
    made: list[str] = []
    at = 0
    for found in _INLINE.finditer(text) if depth < DEEPEST else ():
        made.append(escape(text[at : found.start()]))
        made.append(_mark(found, depth))
        at = found.end()
    made.append(escape(text[at:]))
    return "".join(made)


def _mark(found: re.Match[str], depth: int) -> str:
    if found["code"] is not None:
        return f"<code>{escape(found['code'].strip())}</code>"
    if found["escaped"] is not None:
        return escape(found["escaped"])
    if found["label"] is not None:
        label = inline_html(found["label"], depth + 1) or escape(found["address"])
        # What a picture shows lies elsewhere, and this page loads nothing.
        return _link(found["address"], f"▣ {label}" if found["image"] else label)
    if found["bare"] is not None:
        return _link(found["bare"], escape(found["bare"]))
    for name, tag in (("strong", "strong"), ("em", "em"), ("under", "em"), ("struck", "s")):
        if found[name] is not None:
            return f"<{tag}>{inline_html(found[name], depth + 1)}</{tag}>"
    return escape(found[0])


def _link(address: str, label: str) -> str:
    if not _WEB.match(address):
        return label
    return f'<a href="{escape(address)}" rel="noreferrer noopener">{label}</a>'


def _list(lines: list[str], at: int, depth: int) -> tuple[str, int]:
    first = _ITEM.match(lines[at])
    assert first is not None
    ordered = first[2][0].isdigit()
    items: list[str] = []
    while at < len(lines):
        item = _ITEM.match(lines[at])
        if item is None or item[2][0].isdigit() != ordered or len(item[1]) > len(first[1]) + 1:
            break
        indent = len(item[1]) + len(item[2]) + 1
        body = [item[3]]
        at += 1
        while at < len(lines):
            line = lines[at]
            inside = len(line) - len(line.lstrip(" ")) >= min(indent, len(item[1]) + 2)
            if line.strip() and not inside:
                break
            if not line.strip() and not any(each.strip() for each in lines[at : at + 2]):
                break
            body.append(line[min(indent, len(line) - len(line.lstrip(" "))) :])
            at += 1
        box = _BOX.match(body[0])
        if box is not None:
            body[0] = ("☐ " if box[1] == " " else "☑ ") + body[0][box.end() :]
        inner = markdown_html("\n".join(body), depth + 1)
        only = re.fullmatch(r"<p>(.*)</p>", inner, re.DOTALL)
        items.append(f"<li>{only[1] if only and '<p>' not in only[1] else inner}</li>")
        while at < len(lines) and not lines[at].strip() and at + 1 < len(lines) and _ITEM.match(lines[at + 1]):
            at += 1
    tag = "ol" if ordered else "ul"
    start = int(first[2][:-1]) if ordered else 1
    return f"<{tag}{f' start={chr(34)}{start}{chr(34)}' if start != 1 else ''}>{''.join(items)}</{tag}>", at


def _table(rows: list[str], delimiters: list[str]) -> str:
    sides = [_SIDES.get((each[:1] == ":", each[-1:] == ":"), "") for each in delimiters]
    made = []
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        made.append("<tr>")
        for column, cell in enumerate(_cells(row)):
            side = sides[column] if column < len(sides) else ""
            made.append(f"<{tag}{side}>{inline_html(cell)}</{tag}>")
        made.append("</tr>")
    return f"<table>{''.join(made)}</table>"


_SIDES = {(False, True): ' class="right"', (True, True): ' class="middle"'}
"""Whether a column's delimiter begins and ends with a colon → where its text stands."""


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().removeprefix("|").removesuffix("|"))]


def _begins(line: str) -> bool:
    """Whether a line begins a block of its own inside of a paragraph."""
    return any(pattern.match(line) for pattern in (_FENCE, _HEADING, _QUOTE, _ITEM, _RULE))


def _ends(fence: str, line: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(fence) and set(stripped) == {fence[0]}


def _while(lines: list[str], at: int, holds: object) -> int:
    assert callable(holds)
    while at < len(lines) and holds(lines[at]):
        at += 1
    return at
