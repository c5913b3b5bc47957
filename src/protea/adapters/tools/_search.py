"""What Glob and Grep share: where to look, which files fit, `rg`'s arguments, and the lines that hit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._program import Done, run
from protea.adapters.walking.disk import Stop
from protea.domain.glob import compiled
from protea.domain.ignore import Layer, parse, verdict
from protea.domain.pattern import regex
from protea.domain.plain import plain
from protea.domain.textfile import decode, shown

T = TypeVar("T")

SECONDS = 60
BYTES = 64 << 20
"""Of output taken in from `rg`."""
_MAGIC = regex(r"[*?\[\]{}\\]")


class Filter(msgspec.Struct, frozen=True):
    """Which files an answer may name."""

    glob: re.Pattern[str] | None
    unread: tuple[Layer, ...]
    plain_name: str | None
    """A glob over names alone that every wanted file fits, for `rg`; None where there is none."""
    ending: str = ""
    """What paths end in, where that is all the glob says (`**/*.py`): the commonest kind, and much quicker."""

    def wants(self, path: str) -> bool:
        if self.ending:
            if not path.endswith(self.ending):
                return False
        elif self.glob is not None and not self.glob.fullmatch(path):
            return False
        return not (self.unread and verdict(path, path.rpartition("/")[2], False, self.unread))


def filter_for(unread: Sequence[str], glob: str | None) -> Filter:
    """Raises `ValueError` for a broken glob."""
    rules = parse("\n".join(unread))
    layers = (Layer(rules),) if rules else ()
    if not glob:
        return Filter(None, layers, None)
    last = glob.rpartition("/")[2]
    # Braces may span a slash; then the last component alone means nothing.
    whole = last.count("{") == last.count("}") and glob.count("{") == glob.count("}") == last.count("{")
    usable = whole and last not in ("", "**", "*") and "\\" not in last
    anywhere = glob in (last, f"**/{last}", f"/**/{last}")
    ending = last[1:] if anywhere and last.startswith("*.") and not _MAGIC.search(last[1:]) else ""
    return Filter(compiled(glob), layers, last if usable else None, ending)


def split(pattern: str) -> tuple[str, str]:
    """The directories a pattern begins with that hold no wildcards, and the rest, which begins with a slash if there
    were any: `src/app/**/*.ts` → (`src/app`, `/**/*.ts`)."""
    parts = pattern.split("/")
    at = 0
    while at < len(parts) - 1 and not _MAGIC.search(parts[at]):
        at += 1
    if at == 0:
        return "", pattern
    return "/".join(parts[:at]) or "/", "/" + "/".join(parts[at:])


async def ripgrep(kit: Kit, top: str, arguments: Sequence[str], wanted: Filter) -> Done | None:
    """What `rg` says of a directory or file; None where it is not used or cannot do it."""
    program = kit.which("rg") if kit.options.ripgrep and kit.workspace.on_disk else None
    if program is None:
        return None
    kind = ("--type-add", f"wanted:{wanted.plain_name}", "--type", "wanted") if wanted.plain_name else ()
    argv = (
        program,
        *("--no-config", "--color=never", "--no-messages", "--hidden", "--no-require-git", "--no-ignore-global"),
        *("--no-ignore-files", "--glob=!.git", "--null", *kind, *arguments, "--", top),
    )
    try:
        done = await run(kit, argv, cwd="/", seconds=SECONDS, limit=BYTES)
    except OSError:
        return None
    # 2 is an error: of a pattern (then our own engine may know it), or of a file that could not be read.
    return None if done.code not in (0, 1) and not done.output and not done.cut and not done.late else done


async def in_thread(work: Callable[[Stop], T]) -> T:
    """Run blocking work that looks at `stop`; cancelled, it is over before the cancellation passes."""
    stop = Stop()
    task = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.asked = True
        await asyncio.wait([task])
        raise


# ── lines that hit ──────────────────────────────────────────────────────────────────────────────────────────────────


class Hits(msgspec.Struct):
    """What was found in one file."""

    path: str
    count: int
    """Lines that hit; matches, in a search across lines."""
    rows: list[tuple[int, bool, str]]
    """(line number, whether it hit or is context, text), in order; not all of them where there are many."""


class Pattern(msgspec.Struct, frozen=True):
    """A regular expression for Python's engine, for ASCII bytes and for text."""

    text: re.Pattern[str]
    raw: re.Pattern[bytes] | None
    multiline: bool
    sweep: bool
    """Whether a file without a match as a whole has none in any line, so that looking once is enough."""
    needle: bytes
    """Bytes that every match holds; empty where none are known."""
    repeats: int
    """How many repetitions may make the engine, which backtracks, try again and again; at 0 it is quick on any text."""


