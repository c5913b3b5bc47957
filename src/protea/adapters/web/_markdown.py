"""A page as Markdown: headings, lists, tables, code with its language, definitions, links made whole.

What a page is about is what `main` holds, where there is one; what stands around it on all pages of a site is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urljoin

from protea.adapters.web._tree import BLOCKS, Node, parsed

ENOUGH = 200
"""Characters of a part that may stand for the page."""
_SIGNS = ("¶", "#", "§", "🔗", "⚓", "⚓︎", "∞", "↩", "↩︎", "Copy")
"""What links beside headings and code say."""
_MARKS = {
    "b": "**",
    "strong": "**",
    "i": "*",
    "em": "*",
    "cite": "*",
    "dfn": "*",
    "del": "~~",
    "s": "~~",
    "strike": "~~",
}
_CODE = ("code", "kbd", "samp", "tt")
_LANGUAGE = re.compile(
    r"(?:^|\s)(?:(?:language|lang|highlight-source|highlight|src)-|brush:\s*)([\w+#.-]+)", re.IGNORECASE
)
_NONE = ("default", "none", "notranslate", "text", "plaintext", "plain", "txt", "highlight", "code", "output", "hljs")
_AS = {"python3": "python", "ipython3": "python", "ipython": "python", "pycon3": "pycon", "shell-session": "console"}
_BLANKS = re.compile(r"[ \t\n\r\f\v]+")


def markdown(html: str, url: str) -> str:
    """Links are made whole by `url`."""
    root = parsed(html)
    try:
        base = urljoin(url, root.attributes.get("base", ""))
    except ValueError:  # an address that is none
        base = url
    text = "\n\n".join(_Page(base).blocks(_about(root)))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def _about(root: Node) -> Node:
    """The part of a page that is about something."""
    mains = [node for node in root.all("main", "div", "section", "article") if _is_main(node)]
    articles = [*root.all("article")]
    for found in (mains[:1], articles if len(articles) == 1 else []):
        if found and len(found[0].text.strip()) >= ENOUGH:
            return found[0]
    return root


def _is_main(node: Node) -> bool:
    return node.tag == "main" or node.attributes.get("role") == "main"


class _Page:
    def __init__(self, url: str) -> None:
        self._url = url

    # ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def blocks(self, node: Node) -> list[str]:
        """What stands in it, a block each."""
        found: list[str] = []
        run: list[Node | str] = []
        for child in node.children:
            if isinstance(child, str) or not (child.tag in BLOCKS or (child.blocks and child.tag != "a")):
                run.append(child)
                continue
            found += self._paragraph(run)
            run = []
            found += self._block(child)
        return [*found, *self._paragraph(run)]

    def _paragraph(self, run: Sequence[Node | str]) -> list[str]:
        text = self._inline(run).strip()
        return [text] if text else []

    def _block(self, node: Node) -> list[str]:
        match node.tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                text = " ".join(self._inline(node.children).split())
                return [f"{'#' * int(node.tag[1])} {text}"] if text else []
            case "pre":
                return self._code(node, "")
            case "ul" | "ol" | "menu":
                return self._list(node)
            case "dl":
                return self._definitions(node)
            case "table":
                return self._table(node)
            case "blockquote":
                text = "\n\n".join(self.blocks(node))
                return ["\n".join(f"> {line}".rstrip() for line in text.split("\n"))] if text else []
            case "hr":
                return ["---"]
            case "summary" | "caption" | "legend":
                text = self._inline(node.children).strip()
                return [f"**{text}**"] if text and not text.startswith("**") else [text] if text else []
            case "figcaption":
                text = self._inline(node.children).strip()
                return [f"*{text}*"] if text else []
            case "p" if "title" in node.attributes.get("class", "").split("-"):
                text = self._inline(node.children).strip()
                return [f"**{text}**"] if text else []
            case _:
                code, language = _wrapped(node)
                if code is not None:
                    return self._code(code, language)
                return self.blocks(node)

    def _code(self, node: Node, language: str) -> list[str]:
        inner = [*node.all("code")]
        language = _language(node) or (_language(inner[0]) if inner else "") or language
        text = node.text.replace("\r\n", "\n").strip("\n").rstrip()
        if not text.strip():
            return []
        longest = max((len(each) for each in re.findall("`{3,}", text)), default=2)
        fence = "`" * (longest + 1)
        return [f"{fence}{language}\n{text}\n{fence}"]

    def _list(self, node: Node) -> list[str]:
        number = None
        if node.tag == "ol":
            start = node.attributes.get("start", "1")
            number = int(start) if re.fullmatch(r"-?\d{1,6}", start) else 1
        items = []
        loose = False
        for child in node.children:
            if isinstance(child, str):
                continue
            parts = self.blocks(child) if child.tag == "li" else self._block(child) if child.tag in BLOCKS else []
            if not parts:
                continue
            mark = "- " if number is None else f"{number}. "
            number = None if number is None else number + 1
            loose = loose or any(not _listed(part) for part in parts[1:])
            text = parts[0] + "".join(("\n" if _listed(part) else "\n\n") + part for part in parts[1:])
            items.append(mark + text.replace("\n", "\n" + " " * len(mark)))
        return [("\n\n" if loose else "\n").join(items)] if items else []

    def _definitions(self, node: Node) -> list[str]:
        found: list[str] = []
        for child in _within(node, "dt", "dd"):
            if child.tag == "dt":
                found += [_term(self, child)] if child.text.strip() else []
                continue
            parts = self.blocks(child)
            if len(parts) == 1 and "\n" not in parts[0] and found and found[-1].endswith("**") and len(parts[0]) < 500:
                found[-1] += f": {parts[0]}"
            else:
                found += parts
        if found and all(re.match(r"\*\*.*\*\*: ", each) for each in found):
            return ["\n".join(f"- {each}" for each in found)]
        return found

    def _table(self, node: Node) -> list[str]:
        if any(True for _ in node.all("pre", "table", "h1", "h2", "h3", "h4")):
            # It is not there for its rows but to put things beside one another.
            return [block for cell in _within(node, "td", "th", "caption") for block in self.blocks(cell)]
        head = [block for caption in _within(node, "caption") for block in self._block(caption)]
        rows = [self._row(row) for row in _within(node, "tr")]
        rows = [row for row in rows if any(row)]
        width = max((len(row) for row in rows), default=0)
        if width < 2:
            return [*head, *(row[0] for row in rows)]
        lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
        return [*head, "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])]

    def _row(self, row: Node) -> list[str]:
        cells = []
        for cell in _within(row, "td", "th"):
            text = " ".join(part.replace("\n", " ") for part in self.blocks(cell))
            wide = cell.attributes.get("colspan", "1")
            more = min(int(wide), 50) - 1 if wide.isascii() and wide.isdigit() and int(wide) else 0
            cells += [" ".join(text.split()).replace("|", "\\|"), *[""] * more]
        return cells

    # ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _inline(self, children: Sequence[Node | str]) -> str:
        text = "".join(_BLANKS.sub(" ", child) if isinstance(child, str) else self._word(child) for child in children)
        return re.sub(r" *\n *", "\n", re.sub(r" {2,}", " ", text))

    def _word(self, node: Node) -> str:
        match node.tag:
            case "br":
                return "\n"
            case "wbr":
                return ""
            case "img":
                alt = " ".join(node.attributes.get("alt", "").split())
                return f"[image: {alt}]" if alt else ""
            case "input":
                done = "[x] " if "checked" in node.attributes else "[ ] "
                return done if node.attributes.get("type", "").lower() == "checkbox" else ""
            case "a":
                return self._link(node)
            case "sup":
                text = self._inline(node.children).strip()
                return f"^{text}" if text and re.fullmatch(r"[\w+\u2212-]{1,8}", text) else text
            case "math":
                tex = next((each.text for each in node.all("annotation")), node.attributes.get("alttext", ""))
                return f"${tex.strip()}$" if tex.strip() else self._inline(node.children)
            case "q":
                return f'"{self._inline(node.children)}"'
            case tag if tag in _CODE:
                return _coded(node.text)
        if node.blocks or node.tag in BLOCKS:
            return f" {self._inline(node.children)} "
        text = self._inline(node.children)
        mark = _MARKS.get(node.tag, "")
        bare = text.strip()
        if not mark or not re.search(r"\w", bare) or "\n" in bare or bare.startswith(mark):
            return text
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{before}{mark}{bare}{mark}{after}"

    def _link(self, node: Node) -> str:
        text = self._inline(node.children)
        bare = " ".join(text.split())
        href = node.attributes.get("href", "").strip()
        if bare in _SIGNS:
            return ""
        if not bare or not href or href.startswith("#") or re.match(r"(javascript|data|vbscript|blob):", href, re.I):
            return text
        try:
            whole = urljoin(self._url, href)
        except ValueError:  # an address that is none
            return text
        before, after = " " * text.startswith((" ", "\n")), " " * text.endswith((" ", "\n"))
        whole = whole.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("\n", "")
        if bare == whole:
            return f"{before}<{whole}>{after}"
        return f"{before}[{bare}]({whole}){after}"


def _within(node: Node, *tags: str) -> Iterator[Node]:
    """Elements of these names in it, and not in another of them or in a list or table of their own."""
    for child in node.children:
        if isinstance(child, Node):
            if child.tag in tags:
                yield child
            elif child.tag not in ("table", "dl"):
                yield from _within(child, *tags)


def _listed(block: str) -> bool:
    """A list in an item follows it without an empty line."""
    return re.match(r"(- |\d+\. )", block) is not None


def _term(page: _Page, node: Node) -> str:
    """A term; the signature of a function as it would be written."""
    text = page._inline(node.children).strip()
    if "sig" in node.attributes.get("class", "").split() or node.attributes.get("id", "").count("."):
        signs = "".join(_SIGNS[:-1])
        return _coded(" ".join(node.text.split()).rstrip(signs + " "))
    return f"**{text}**" if text and not re.search(r"\*\*|\n", text) else text


def _coded(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        return ""
    longest = max((len(each) for each in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _language(node: Node) -> str:
    """Of code, as its element says it."""
    given = node.attributes
    for said in (given.get("data-lang", ""), given.get("data-language", "")):
        if re.fullmatch(r"[\w+#.-]{1,30}", said):
            return _AS.get(said.lower(), said.lower())
    classes = given.get("class", "")
    for found in _LANGUAGE.finditer(classes):
        name = found[1].lower().strip("-")
        if name not in _NONE:
            return _AS.get(name, name)
    words = classes.split()
    if "hljs" in words or "sourceCode" in words:
        return next((word.lower() for word in words if word.lower() not in _NONE and re.fullmatch(r"\w+", word)), "")
    return ""


def _wrapped(node: Node) -> tuple[Node | None, str]:
    """The code that is all there is in an element, and its language as what lies around it says."""
    language = ""
    while node.tag != "pre":
        language = _language(node) or language
        inner = [child for child in node.children if not isinstance(child, str) or child.strip()]
        if len(inner) != 1 or isinstance(inner[0], str):
            return None, ""
        node = inner[0]
    return node, language
