"""HTML as a small tree: what is open is closed where browsers close it, and what runs, styles, is hidden or is for a
pointer is left out. Called by `_markdown`.

It is read here and not by `html.parser`, whose time grows with the square of what a hostile page leaves open. Here each
letter is read once: what has no end goes to the end of the page, as it does in browsers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

DEEPEST = 150
"""Elements within one another; what is deeper stands beside instead of within."""
MOST_SKIPPED = 500
MOST_ATTRIBUTES = 100
RAW = frozenset({"script", "style", "textarea", "title", "iframe", "noscript", "xmp", "noframes", "noembed"})
_NAME = re.compile(r"[A-Za-z][^\s/>]{0,60}")
_ATTRIBUTE = re.compile(r"[\s/]*([^\s=>/\"'][^\s=>/]*)(?:\s*=\s*(\"|'|[^\s>\"'][^\s>]*))?")
SKIPPED = frozenset(
    """
    script style noscript template svg title head nav iframe object canvas audio video button select textarea datalist
    dialog map progress meter xmp noframes noembed
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)
BLOCKS = frozenset(
    """
    address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4
    h5 h6 header hr html legend li main menu ol p pre search section summary table tbody td tfoot th thead tr ul caption
    """.split()  # noqa: SIM905 - as a list it would be a page of quotes
)
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
_ENDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "menu"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "td": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
    "th": (frozenset({"td", "th"}), frozenset({"tr", "table"})),
}
"""Element → the open ones that end where it begins, and those that keep them open."""
_NO_P = BLOCKS - {"li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot", "body", "html", "caption", "summary"}
"""What cannot stand in a paragraph, and ends it."""
_HIDDEN = re.compile(r"(display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_LINE_NUMBERS = re.compile(r"(?:^|\s)(linenos?|line-?numbers?(?:-rows)?|gutter|headerlink|anchor-link|sr-only)(?:\s|$)")


class Node:
    """An element; `children` are elements and text."""

    __slots__ = ("attributes", "blocks", "children", "tag")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Node | str] = []
        self.blocks = False
        """Whether a block stands somewhere in it."""

    @property
    def text(self) -> str:
        """Its own words and those of all in it."""
        return "".join(self.pieces())

    def pieces(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag == "br":
                yield "\n"
            else:
                yield from child.pieces()

    def all(self, *tags: str) -> Iterator[Node]:
        """Elements of these names in it, however deep, in order."""
        for child in self.children:
            if isinstance(child, Node):
                if child.tag in tags:
                    yield child
                yield from child.all(*tags)


def parsed(html: str) -> Node:
    builder = _Builder()
    at = 0
    while True:
        start = html.find("<", at)
        if start < 0 or start + 1 >= len(html):
            builder.text(html[at:])
            return builder.root
        builder.text(html[at:start])
        following = html[start + 1]
        if html.startswith("<!--", start):
            at = _past(html, "-->", start + 2)
        elif following in "!?":
            at = _past(html, ">", start)
        elif following == "/" and html[start + 2 : start + 3].isalpha():
            name = _NAME.match(html, start + 2)
            at = _past(html, ">", start)
            builder.end(name[0].lower() if name else "")
        elif following.isalpha():
            at = _begun(html, start + 1, builder)
        else:
            builder.text("<")
            at = start + 1


def _past(html: str, end: str, start: int) -> int:
    found = html.find(end, start)
    return len(html) if found < 0 else found + len(end)


def _begun(html: str, at: int, builder: _Builder) -> int:
    """An element that begins; where it is read on."""
    name = _NAME.match(html, at)
    tag = name[0].lower() if name else ""
    at += len(tag)
    given: dict[str, str] = {}
    while at < len(html) and html[at] != ">":
        found = _ATTRIBUTE.match(html, at)
        if found is None:
            at += 1
            continue
        at = found.end()
        value = found[2] or ""
        if value[:1] in "\"'" and value:
            closed = html.find(value[0], at)
            value, at = (html[at:closed], closed + 1) if closed >= 0 else ("", len(html))
        if len(given) < MOST_ATTRIBUTES:
            given.setdefault(found[1].lower(), unescape(value) if "&" in value else value)
    if at >= len(html):
        return at  # it has no end: browsers drop it
    builder.start(tag, given)
    at += 1
    if tag not in RAW:
        return at
    # Nothing in it is HTML until it ends.
    end = re.compile(f"</{tag}(?=[\\s/>])", re.IGNORECASE).search(html, at)
    builder.text(html[at : end.start()] if end else html[at:])
    return end.start() if end else len(html)


class _Builder:
    def __init__(self) -> None:
        self.root = Node("html", {})
        self._open = [self.root]
        self._skipped: list[str] = []
        """Open elements since the first that is left out."""

    def start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "body":
            # What a head forgot to close, and a page that begins anew.
            self._skipped.clear()
        if tag == "base":
            self.root.attributes.setdefault("base", given.get("href", ""))
        if self._skipped or tag in SKIPPED or _hidden(given):
            if tag not in VOID and len(self._skipped) < MOST_SKIPPED:
                self._skipped.append(tag)
            return
        if tag in ("html", "body", "title"):
            return
        self._end_what_ends(tag)
        node = Node(tag, given)
        self._open[-1].children.append(node)
        if tag in BLOCKS:
            for each in reversed(self._open):
                if each.blocks:
                    break
                each.blocks = True
        if tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(node)

    def end(self, tag: str) -> None:
        if self._skipped:
            if tag in self._skipped:
                del self._skipped[len(self._skipped) - 1 - self._skipped[::-1].index(tag) :]
            return
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].tag == tag:
                del self._open[at:]
                return
            if self._open[at].tag in ("table", "pre") and tag not in ("table", "pre", "body", "html"):
                return  # what was not opened in it ends nothing around it

    def text(self, data: str) -> None:
        if data and not self._skipped:
            self._open[-1].children.append(unescape(data) if "&" in data else data)

    def _end_what_ends(self, tag: str) -> None:
        if tag in _NO_P:
            self._end(frozenset({"p"}), frozenset({"table", "li", "dd", "td", "div", "section"}))
        if tag in _ENDS:
            self._end(*_ENDS[tag])

    def _end(self, ended: frozenset[str], kept_by: frozenset[str]) -> None:
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].tag in ended:
                del self._open[at:]
                return
            if self._open[at].tag in kept_by:
                return


def _hidden(given: dict[str, str]) -> bool:
    if "hidden" in given or given.get("aria-hidden") == "true" or given.get("role") == "navigation":
        return True
    return bool(_HIDDEN.search(given.get("style", "")) or _LINE_NUMBERS.search(given.get("class", "")))
