"""HTML as Markdown with the standard library alone, for installs without the extra `web`.

Headings, lists, links, code and tables; what is hidden, runs or styles is left out.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

_SKIPPED = frozenset({"script", "style", "noscript", "template", "svg", "head", "nav", "form", "iframe", "object"})
_BLOCKS = frozenset(
    {"p", "div", "section", "article", "main", "header", "footer", "aside", "figure", "ul", "ol", "table", "blockquote"}
)
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.out: list[str] = []
        self.skipped: list[str] = []
        """Open elements since the first that is left out."""
        self.pre = 0
        self.lists: list[int | None] = []
        """Per open list the number of its next item; None where they have none."""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        style = (given.get("style") or "").replace(" ", "").lower()
        hidden = "hidden" in given or given.get("aria-hidden") == "true" or "display:none" in style
        if self.skipped or tag in _SKIPPED or hidden or "visibility:hidden" in style:
            if tag not in _VOID:
                self.skipped.append(tag)
            return
        if tag in ("br", "hr"):
            self.out.append("\n" if tag == "br" else "\n\n---\n\n")
        elif re.fullmatch("h[1-6]", tag):
            self.out.append(f"\n\n{'#' * int(tag[1])} ")
        elif tag == "pre":
            self.pre += 1
            self.out.append("\n\n```\n")
        elif tag == "code" and not self.pre:
            self.out.append("`")
        elif tag in ("ul", "ol"):
            self.lists.append(1 if tag == "ol" else None)
            self.out.append("\n")
        elif tag == "li":
            number = self.lists[-1] if self.lists else None
            self.out.append(f"\n{'  ' * (len(self.lists) - 1)}{f'{number}.' if number is not None else '-'} ")
            if number is not None:
                self.lists[-1] = number + 1
        elif tag == "a":
            self.links.append(given.get("href") or "")
            self.out.append("[")
        elif tag == "tr":
            self.out.append("\n| ")
        elif tag in _BLOCKS:
            self.out.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if self.skipped:
            if tag in self.skipped:
                del self.skipped[len(self.skipped) - 1 - self.skipped[::-1].index(tag) :]
            return
        if tag == "pre":
            self.pre = max(0, self.pre - 1)
            self.out.append("\n```\n\n")
        elif tag == "code" and not self.pre:
            self.out.append("`")
        elif tag in ("ul", "ol"):
            if self.lists:
                self.lists.pop()
            self.out.append("\n")
        elif tag == "a" and self.links:
            self.out.append(f"]({urljoin(self.url, self.links.pop())})")
        elif tag in ("td", "th"):
            self.out.append(" | ")
        elif tag in _BLOCKS or re.fullmatch("h[1-6]", tag):
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.out.append(data if self.pre else re.sub(r"\s+", " ", data))


def markdown(html: str, url: str) -> str:
    """Links are made whole by `url`."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    text = re.sub(r"\[\s*\]\([^)]*\)", "", "".join(reader.out))
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"\n (?=\S)", "\n", text)).strip()
