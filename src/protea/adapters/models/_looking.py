"""Phrases that look at the project: reading, listing, searching, and what is said of the hits.

Each takes the words without what is only polite, and gives the step or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from protea.adapters.models._wanted import Files, How, Read, Search, Step, Tally
from protea.adapters.models._words import (
    ARTICLES,
    LISTING,
    READING,
    SEARCHING,
    Token,
    escaped,
    has_wildcard,
    index,
    is_path,
    is_place,
    path_of,
    skip,
)

_PRONOUNS = frozenset(["it", "them", "this", "that", "these", "those", "more", "everything", "all"])


def reading(words: Sequence[Token], text: str) -> Step | None:
    low = words[0].low
    if low not in READING and low not in ("lines", "line", "first", "last"):
        return None
    plain = [token.low for token in words]
    rest = list(words) if low in ("lines", "line", "first", "last") else list(words[1:])
    if low in ("what", "what's", "whats", "look"):
        rest = skip(
            rest, ("is", "are", "in", "inside", "at", "does", "the", "contents", "content", "of", "file", "say")
        )
        if not rest or "in" in plain[3:] or any(token.low in ("which", "how", "most") for token in rest):
            return None
    lines = _line_range(rest)
    rest = skip(lines.rest, (*ARTICLES, "file", "files", "contents", "content", "in", "from", "to", "see"))
    paths = [token for token in rest if token.low not in ("and", "file", "please", "contain", "contains", "say")]
    only = len(paths) == 1 and low in ("read", "cat", "open", "view", "head", "tail") and paths[0].low not in _PRONOUNS
    if not paths or not (only or all(is_path(token) or (token.quoted and token.text) for token in paths)):
        return None
    if any(has_wildcard(token.text) for token in paths):
        return Files(path_of(paths[0])) if len(paths) == 1 else None
    if low == "head" and lines.last is None:
        lines = _Lines([], 1, 10, None)
    if low == "tail" and lines.tail is None:
        lines = _Lines([], 1, None, 10)
    return Read(tuple(map(path_of, paths[:20])), lines.first, lines.last, lines.tail)


class _Lines(msgspec.Struct):
    rest: list[Token]
    first: int = 1
    last: int | None = None
    tail: int | None = None


_SPAN = re.compile(r"(\d{1,9})(?:-|\u2013|\.\.|:)(\d{1,9})")


def _line_range(words: list[Token]) -> _Lines:
    """`lines 10-40 of`, `line 3 in`, `the first 20 lines of`, `last 5 lines of`; also `FILE lines 3 to 9`."""
    words = skip(words, ("the", "me"))
    place = index(words, "lines", "line")
    if place < 0:
        return _Lines(words)
    before, behind = words[:place], words[place + 1 :]
    if (
        len(before) >= 2
        and before[-2].low in ("first", "last", "top", "bottom", "final")
        and before[-1].low.isdecimal()
    ):
        count = max(1, min(int(before[-1].low[:9]), 1_000_000))
        rest = before[:-2] + behind
        return _Lines(rest, 1, None, count) if before[-2].low in ("last", "bottom", "final") else _Lines(rest, 1, count)
    if not behind:
        return _Lines(words)
    span = _SPAN.fullmatch(behind[0].text)
    if span is not None:
        first, last = sorted((int(span.group(1)), int(span.group(2))))
        return _Lines(before + behind[1:], max(1, first), max(1, last))
    if behind[0].low.isdecimal():
        first, last, used = int(behind[0].low[:9]), int(behind[0].low[:9]), 1
        joint = len(behind) > 2 and behind[1].low in ("to", "through", "until", "-", "and", "till") and behind[2].low
        if joint and joint.isdecimal():
            last, used = int(joint[:9]), 3
        first, last = sorted((max(1, first), max(1, last)))
        return _Lines(before + behind[used:], first, last)
    return _Lines(words)


_KINDS = {
    "python": "*.py", "py": "*.py", "javascript": "*.js", "js": "*.js", "typescript": "*.ts", "ts": "*.ts",
    "rust": "*.rs", "go": "*.go", "java": "*.java", "c": "*.c", "c++": "*.cpp", "ruby": "*.rb", "shell": "*.sh",
    "markdown": "*.md", "md": "*.md", "toml": "*.toml", "yaml": "*.yaml", "yml": "*.yml", "json": "*.json",
    "html": "*.html", "css": "*.css", "text": "*.txt", "txt": "*.txt", "test": "*test*", "lua": "*.lua",
    "source": "*", "config": "*.toml",
}  # fmt: skip
_FILES = ("file", "files")


def _kind_of(token: Token) -> str | None:
    """`python` → `*.py`, `.py` → `*.py`, `*.py` as it is."""
    if token.kind == "word" and token.low in _KINDS:
        return _KINDS[token.low]
    if token.text.startswith(".") and token.text[1:].isalnum():
        return "*" + token.text
    return token.text if has_wildcard(token.text) and "\n" not in token.text else None


def _everywhere(pattern: str) -> str:
    """A pattern without a folder is meant for all of them."""
    return pattern if "/" in pattern else f"**/{pattern}"


def _folder(words: Sequence[Token], start: int = 0) -> tuple[list[Token], str | None, str | None]:
    """The words without `in FOLDER` and `in *.py files`, with what these say."""
    out: list[Token] = []
    folder: str | None = None
    glob: str | None = None
    at = 0
    while at < len(words):
        token = words[at]
        if token.low in ("in", "inside", "under", "within", "from", "across", "below") and at >= start:
            behind = skip(words[at + 1 :], ("the", "all", "folder", "directory", "file", "files", "any", "every"))
            if behind and is_place(behind[0]):
                kind = _kind_of(behind[0])
                files = len(behind) > 1 and behind[1].low in _FILES
                if kind is not None and (files or behind[0].low not in _KINDS):
                    glob = kind
                else:
                    folder = path_of(behind[0])
                used = len(words) - at - len(behind) + 1
                at += used
                at += len(words[at:]) - len(skip(words[at:], ("folder", "directory", "file", "files", "dir")))
                continue
            if not behind:
                break
        out.append(token)
        at += 1
    whole = ("project", "repo", "repository", "codebase", "code", "workspace", "here", "everywhere", "this", ".")
    return out, None if folder is not None and folder.lower() in whole else folder, glob


def listing(words: Sequence[Token], text: str) -> Step | None:
    low = words[0].low
    plain = [token.low for token in words]
    counting = low == "count" or plain[:2] == ["how", "many"]
    asked = plain[0] in ("what", "which") and len(plain) > 1 and plain[1] in _FILES
    if not (low in LISTING or low in ("find", "show", "locate", "see") or counting or asked or low == "where"):
        return None
    rest, folder, _ = _folder(words[2 if plain[:2] == ["how", "many"] else 1 :])
    rest = [
        token
        for token in rest
        if token.low not in (*ARTICLES, "there", "are", "exist", "is", "do", "we", "have", "you", "see")
    ]
    how: Literal["list", "count"] = "count" if counting else "list"
    if low == "ls" and not rest:
        return Files("*" if folder is None else "**/*", folder, how)
    if not rest:
        return Files("**/*", folder, how) if low in LISTING else None
    place = index(rest, *_FILES)
    if place >= 0:
        return _files(rest, place, folder, how)
    if low == "where" and len(rest) == 1 and is_path(rest[0]) and not rest[0].quoted:
        return Files(_everywhere(path_of(rest[0])), folder, how, f"files named {rest[0].text}")
    if len(rest) > 1 or low == "where":
        return None
    only = rest[0]
    if only.quoted and not (only.kind == "code" and has_wildcard(only.text) and low in LISTING):
        return None
    if has_wildcard(only.text):
        return Files(_everywhere(only.text), folder, how, f"files like {only.text}")
    if low in LISTING and folder is None:
        return Files("**/*" if low != "ls" else "*", path_of(only), how)
    if low in ("find", "locate") and is_path(only) and re.fullmatch(r"[\w./-]+\.[a-z]\w{0,5}", only.text):
        return Files(_everywhere(only.text), folder, how, f"files named {only.text}")
    return None


def _files(rest: list[Token], place: int, folder: str | None, how: Literal["list", "count"]) -> Step | None:
    before, behind = rest[:place], skip(rest[place + 1 :], ("named", "called", "like", "matching", "with", "ending"))
    names = [token for token in [*before, *behind] if token.low not in ("name", "extension", "project", "this")]
    if any(token.low in ("most", "least", "fewest", "longest", "contain", "containing") for token in rest):
        return None
    if not names:
        return Files("**/*", folder, how)
    if len(names) > 1:
        return None
    kind = _kind_of(names[0])
    if kind is not None:
        return Files(_everywhere(kind), folder, how, f"{names[0].text} files")
    if is_path(names[0]) and behind:
        return Files(_everywhere(path_of(names[0])), folder, how, f"files named {names[0].text}")
    return None


_SEARCH_FILLERS = (
    *ARTICLES, "word", "words", "text", "string", "occurrence", "occurrences", "use", "uses", "usage", "usages",
    "mention", "mentions", "line", "lines", "with", "containing", "contains", "contain", "that", "which", "file",
    "files",
    "where", "is", "are", "called", "used", "defined", "pattern", "references", "reference", "instances", "instance",
)  # fmt: skip
_SEARCH_TAIL = frozenset(
    [
        "comments",
        "comment",
        "markers",
        "marker",
        "used",
        "defined",
        "called",
        "mentioned",
        "occurrences",
        "appears",
        "appear",
        "is",
    ]
)
_THINKING = frozenset(
    [
        "why",
        "how",
        "what",
        "whether",
        "when",
        "who",
        "bug",
        "bugs",
        "problem",
        "problems",
        "issue",
        "issues",
        "mistake",
        "mistakes",
    ]
)
"""Words that ask for more than a text to look for; in quotes they are texts again."""
_MOST = {"most": "most", "fewest": "fewest", "least": "fewest", "longest": "most", "shortest": "fewest"}


def searching(words: Sequence[Token], text: str) -> Step | None:
    low = words[0].low
    plain = [token.low for token in words]
    how: How = "lines"
    if plain[:2] == ["how", "many"]:
        how, rest = "count", list(words[2:])
    elif low == "count":
        how, rest = "count", list(words[1:])
    elif (
        plain[:2] in (["which", "files"], ["what", "files"], ["list", "files"])
        and index(words, "contain", "containing", "mention", "use", "with", "have") > 0
    ):
        how, rest = "files", list(words[2:])
    elif low in SEARCHING or (
        low == "show" and any(w in plain[1:4] for w in ("every", "all", "each")) and "file" not in plain
    ):
        rest = list(words[1:])
    else:
        return None
    if any(name in plain for name in _MOST):
        return None
    rest = [token for token in rest if token.low not in ("there", "anywhere", "everywhere", "please")]
    ignoring = index(rest, "ignoring", "case-insensitively", "case-insensitive")
    if ignoring > 0:
        rest = rest[:ignoring] + [token for token in rest[ignoring + 1 :] if token.low != "case"]
    folder: str | None
    glob: str | None
    if low == "grep" and len(rest) == 2 and rest[0].low not in _SEARCH_FILLERS and rest[1].low != "in":
        wanted, folder, glob = [rest[0]], path_of(rest[1]), None
    else:
        wanted, folder, glob = _folder(rest, 1)
    if how == "count" and wanted and wanted[0].low in ("lines", "line"):
        behind = skip(wanted[1:], ("of", "code", "does", "do", "the", "file", "has", "have", "are", "in", "text"))
        if not behind or (folder is None and is_path(behind[0])):
            return Search("^", "lines", folder or (path_of(behind[0]) if behind else None), glob, how, unit="any line")
    if not any(token.quoted for token in wanted):
        wanted = skip(wanted, _SEARCH_FILLERS)
        while len(wanted) > 1 and wanted[-1].low in _SEARCH_TAIL | {"are", "do", "we", "have", "in", "it", "them"}:
            wanted = wanted[:-1]
    else:
        wanted = [token for token in wanted if token.quoted or token.low == "or"]
    shown, pattern = _wanted(wanted)
    if not pattern or (len(wanted) > 5 and not any(token.quoted for token in wanted)):
        return None
    if any(token.low in _THINKING for token in wanted):
        return None
    if ignoring > 0:
        pattern = f"(?i){pattern}"
    return Search(pattern, shown, folder, glob, how)


def _wanted(wanted: Sequence[Token]) -> tuple[str, str]:
    """What is searched for, and as a regular expression: words as they stand, `A or B`, `/regex/`."""
    alternatives: list[list[Token]] = [[]]
    for token in wanted:
        if token.low in ("or", "and") and alternatives[-1]:
            alternatives.append([])
        elif token.kind not in ("line", "semicolon", "fence"):
            alternatives[-1].append(token)
    texts = [" ".join(token.text for token in each) for each in alternatives if each]
    texts = [_singular(text) for text in texts if text.strip()]
    if len(texts) == 1 and len(texts[0]) > 2 and texts[0][0] == texts[0][-1] == "/":
        return texts[0], texts[0][1:-1]
    return " or ".join(texts), "|".join(map(escaped, texts))


def _singular(text: str) -> str:
    """`TODOs` → `TODO`."""
    return text[:-1] if len(text) > 3 and text[-1] == "s" and text[:-1].isupper() else text


def tallying(words: Sequence[Token], text: str) -> Step | None:
    """`which file has the most`, `tell me how many there are`, `rank them`, `the top 3`."""
    plain = [token.low for token in words]
    at = 0
    if plain[0] in ("tell", "say", "report", "show", "let", "list", "give"):
        at = len(plain) - len(skip(words[1:], ("me", "us", "know", "the", "a")))
    rest = words[at:]
    low = [token.low for token in rest]
    if not low:
        return None
    top = next((int(word[:4]) for word in low if word.isdecimal()), None)
    if low[0] == "rank" or low[:1] == ["ranking"] or low[:2] == ["sort", "them"]:
        return _tally_of(rest, "rank", top)
    if low[0] == "top" and top is not None:
        return _tally_of(rest, "rank", top)
    if low[0] in ("which", "what", "file", "files"):
        found = next((word for word in low if word in _MOST), None)
        if found is not None and any(word in ("file", "files", "one", "of") for word in low[:4]):
            return _tally_of(rest, "most" if _MOST[found] == "most" else "fewest", top if top and top > 1 else None)
        return None
    if low[:2] == ["how", "many"] and _only(
        low[2:], "there are in each per file all of them hits matches lines were found it has total is that"
    ):
        return Tally("rank" if "file" in low or "each" in low else "count", top)
    if low[0] == "count" and _only(low[1:], "them it per file by in each all of the matches hits"):
        return Tally("rank" if "file" in low else "count", top)
    return None


def _only(words: Sequence[str], known: str) -> bool:
    return set(words) <= set(known.split())


def _tally_of(words: Sequence[Token], how: How, top: int | None) -> Step | None:
    """A ranking of the search before; or of its own: `which file in src has the most TODOs`."""
    rest, folder, glob = _folder(words)
    place = next((p for p, token in enumerate(rest) if token.low in _MOST), -1)
    longest = place >= 0 and rest[place].low in ("longest", "shortest")
    behind = [
        t
        for t in rest[place + 1 :]
        if t.low not in (*_SEARCH_TAIL, "of", "the", "them", "those", "hits", "matches", "have", "has")
    ]
    behind = behind if place >= 0 else []
    if longest or [token.low for token in behind] == ["lines"]:
        return Search("^", "lines", folder, glob, how, top, unit="any line")
    if not behind:
        return Tally(how, top) if folder is None and glob is None else None
    shown, pattern = _wanted(behind)
    return Search(pattern, shown, folder, glob, how, top) if pattern and len(behind) < 6 else None
