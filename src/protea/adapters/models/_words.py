"""The words of a prompt to the offline model: tokens, what they may name, and the verbs that begin a step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec


class Token(msgspec.Struct, frozen=True):
    kind: Literal["word", "quote", "code", "fence", "line", "semicolon"]
    text: str
    """A word without the punctuation around it; what stands inside quotes."""
    start: int
    end: int
    after: str = ""
    """Punctuation behind a word: `,` `.` `:` `?` `!`."""

    @property
    def low(self) -> str:
        return self.text.lower() if self.kind == "word" else ""

    @property
    def quoted(self) -> bool:
        return self.kind in ("quote", "code", "fence")


_CLOSING = {"“": "”", "\u2018": "\u2019", "«": "»", '"': '"', "'": "'"}
_WORD = re.compile(r"[^\s;`\"“”«»]+")
_FENCE = re.compile(r"```[^\n`]*\n")


def tokens(text: str) -> list[Token]:
    """The words of `text`; what stands in quotes, backticks or a fenced block is one token."""
    out: list[Token] = []
    at, size = 0, len(text)
    unclosed: set[str] = set()  # kinds of quotes that have no closing one from here on: not looked for again
    while at < size:
        char = text[at]
        if char == "\n":
            out.append(Token("line", "\n", at, at + 1))
            at += 1
        elif char == ";":
            out.append(Token("semicolon", ";", at, at + 1))
            at += 1
        elif char.isspace():
            at += 1
        else:
            token = _quoted(text, at, unclosed) or _word(text, at)
            out.append(token)
            at = max(token.end, at + 1)
    return out


def _quoted(text: str, at: int, unclosed: set[str]) -> Token | None:
    char = text[at]
    if char == "`":
        if "```" not in unclosed and (found := _FENCE.match(text, at)) is not None:
            end = text.find("\n```", found.end() - 1)
            if end >= 0:
                return Token("fence", text[found.end() : end + 1], at, end + 4)
            unclosed.add("```")
        end = -1 if "`" in unclosed else text.find("`", at + 1)
        if end > at + 1:
            return _closed("code", text, at, end)
        if end < 0:
            unclosed.add("`")
        return None
    closing = _CLOSING.get(char)
    if closing is None or char in unclosed:
        return None
    if char == "'" and not _opens(text, at):
        return None
    end = text.find(closing, at + 1)
    while char == "'" and 0 <= end < at + 400 and text[end + 1 : end + 2].isalnum():  # an apostrophe
        end = text.find(closing, end + 1)
    if end < 0:
        unclosed.add(char)
    if end <= at or (char == "'" and end > at + 400):
        return None
    return _closed("quote", text, at, end)


def _opens(text: str, at: int) -> bool:
    return at == 0 or text[at - 1].isspace() or text[at - 1] in "(,:=["


def _closed(kind: Literal["quote", "code"], text: str, at: int, end: int) -> Token:
    after = text[end + 1 : end + 2]
    if after in (",", ".", ":", "?", "!") and after and not text[end + 2 : end + 3].strip():
        return Token(kind, text[at + 1 : end], at, end + 2, after)
    return Token(kind, text[at + 1 : end], at, end + 1)


def _word(text: str, at: int) -> Token:
    found = _WORD.match(text, at)
    if found is None:
        return Token("word", text[at], at, at + 1)
    raw, end = found.group(), found.end()
    body = raw.rstrip(",:?!")
    body = body if body.strip(".") == "" else body.rstrip(".") if body.endswith(".") else body
    body = body.rstrip(",:?!") or raw
    if body.startswith("(") and body.count("(") > body.count(")"):
        body = body[1:]
    if body.endswith(")") and body.count(")") > body.count("("):
        body = body[:-1]
    return Token("word", body or raw, at, end, raw[-1:] if raw[-1:] in ",.:?!" and body != raw else "")


FILLERS = frozenset(
    [
        "please",
        "can",
        "could",
        "would",
        "will",
        "you",
        "now",
        "just",
        "also",
        "first",
        "firstly",
        "second",
        "secondly",
        "third",
        "finally",
        "next",
        "kindly",
        "i",
        "i'd",
        "want",
        "need",
        "like",
        "to",
        "let's",
        "lets",
        "us",
        "go",
        "ahead",
        "and",
        "then",
        "ok",
        "okay",
        "so",
        "well",
        "thanks",
        "thank",
        "after",
        "that",
        "afterwards",
        "lastly",
    ]
)
GREETINGS = frozenset(["hi", "hello", "hey", "thanks", "thank", "you", "good", "morning", "there"])
BULLET = re.compile(r"(?:\d{1,3}[.)]?|[-*•+])")
ARTICLES = ("the", "a", "an", "all", "every", "each", "any", "me", "us", "of", "for", "out", "up", "through", "at")


def without_fillers(part: Sequence[Token]) -> list[Token]:
    at = 0
    while at < len(part) - 1 and (part[at].low in FILLERS or part[at].low in GREETINGS):
        if part[at].low == "first" and part[at + 1].low.isdecimal():  # `first 20 lines`
            break
        at += 1
    return list(part[at:])


def rest_of(words: Sequence[Token], text: str, start: int) -> str:
    """The text from word `start` to the end of the part, as it was written."""
    return text[words[start].start : words[-1].end].strip() if start < len(words) else ""


def index(words: Sequence[Token], *names: str, start: int = 0) -> int:
    return next((place for place in range(start, len(words)) if words[place].low in names), -1)


def skip(words: Sequence[Token], names: Iterable[str]) -> list[Token]:
    found, at = frozenset(names), 0
    while at < len(words) and words[at].low in found:
        at += 1
    return list(words[at:])


def is_path(token: Token) -> bool:
    """Whether a word looks like the name of a file or folder."""
    text = token.text
    if token.kind == "code":
        return bool(text) and "\n" not in text
    if token.quoted or not text:
        return token.quoted and "\n" not in text and " " not in text
    if text.startswith("@") and len(text) > 1:
        return True
    return bool(re.fullmatch(r"[\w.~/@+\-\\]*(?:/|\.\w)[\w./@+\-]*|[A-Z][A-Z_]{3,}|Makefile|Dockerfile|\.{1,2}", text))


def is_place(token: Token) -> bool:
    return token.kind != "fence" and bool(token.text) and "\n" not in token.text


def path_of(token: Token) -> str:
    return token.text[1:] if token.kind == "word" and token.text.startswith("@") else token.text


def has_wildcard(text: str) -> bool:
    return any(char in text for char in "*?[")


def escaped(text: str) -> str:
    """As a regular expression for any engine: `re.escape` also escapes blanks and `-`, which some refuse."""
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)


def quoted(text: str) -> str:
    """As one word of a shell."""
    if text and re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII) and not text.startswith("-"):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


READING = frozenset(
    [
        "read",
        "show",
        "cat",
        "open",
        "print",
        "view",
        "display",
        "see",
        "head",
        "tail",
        "look",
        "what",
        "what's",
        "whats",
        "dump",
    ]
)
LISTING = frozenset(["list", "ls", "glob"])
SEARCHING = frozenset(["search", "grep", "find", "locate", "look", "where"])
RUNNING = frozenset(["run", "execute", "exec", "launch", "start"])
REPLACING = frozenset(["replace", "change", "substitute", "rename", "swap", "edit", "update"])
CREATING = frozenset(["create", "write", "make", "add", "append", "overwrite", "save", "put"])
WRITING = CREATING
COUNTING = frozenset(["count", "how"])
RANKING = frozenset(["which", "rank", "tell", "say", "report", "sort"])
REMOVING = frozenset(["delete", "remove", "rm"])
MOVING = frozenset(["move", "mv", "copy", "cp"])
ASKING = frozenset(("ask",))
PLANNING = frozenset(["plan", "todo"])
SENDING = frozenset(["send"])
NAMED = "@agent-"
"""What an agent's own name begins with where a prompt has it sent."""
PROPOSING = frozenset(["propose"])
UNDOING = frozenset(["undo", "revert", "rollback", "redo", "restore"])
VERBS = (
    READING
    | LISTING
    | SEARCHING
    | RUNNING
    | REPLACING
    | CREATING
    | COUNTING
    | RANKING
    | REMOVING
    | MOVING
    | ASKING
    | PLANNING
    | UNDOING
    | {"git", "test"}
) - {"start", "sort", "what's"}
