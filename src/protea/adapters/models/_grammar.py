"""The language of the offline model: what a person wrote → steps to take. Pure, and linear in the text's length.

`read` is the only entry. A prompt is understood as a whole or not at all: where one part of it makes no sense here,
nothing of it is done, so text that was pasted or piped in is not run by accident. `docs/offline.md` is its manual.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

LONGEST = 20_000
"""Characters beyond which only a text to be written into a file is looked for."""
MOST_STEPS = 40

# -- what can be asked for


class Read(msgspec.Struct, frozen=True):
    paths: tuple[str, ...]
    first: int = 1
    last: int | None = None
    tail: int | None = None
    """So many lines from the end, instead."""


class Files(msgspec.Struct, frozen=True):
    pattern: str = "**/*"
    folder: str | None = None
    how: Literal["list", "count"] = "list"
    what: str = "files"
    """In the person's words: `python files`."""


How = Literal["lines", "files", "count", "most", "fewest", "rank"]


class Search(msgspec.Struct, frozen=True):
    pattern: str
    """A regular expression."""
    shown: str
    """What was asked for, as it was written."""
    folder: str | None = None
    glob: str | None = None
    how: How = "lines"
    top: int | None = None
    unit: str = "line"
    """What is counted: a line that holds it, or a line at all."""


class Ask(msgspec.Struct, frozen=True):
    question: str
    options: tuple[str, ...] = ()


class Tally(msgspec.Struct, frozen=True):
    """How the hits of the search before are spread over its files."""

    how: How
    top: int | None = None


class Run(msgspec.Struct, frozen=True):
    command: str


class RunTests(msgspec.Struct, frozen=True):
    where: str | None = None


class Replace(msgspec.Struct, frozen=True):
    old: str
    new: str
    where: str | None = None
    every: bool = False


class Create(msgspec.Struct, frozen=True):
    path: str
    content: str
    over: bool = False
    """Whether a file that is there may be replaced."""


class Append(msgspec.Struct, frozen=True):
    path: str
    content: str


class Plan(msgspec.Struct, frozen=True):
    items: tuple[str, ...]


class Overview(msgspec.Struct, frozen=True):
    """What kind of project this is."""


class Help(msgspec.Struct, frozen=True):
    pass


class Cannot(msgspec.Struct, frozen=True):
    """Something that is understood and is not possible."""

    what: Literal["undo"]


Step = (
    Read | Files | Search | Tally | Run | RunTests | Replace | Create | Append | Plan | Ask | Overview | Help | Cannot
)


class Understood(msgspec.Struct, frozen=True):
    steps: tuple[tuple[Step, str], ...] = ()
    """Each with the words it was read from."""
    unclear: tuple[str, ...] = ()
    """Parts that make no sense here. Then there are no steps."""


# -- words


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


# -- the whole prompt


def read(text: str) -> Understood:
    """What is to be done, in order."""
    if len(text) > LONGEST:
        step = _long_text(text)
        return Understood(((step, text[:80]),)) if step else Understood(unclear=(text[:80] + " …",))
    steps: list[tuple[Step, str]] = []
    unclear: list[str] = []
    for part in _parts(tokens(text.replace("\r\n", "\n"))):
        said = _said(text.replace("\r\n", "\n"), part)
        made = _steps_of(part, text.replace("\r\n", "\n"))
        if made is None:
            if not _is_heading(part):
                unclear.append(said)
        else:
            steps += [(step, said) for step in made]
    if len(steps) > MOST_STEPS:
        unclear.append(f"more than {MOST_STEPS} steps")
    if unclear or not steps:
        return Understood(unclear=tuple(unclear[:5]) or (text.strip()[:80],))
    return Understood(tuple(steps))


def _said(text: str, part: Sequence[Token]) -> str:
    words = " ".join(text[part[0].start : part[-1].end].split())
    return words if len(words) <= 160 else words[:157] + " …"


def _is_heading(part: Sequence[Token]) -> bool:
    """`Please do this:` above a list, or a greeting."""
    return part[-1].after == ":" or all(token.low in _GREETINGS | _FILLERS for token in part)


