"""Phrases that change files: replacing, creating, appending, moving and removing.

Each takes the words without what is only polite, and gives the step or None.
"""

from __future__ import annotations

from collections.abc import Sequence

from protea.adapters.models._wanted import Append, Create, Replace, Run, Step
from protea.adapters.models._words import (
    CREATING,
    MOVING,
    REMOVING,
    Token,
    index,
    is_path,
    is_place,
    path_of,
    quoted,
    skip,
)


def replacing(words: Sequence[Token], text: str) -> Step | None:
    where: str | None = None
    rest = list(words)
    if rest[0].low == "in" and len(rest) > 3:
        rest = skip(rest[1:], ("the", "file"))
        where, rest = (path_of(rest[0]) if rest else None), rest[1:]
    elif rest[0].low in ("edit", "update") and len(rest) > 3:
        rest = skip(rest[1:], ("the", "file"))
        where, rest = (path_of(rest[0]) if rest else None), skip(rest[1:], ("and", "to", "so", "that"))
    if not rest or rest[0].low not in ("replace", "change", "substitute", "rename"):
        return None
    rest = rest[1:]
    every = bool(rest) and rest[0].low in ("every", "all", "each", "any")
    every = every or any(token.low == "everywhere" for token in rest)
    rest = [token for token in rest if token.low != "everywhere"]
    rest = skip(
        rest,
        ("every", "all", "each", "the", "word", "text", "occurrences", "occurrence", "of", "any", "line", "string"),
    )
    joint = index(rest, "with", "by", "to", "for", start=1)
    if joint < 1 or joint + 1 > len(rest) - 1:
        return None
    old, behind = rest[:joint], rest[joint + 1 :]
    place = next(
        (p for p in range(len(behind) - 1, 0, -1) if behind[p].low in ("in", "inside", "within", "throughout")), -1
    )
    if place > 0 and where is None:
        named = skip(behind[place + 1 :], ("the", "file", "folder", "directory", "files", "whole"))
        if len(named) >= 1 and is_place(named[0]):
            where, behind = path_of(named[0]), behind[:place]
            where = None if where.lower() in ("project", "repo", "repository", "codebase") else where
    olds, news = _literal(old, text), _literal(behind, text)
    if not olds or news is None or olds == news:
        return None
    return Replace(olds, news, where, every)


def _literal(words: Sequence[Token], text: str) -> str | None:
    """The text meant: what the quotes hold, else the words as they stand."""
    if not words:
        return None
    if len(words) == 1:
        return words[0].text.removesuffix("\n") if words[0].kind == "fence" else words[0].text
    if any(token.quoted for token in words):
        quoted = [token for token in words if token.quoted]
        return quoted[0].text.removesuffix("\n") if len(quoted) == 1 else None
    return text[words[0].start : words[-1].start + len(words[-1].text)]


_ANNOUNCING = frozenset(
    [
        "with",
        "containing",
        "saying",
        "content",
        "contents",
        "text",
        "which",
        "that",
        "contains",
        "reading",
        "says",
        "holding",
    ]
)


def creating(words: Sequence[Token], text: str) -> Step | None:
    verb = words[0].low
    if verb not in CREATING:
        return None
    rest = skip(words[1:], ("a", "an", "the", "new", "text", "file", "called", "named", "empty", "python", "script"))
    if verb == "make" and rest and rest[0].low in ("directory", "folder", "dir"):
        named = skip(rest[1:], ("called", "named"))
        return Run(f"mkdir -p {quoted(path_of(named[0]))}") if len(named) == 1 else None
    if not rest:
        return None
    place = index(rest, "to", "into", "in", "at", start=1)
    if ((rest[0].quoted and rest[0].kind != "code") or verb in ("add", "append", "put", "save")) and place > 0:
        return _into(verb, rest[:place], rest[place + 1 :], text)
    target, behind = rest[0], rest[1:]
    if not (is_path(target) or (target.kind == "word" and behind and behind[0].low in _ANNOUNCING)):
        return None
    if verb in ("add", "append"):
        return None
    content = _content([token for token in behind if token.kind != "line"], behind, text)
    return None if content is None else Create(path_of(target), content, verb == "overwrite")


def _into(verb: str, what: Sequence[Token], where: Sequence[Token], text: str) -> Step | None:
    """`append "x" to FILE`, `write "x" to FILE`, `add a line "x" to the end of FILE:` and a block."""
    what = skip(what, ("a", "the", "line", "text", "lines", "following", "new"))
    end = skip(where, ("the", "end", "bottom", "of", "file", "a", "new"))
    if not end or not is_path(end[0]):
        return None
    at_end = verb in ("append", "add") or any(token.low in ("end", "bottom") for token in where)
    if end[1:]:
        behind = [token for token in end[1:] if token.kind != "line"]
        content = _content(behind, end[1:], text) if not what else None
    else:
        literal = _literal(what, text)
        content = None if literal is None else _ended(literal)
    if content is None:
        return None
    return Append(path_of(end[0]), content) if at_end else Create(path_of(end[0]), content, verb == "overwrite")


def _content(words: Sequence[Token], untrimmed: Sequence[Token], text: str) -> str | None:
    """The text of a file: a block, a quotation, else the words that follow `with`."""
    if not words:
        return ""
    blocks = [token for token in words if token.kind == "fence"]
    if len(blocks) == 1 and words[-1] is blocks[0]:
        return blocks[0].text
    announced = skip(words, (*_ANNOUNCING, "the", "following", "line", "lines", "a", "this", "it", "and"))
    if announced and len(announced) == len(words) and not words[0].quoted and untrimmed[0].kind != "line":
        return None
    if len(announced) == 1 and announced[0].quoted:
        return _ended(announced[0].text)
    if not announced:
        return None
    if any(token.kind == "line" for token in untrimmed):
        first = next(place for place, token in enumerate(untrimmed) if token.kind == "line")
        return _ended(text[untrimmed[first].end : untrimmed[-1].end])
    return _ended(text[announced[0].start : announced[-1].end])


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def moving(words: Sequence[Token], text: str) -> Step | None:
    verb = words[0].low
    rest = [token for token in words[1:] if token.low not in ("the", "file", "files", "folder", "directory")]
    if verb in REMOVING and rest and all(is_path(t) for t in rest if t.low != "and"):
        named = [quoted(path_of(token)) for token in rest if token.low != "and"]
        return Run("rm -- " + " ".join(named))
    if verb in (*MOVING, "rename") and len(rest) == 3 and rest[1].low in ("to", "into") and is_path(rest[0]):
        program = "cp" if verb in ("copy", "cp") else "mv"
        return Run(f"{program} -- {quoted(path_of(rest[0]))} {quoted(path_of(rest[2]))}")
    return None