_RUST = (
    (re.compile(r"\\z"), r"\\Z"),
    (re.compile(r"\\x\{([0-9a-fA-F]{1,2})\}"), lambda match: f"\\x{int(match[1], 16):02x}"),
    (re.compile(r"\\x\{([0-9a-fA-F]{3,4})\}"), lambda match: f"\\u{int(match[1], 16):04x}"),
    (re.compile(r"\\<|\\>"), r"\\b"),
    (re.compile(r"\(\?P?<([A-Za-z_]\w*)>"), r"(?P<\1>"),
)
_CLASSES = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:space:]": r"\s",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:word:]": r"\w",
    "[:xdigit:]": "0-9a-fA-F",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:blank:]": r" \t",
}
_AROUND = regex(r"\(\?<?[=!]|\\[AZzB]|\(\?[a-z]*s")


def pattern_for(text: str, *, ignore_case: bool, multiline: bool) -> Pattern:
    """A pattern written for `rg`, for our own engine. Raises `ValueError` with what is wrong."""
    import warnings

    for found, put in _RUST:
        text = found.sub(put, text)
    for name, letters in _CLASSES.items():
        text = text.replace(name, letters)
    flags = re.MULTILINE | (re.IGNORECASE if ignore_case else 0) | (re.DOTALL if multiline else 0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `[[` and kin: what the engine finds doubtful is the model's to know
            by_text = re.compile(text, flags)
            by_bytes = re.compile(text.encode(), flags) if text.isascii() and "\\u" not in text else None
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"The pattern is not a valid regular expression: {error}.") from error
    needle = "" if ignore_case else required(text)
    repeats = len(_REPEATS.findall(text))
    if re.search(r"\)[*+?{]|\\\d", text) or multiline or text.count("?") > 4:
        repeats = max(2, repeats)
    return Pattern(by_text, by_bytes, multiline, not _AROUND.search(text), needle.encode(), repeats)


_REPEATS = regex(r"(?<!\\)(?:[*+]|\{\d*,)")


def required(pattern: str) -> str:
    """The longest piece of plain text that every match of a regular expression holds; empty where none is sure."""
    if "(?" in pattern:
        return ""
    runs, run, depth, at = [], "", 0, 0
    while at < len(pattern):
        letter, plain_letter = pattern[at], ""
        if letter == "|" and depth == 0:
            return ""
        if letter == "\\" and at + 1 < len(pattern):
            at += 1
            plain_letter = "" if pattern[at].isalnum() else pattern[at]
            if pattern[at] in "xuUN0123456789":
                return ""
        elif letter == "[":
            close = pattern.find("]", at + 2 + pattern.startswith("^", at + 1))
            at = close if close > 0 else len(pattern)
        elif letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter not in ".^$*+?{}|":
            plain_letter = letter
        if plain_letter and depth == 0:
            run += plain_letter
        else:
            # What may be absent is not required: the letter before a quantifier.
            runs.append(run[:-1] if letter in "*?{" else run)
            run = ""
            if letter == "{":
                close = pattern.find("}", at)
                at = close if close > 0 else at
        at += 1
    return max([*runs, run], key=len)