def _long_text(text: str) -> Step | None:
    head, mark, rest = text.partition("\n")
    made = (
        _steps_of([*tokens(head[:400]), Token("fence", _unfenced(rest), len(head), len(text))], text) if mark else None
    )
    return made[0] if made and isinstance(made[0], Create | Append) else None


def _unfenced(text: str) -> str:
    lines = text.strip("\n").split("\n")
    if len(lines) > 1 and lines[0].startswith("```") and lines[-1].startswith("```"):
        return "\n".join(lines[1:-1]) + "\n"
    return text


_FILLERS = frozenset(
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
_GREETINGS = frozenset(["hi", "hello", "hey", "thanks", "thank", "you", "good", "morning", "there"])
_JOINTS = frozenset(("then", "afterwards", "finally"))
_BULLET = re.compile(r"(?:\d{1,3}[.)]?|[-*•+])")


def _parts(words: list[Token]) -> list[list[Token]]:
    """The prompt cut into what is done after one another."""
    out: list[list[Token]] = []
    part: list[Token] = []
    whole = False  # the rest is the text of a file

    def close() -> None:
        nonlocal part
        if part:
            out.append(part)
        part = []

    for place, token in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else None
        if whole or _is_plan(part):
            part.append(token)
        elif token.kind == "semicolon":
            close()
        elif token.kind == "line":
            # A block of text may begin on the line below the words that announce it.
            if part and following is not None and _announces(part) and following.kind != "fence":
                whole = _takes_text(part)
                part.append(token)
                if not whole:
                    close()
            elif not (part and following is not None and (following.kind == "fence" or following.kind == "line")):
                close()
        elif not part and _BULLET.fullmatch(token.text) and token.kind == "word" and following is not None:
            continue
        elif part and token.low in _JOINTS and not _is_command_line(part, until_then=True):
            if part[-1].low == "and":
                part.pop()
            close()
        elif part and _starts_anew(part, token, following):
            if part[-1].low == "and":
                part.pop()
            close()
            part.append(token)
        else:
            part.append(token)
    close()
    return [trimmed for part in out if (trimmed := _trimmed(part))]


def _trimmed(part: list[Token]) -> list[Token]:
    while part and part[-1].kind == "line":
        part = part[:-1]
    while part and part[-1].low in ("and", "please", "then"):
        part = part[:-1]
    return part


def _announces(part: list[Token]) -> bool:
    return part[-1].after == ":" or part[-1].low in ("with", "containing", "content", "following")


def _takes_text(part: list[Token]) -> bool:
    words = _without_fillers(part)
    return bool(words) and words[0].low in _WRITING


def _is_plan(part: list[Token]) -> bool:
    """A plan is what stands behind the word, to the end."""
    return (0 < len(part) < 8 and _without_fillers(part)[0].low in _PLANNING) or (len(part) >= 8 and _is_plan(part[:7]))


def _is_command_line(part: list[Token], *, until_then: bool = False) -> bool:
    """Whether the words are a shell command, which may hold `and`: it ends at `then`, `;` or the line's end."""
    words = _without_fillers(part)
    if until_then or not words:
        return False
    if words[0].low in ("git", "$", "!"):
        return True
    return words[0].low in _RUNNING and len(words) > 1 and not words[1].quoted and words[1].low not in ("the", "all")


def _starts_anew(part: list[Token], token: Token, following: Token | None) -> bool:
    if token.low not in _VERBS or _is_command_line(part):
        return False
    if token.low in _REPLACING and part[0].low in ("in", "edit", "update"):
        return False  # `in FILE, replace A with B`
    last = part[-1]
    if last.after in (".", "!", "?"):
        return True
    if last.low != "and" and last.after != ",":
        return False
    # `replace A and show with …`, `find every read and write`: a verb only where something follows it.
    return following is not None and following.kind in ("word", "quote", "code")


def _without_fillers(part: Sequence[Token]) -> list[Token]:
    at = 0
    while at < len(part) - 1 and (part[at].low in _FILLERS or part[at].low in _GREETINGS):
        if part[at].low == "first" and part[at + 1].low.isdecimal():  # `first 20 lines`
            break
        at += 1
    return list(part[at:])


# -- one part

_READING = frozenset(
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
_LISTING = frozenset(["list", "ls", "glob"])
_SEARCHING = frozenset(["search", "grep", "find", "locate", "look", "where"])
_RUNNING = frozenset(["run", "execute", "exec", "launch", "start"])
_REPLACING = frozenset(["replace", "change", "substitute", "rename", "swap", "edit", "update"])
_CREATING = frozenset(["create", "write", "make", "add", "append", "overwrite", "save", "put"])
_WRITING = _CREATING
_COUNTING = frozenset(["count", "how"])
_RANKING = frozenset(["which", "rank", "tell", "say", "report", "sort"])
_REMOVING = frozenset(["delete", "remove", "rm"])
_MOVING = frozenset(["move", "mv", "copy", "cp"])
_ASKING = frozenset(("ask",))
_PLANNING = frozenset(["plan", "todo"])
_UNDOING = frozenset(["undo", "revert", "rollback", "redo", "restore"])
_VERBS = (
    _READING
    | _LISTING
    | _SEARCHING
    | _RUNNING
    | _REPLACING
    | _CREATING
    | _COUNTING
    | _RANKING
    | _REMOVING
    | _MOVING
    | _ASKING
    | _PLANNING
    | _UNDOING
    | {"git", "test"}
) - {"start", "sort", "what's"}

_TESTS = re.compile(r"(?:(?:all|the|our|my|its|full|whole|unit)\s+)*(?:tests?|test\s+suite|suite)(?:\s+in\s+(\S+))?$")
_HELP = frozenset(
    (
        "help",
        "?",
        "hi",
        "hello",
        "hey",
        "/help",
        "what can you do",
        "who are you",
        "what are you",
        "how do you work",
        "what do you understand",
        "help me",
        "what can i ask",
        "which commands are there",
        "are you there",
        "which model are you",
        "what model are you",
    )
)
_OVERVIEW = re.compile(
    r"(?:what(?:'s| is)|describe|show|tell me about|look at|explore|give me an overview of|overview of)"
    r"\s+(?:this|the|my)\s+(?:project|repo|repository|codebase|code base|folder|directory)(?:\s+about)?$"
)


def _steps_of(part: Sequence[Token], text: str) -> list[Step] | None:
    """The steps a part of the prompt asks for; None where it makes no sense here."""
    words = _without_fillers(part)
    if not words:
        return None
    plain = " ".join(token.low or "`" for token in words)
    if plain in _HELP:
        return [Help()]
    if _OVERVIEW.match(plain):
        return [Overview()]
    for reader in _READERS:
        step = reader(words, text)
        if step is not None:
            return [step]
    return None


def _rest(words: Sequence[Token], text: str, start: int) -> str:
    """The text from word `start` to the end of the part, as it was written."""
    return text[words[start].start : words[-1].end].strip() if start < len(words) else ""


def _index(words: Sequence[Token], *names: str, start: int = 0) -> int:
    return next((place for place in range(start, len(words)) if words[place].low in names), -1)


def _skip(words: Sequence[Token], names: Iterable[str]) -> list[Token]:
    found, at = frozenset(names), 0
    while at < len(words) and words[at].low in found:
        at += 1
    return list(words[at:])


_ARTICLES = ("the", "a", "an", "all", "every", "each", "any", "me", "us", "of", "for", "out", "up", "through", "at")


def _is_path(token: Token) -> bool:
    """Whether a word looks like the name of a file or folder."""
    text = token.text
    if token.kind == "code":
        return bool(text) and "\n" not in text
    if token.quoted or not text:
        return token.quoted and "\n" not in text and " " not in text
    if text.startswith("@") and len(text) > 1:
        return True
    return bool(re.fullmatch(r"[\w.~/@+\-\\]*(?:/|\.\w)[\w./@+\-]*|[A-Z][A-Z_]{3,}|Makefile|Dockerfile|\.{1,2}", text))


def _path(token: Token) -> str:
    return token.text[1:] if token.kind == "word" and token.text.startswith("@") else token.text


def _has_wildcard(text: str) -> bool:
    return any(char in text for char in "*?[")


# Each reader takes the words without what is only polite, and gives the step or None.


def _helping(words: Sequence[Token], text: str) -> Step | None:
    if words[0].low in ("help", "/help") and len(words) <= 3:
        return Help()
    if words[0].low in _UNDOING and (len(words) < 6):
        return Cannot("undo")
    if words[0].low == "roll" and len(words) > 1 and words[1].low == "back":
        return Cannot("undo")
    return None


def _running(words: Sequence[Token], text: str) -> Step | None:
    first = words[0]
    if first.text in ("$", "!") and len(words) > 1:
        return Run(_command(words, text, 1))
    if first.kind == "word" and first.text[:1] in ("$", "!") and len(first.text) > 1:
        return Run(text[first.start + 1 : words[-1].end].strip())
    if first.low == "git" and len(words) > 1:
        return Run(_command(words, text, 0))
    if first.low == "test" and len(words) <= 3:
        return RunTests()
    if first.low not in _RUNNING or len(words) < 2:
        return None
    plain = " ".join(token.text if _is_path(token) else token.low for token in words[1:])
    found = _TESTS.fullmatch(plain)
    if found is not None:
        return RunTests(found.group(1))
    skipped = _skip(words[1:], ("the", "command", "shell", "this", "following"))
    if not skipped:
        return None
    if skipped[0].quoted:
        return Run(skipped[0].text.strip()) if skipped[0].text.strip() else None
    if first.low in ("start", "launch"):
        return None
    return Run(_command(words, text, len(words) - len(skipped)))


def _command(words: Sequence[Token], text: str, start: int) -> str:
    only = words[start:]
    if len(only) == 1 and only[0].quoted:
        return only[0].text.strip()
    return _rest(words, text, start)


def _git(words: Sequence[Token], text: str) -> Step | None:
    """`show the git status`, `what changed`."""
    plain = " ".join(token.low for token in words)
    found = re.fullmatch(r"(?:show|what is|what's|see|print)(?: me)?(?: the)? git (status|diff|log|branch)", plain)
    if found is not None:
        return Run("git log --oneline -n 20" if found.group(1) == "log" else f"git {found.group(1)}")
    if re.fullmatch(r"(?:what (?:has )?changed|show (?:me )?(?:the |my )?(?:changes|diff))", plain):
        return Run("git diff")
    return None


def _reading(words: Sequence[Token], text: str) -> Step | None:
    low = words[0].low
    if low not in _READING and low not in ("lines", "line", "first", "last"):
        return None
    plain = [token.low for token in words]
    rest = list(words) if low in ("lines", "line", "first", "last") else list(words[1:])
    if low in ("what", "what's", "whats", "look"):
        rest = _skip(
            rest, ("is", "are", "in", "inside", "at", "does", "the", "contents", "content", "of", "file", "say")
        )
        if not rest or "in" in plain[3:] or any(token.low in ("which", "how", "most") for token in rest):
            return None
    lines = _line_range(rest)
    rest = _skip(lines.rest, (*_ARTICLES, "file", "files", "contents", "content", "in", "from", "to", "see"))
    paths = [token for token in rest if token.low not in ("and", "file", "please", "contain", "contains", "say")]
    only = len(paths) == 1 and low in ("read", "cat", "open", "view", "head", "tail") and paths[0].low not in _PRONOUNS
    if not paths or not (only or all(_is_path(token) or (token.quoted and token.text) for token in paths)):
        return None
    if any(_has_wildcard(token.text) for token in paths):
        return Files(_path(paths[0])) if len(paths) == 1 else None
    if low == "head" and lines.last is None:
        lines = _Lines([], 1, 10, None)
    if low == "tail" and lines.tail is None:
        lines = _Lines([], 1, None, 10)
    return Read(tuple(map(_path, paths[:20])), lines.first, lines.last, lines.tail)


_PRONOUNS = frozenset(["it", "them", "this", "that", "these", "those", "more", "everything", "all"])


class _Lines(msgspec.Struct):
    rest: list[Token]
    first: int = 1
    last: int | None = None
    tail: int | None = None


_SPAN = re.compile(r"(\d{1,9})(?:-|\u2013|\.\.|:)(\d{1,9})")


def _line_range(words: list[Token]) -> _Lines:
    """`lines 10-40 of`, `line 3 in`, `the first 20 lines of`, `last 5 lines of`; also `FILE lines 3 to 9`."""
    words = _skip(words, ("the", "me"))
    place = _index(words, "lines", "line")
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
    return token.text if _has_wildcard(token.text) and "\n" not in token.text else None


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
            behind = _skip(words[at + 1 :], ("the", "all", "folder", "directory", "file", "files", "any", "every"))
            if behind and _is_place(behind[0]):
                kind = _kind_of(behind[0])
                files = len(behind) > 1 and behind[1].low in _FILES
                if kind is not None and (files or behind[0].low not in _KINDS):
                    glob = kind
                else:
                    folder = _path(behind[0])
                used = len(words) - at - len(behind) + 1
                at += used
                at += len(words[at:]) - len(_skip(words[at:], ("folder", "directory", "file", "files", "dir")))
                continue
            if not behind:
                break
        out.append(token)
        at += 1
    whole = ("project", "repo", "repository", "codebase", "code", "workspace", "here", "everywhere", "this", ".")
    return out, None if folder is not None and folder.lower() in whole else folder, glob


def _is_place(token: Token) -> bool:
    return token.kind != "fence" and bool(token.text) and "\n" not in token.text


def _listing(words: Sequence[Token], text: str) -> Step | None:
    low = words[0].low
    plain = [token.low for token in words]
    counting = low == "count" or plain[:2] == ["how", "many"]
    asked = plain[0] in ("what", "which") and len(plain) > 1 and plain[1] in _FILES
    if not (low in _LISTING or low in ("find", "show", "locate", "see") or counting or asked or low == "where"):
        return None
    rest, folder, _ = _folder(words[2 if plain[:2] == ["how", "many"] else 1 :])
    rest = [
        token
        for token in rest
        if token.low not in (*_ARTICLES, "there", "are", "exist", "is", "do", "we", "have", "you", "see")
    ]
    how: Literal["list", "count"] = "count" if counting else "list"
    if low == "ls" and not rest:
        return Files("*" if folder is None else "**/*", folder, how)
    if not rest:
        return Files("**/*", folder, how) if low in _LISTING else None
    place = _index(rest, *_FILES)
    if place >= 0:
        return _files(rest, place, folder, how)
    if low == "where" and len(rest) == 1 and _is_path(rest[0]) and not rest[0].quoted:
        return Files(_everywhere(_path(rest[0])), folder, how, f"files named {rest[0].text}")
    if len(rest) > 1 or low == "where":
        return None
    only = rest[0]
    if only.quoted and not (only.kind == "code" and _has_wildcard(only.text) and low in _LISTING):
        return None
    if _has_wildcard(only.text):
        return Files(_everywhere(only.text), folder, how, f"files like {only.text}")
    if low in _LISTING and folder is None:
        return Files("**/*" if low != "ls" else "*", _path(only), how)
    if low in ("find", "locate") and _is_path(only) and re.fullmatch(r"[\w./-]+\.[a-z]\w{0,5}", only.text):
        return Files(_everywhere(only.text), folder, how, f"files named {only.text}")
    return None


def _files(rest: list[Token], place: int, folder: str | None, how: Literal["list", "count"]) -> Step | None:
    before, behind = rest[:place], _skip(rest[place + 1 :], ("named", "called", "like", "matching", "with", "ending"))
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
    if _is_path(names[0]) and behind:
        return Files(_everywhere(_path(names[0])), folder, how, f"files named {names[0].text}")
    return None


_SEARCH_FILLERS = (
    *_ARTICLES, "word", "words", "text", "string", "occurrence", "occurrences", "use", "uses", "usage", "usages",
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


def _searching(words: Sequence[Token], text: str) -> Step | None:
    low = words[0].low
    plain = [token.low for token in words]
    how: How = "lines"
    if plain[:2] == ["how", "many"]:
        how, rest = "count", list(words[2:])
    elif low == "count":
        how, rest = "count", list(words[1:])
    elif (
        plain[:2] in (["which", "files"], ["what", "files"], ["list", "files"])
        and _index(words, "contain", "containing", "mention", "use", "with", "have") > 0
    ):
        how, rest = "files", list(words[2:])
    elif low in _SEARCHING or (
        low == "show" and any(w in plain[1:4] for w in ("every", "all", "each")) and "file" not in plain
    ):
        rest = list(words[1:])
    else:
        return None
    if any(name in plain for name in _MOST):
        return None
    rest = [token for token in rest if token.low not in ("there", "anywhere", "everywhere", "please")]
    ignoring = _index(rest, "ignoring", "case-insensitively", "case-insensitive")
    if ignoring > 0:
        rest = rest[:ignoring] + [token for token in rest[ignoring + 1 :] if token.low != "case"]
    folder: str | None
    glob: str | None
    if low == "grep" and len(rest) == 2 and rest[0].low not in _SEARCH_FILLERS and rest[1].low != "in":
        wanted, folder, glob = [rest[0]], _path(rest[1]), None
    else:
        wanted, folder, glob = _folder(rest, 1)
    if how == "count" and wanted and wanted[0].low in ("lines", "line"):
        behind = _skip(wanted[1:], ("of", "code", "does", "do", "the", "file", "has", "have", "are", "in", "text"))
        if not behind or (folder is None and _is_path(behind[0])):
            return Search("^", "lines", folder or (_path(behind[0]) if behind else None), glob, how, unit="any line")
    if not any(token.quoted for token in wanted):
        wanted = _skip(wanted, _SEARCH_FILLERS)
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


def escaped(text: str) -> str:
    """As a regular expression for any engine: `re.escape` also escapes blanks and `-`, which some refuse."""
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)


def _tallying(words: Sequence[Token], text: str) -> Step | None:
    """`which file has the most`, `tell me how many there are`, `rank them`, `the top 3`."""
    plain = [token.low for token in words]
    at = 0
    if plain[0] in ("tell", "say", "report", "show", "let", "list", "give"):
        at = len(plain) - len(_skip(words[1:], ("me", "us", "know", "the", "a")))
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


def _replacing(words: Sequence[Token], text: str) -> Step | None:
    where: str | None = None
    rest = list(words)
    if rest[0].low == "in" and len(rest) > 3:
        rest = _skip(rest[1:], ("the", "file"))
        where, rest = (_path(rest[0]) if rest else None), rest[1:]
    elif rest[0].low in ("edit", "update") and len(rest) > 3:
        rest = _skip(rest[1:], ("the", "file"))
        where, rest = (_path(rest[0]) if rest else None), _skip(rest[1:], ("and", "to", "so", "that"))
    if not rest or rest[0].low not in ("replace", "change", "substitute", "rename"):
        return None
    rest = rest[1:]
    every = bool(rest) and rest[0].low in ("every", "all", "each", "any")
    every = every or any(token.low == "everywhere" for token in rest)
    rest = [token for token in rest if token.low != "everywhere"]
    rest = _skip(
        rest,
        ("every", "all", "each", "the", "word", "text", "occurrences", "occurrence", "of", "any", "line", "string"),
    )
    joint = _index(rest, "with", "by", "to", "for", start=1)
    if joint < 1 or joint + 1 > len(rest) - 1:
        return None
    old, behind = rest[:joint], rest[joint + 1 :]
    place = next(
        (p for p in range(len(behind) - 1, 0, -1) if behind[p].low in ("in", "inside", "within", "throughout")), -1
    )
    if place > 0 and where is None:
        named = _skip(behind[place + 1 :], ("the", "file", "folder", "directory", "files", "whole"))
        if len(named) >= 1 and _is_place(named[0]):
            where, behind = _path(named[0]), behind[:place]
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


def _creating(words: Sequence[Token], text: str) -> Step | None:
    verb = words[0].low
    if verb not in _CREATING:
        return None
    rest = _skip(words[1:], ("a", "an", "the", "new", "text", "file", "called", "named", "empty", "python", "script"))
    if verb == "make" and rest and rest[0].low in ("directory", "folder", "dir"):
        named = _skip(rest[1:], ("called", "named"))
        return Run(f"mkdir -p {quoted(_path(named[0]))}") if len(named) == 1 else None
    if not rest:
        return None
    place = _index(rest, "to", "into", "in", "at", start=1)
    if ((rest[0].quoted and rest[0].kind != "code") or verb in ("add", "append", "put", "save")) and place > 0:
        return _into(verb, rest[:place], rest[place + 1 :], text)
    target, behind = rest[0], rest[1:]
    if not (_is_path(target) or (target.kind == "word" and behind and behind[0].low in _ANNOUNCING)):
        return None
    if verb in ("add", "append"):
        return None
    content = _content([token for token in behind if token.kind != "line"], behind, text)
    return None if content is None else Create(_path(target), content, verb == "overwrite")


def _into(verb: str, what: Sequence[Token], where: Sequence[Token], text: str) -> Step | None:
    """`append "x" to FILE`, `write "x" to FILE`, `add a line "x" to the end of FILE:` and a block."""
    what = _skip(what, ("a", "the", "line", "text", "lines", "following", "new"))
    end = _skip(where, ("the", "end", "bottom", "of", "file", "a", "new"))
    if not end or not _is_path(end[0]):
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
    return Append(_path(end[0]), content) if at_end else Create(_path(end[0]), content, verb == "overwrite")


def _content(words: Sequence[Token], untrimmed: Sequence[Token], text: str) -> str | None:
    """The text of a file: a block, a quotation, else the words that follow `with`."""
    if not words:
        return ""
    blocks = [token for token in words if token.kind == "fence"]
    if len(blocks) == 1 and words[-1] is blocks[0]:
        return blocks[0].text
    announced = _skip(words, (*_ANNOUNCING, "the", "following", "line", "lines", "a", "this", "it", "and"))
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


def _moving(words: Sequence[Token], text: str) -> Step | None:
    verb = words[0].low
    rest = [token for token in words[1:] if token.low not in ("the", "file", "files", "folder", "directory")]
    if verb in _REMOVING and rest and all(_is_path(t) for t in rest if t.low != "and"):
        named = [quoted(_path(token)) for token in rest if token.low != "and"]
        return Run("rm -- " + " ".join(named))
    if verb in (*_MOVING, "rename") and len(rest) == 3 and rest[1].low in ("to", "into") and _is_path(rest[0]):
        program = "cp" if verb in ("copy", "cp") else "mv"
        return Run(f"{program} -- {quoted(_path(rest[0]))} {quoted(_path(rest[2]))}")
    return None


def _planning(words: Sequence[Token], text: str) -> Step | None:
    if words[0].low == "make" and _index(words, "plan") in (1, 2):
        words = words[_index(words, "plan") :]
    if words[0].low not in _PLANNING:
        return None
    rest = _skip(words[1:], ("to", "how", "for", "list", "out", "the", "following", "and"))
    items: list[str] = []
    begun: int | None = None
    for place, token in enumerate(rest):
        ends = token.kind in ("line", "semicolon") or (token.low == "then" and begun is not None)
        if begun is None and not ends and not (token.kind == "word" and _BULLET.fullmatch(token.text)):
            begun = token.start
        if begun is not None and (ends or token.after in (",", ".") or place == len(rest) - 1):
            said = text[begun : token.start if ends else token.end].strip().rstrip(",.;:")
            items.append(said.removeprefix("and ").removesuffix(" and").strip(" ,"))
            begun = None
    items = [item for item in items if item]
    return Plan(tuple(items)) if items else None


def _asking(words: Sequence[Token], text: str) -> Step | None:
    if words[0].low != "ask" or len(words) < 3:
        return None
    rest = _skip(words[1:], ("me", "us", "the", "user"))
    if not rest:
        return None
    if rest[0].quoted:
        options = tuple(token.text for token in rest[1:] if token.quoted)
        return Ask(rest[0].text, options[:8])
    return Ask(_rest(words, text, len(words) - len(rest)))


def quoted(text: str) -> str:
    """As one word of a shell."""
    if text and re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII) and not text.startswith("-"):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


_READERS: tuple[Callable[[Sequence[Token], str], Step | None], ...] = (
    _helping,
    _running,
    _git,
    _planning,
    _asking,
    _replacing,
    _moving,
    _creating,
    _tallying,
    _reading,
    _listing,
    _searching,
)