def look(data: bytes, pattern: Pattern, path: str, context: int, most: int) -> Hits | None:
    """What hits in a file's bytes; None where nothing does or it is no text.

    Like `rg`, lines before the first NUL of a file that seemed to be text count, unless `most` is 0 (only the number is
    wanted) or the search is across lines.
    """
    if not data:
        return None
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    if pattern.needle and pattern.needle not in data and not wide:
        return None
    text: str | None = None
    if data.isascii() and pattern.raw is not None:
        if b"\r" in data and not pattern.multiline:  # one byte is found ten times as quickly as two
            data = data.replace(b"\r\n", b"\n")
        if pattern.sweep and not pattern.raw.search(data):
            return None
    else:
        text = decode(data).text if not wide and pattern.multiline else decode(data).text.replace("\r\n", "\n")
        if pattern.sweep and not pattern.text.search(text):
            return None
    if b"\0" in data[: 1 << 16] and not wide:
        return None
    if text is None:
        text = data.decode("ascii")
    if "\0" in text:
        if pattern.multiline or not most:
            return None
        text = text[: text.index("\0")]
        text = text[: text.rfind("\n") + 1]
    return (
        _look_across(text, pattern, path, context, most)
        if pattern.multiline
        else _look_by_line(text, pattern, path, context, most)
    )


def _look_by_line(text: str, pattern: Pattern, path: str, context: int, most: int) -> Hits | None:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    search = pattern.text.search
    hits = [number for number, line in enumerate(lines) if search(line)]
    return _rows(lines, hits, len(hits), path, context, most) if hits else None


def _look_across(text: str, pattern: Pattern, path: str, context: int, most: int) -> Hits | None:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    hits: set[int] = set()
    count, line, at = 0, 0, 0
    for match in pattern.text.finditer(text):
        count += 1
        line += text.count("\n", at, match.start())
        at = match.start()
        last = line + text.count("\n", match.start(), max(match.start(), match.end() - 1))
        hits.update(range(line, min(last, len(lines) - 1) + 1))
    return _rows(lines, sorted(hits), count, path, context, most) if count else None


def _rows(lines: Sequence[str], hits: Sequence[int], count: int, path: str, context: int, most: int) -> Hits:
    wanted = set(hits[:most])
    around = {near for at in wanted for near in range(max(0, at - context), min(len(lines), at + context + 1))}
    hitting = set(hits) if context else wanted
    return Hits(path, count, [(at + 1, at in hitting, lines[at]) for at in sorted(around)])


def parse_lines(output: bytes, top: str) -> Iterator[Hits]:
    """Hits per file from `rg --null --line-number` output."""
    current: Hits | None = None
    for line in output.split(b"\n"):
        path, zero, rest = line.partition(b"\0")
        if not zero:
            continue
        number, sign, text = _numbered(rest)
        if number is None:
            continue
        name = relative(path, top)
        if current is None or current.path != name:
            if current is not None:
                yield current
            current = Hits(name, 0, [])
        current.count += sign
        current.rows.append((number, sign, shown(text.removesuffix(b"\r").decode("utf-8", "surrogateescape"))))
    if current is not None:
        yield current


def _numbered(rest: bytes) -> tuple[int | None, bool, bytes]:
    for sign in (b":", b"-"):
        number, found, text = rest.partition(sign)
        if found and number.isdigit():
            return int(number), sign == b":", text
    return None, False, b""


def relative(path: bytes, top: str) -> str:
    """A path of `rg`'s as one relative to `top`; the name alone where it is `top` itself."""
    text = path.decode("utf-8", "surrogateescape")
    beginning = top.rstrip("/") + "/"
    return text[len(beginning) :] if text.startswith(beginning) else text.rpartition("/")[2]


def clean(text: str) -> str:
    return plain(shown(text))
