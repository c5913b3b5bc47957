"""Reads patches, in the two forms models write, and applies their hunks. Pure.

- unified diff (`--- a/x`, `+++ b/x`, `@@ -1,3 +1,4 @@`), with or without `diff --git` lines, counts right or wrong;
- the envelope form: `*** Begin Patch`, `*** Add File: x`, `*** Update File: x`, `*** Delete File: x`, `*** Move to: y`,
  `@@ some line above`, `*** End of File`, `*** End Patch`.

Line numbers are hints: a hunk goes where its context and removed lines are, exactly; else where they are but for white
space at line ends, or for indentation. A hunk that fits in several places goes to the one nearest its line number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from protea.domain.edit import not_found
from protea.domain.pattern import regex


class Hunk(msgspec.Struct, frozen=True):
    rows: tuple[tuple[str, str], ...]
    """(sign, line): ` `, `-` or `+`, and the line without its end."""
    line: int | None = None
    """Where it begins in the old file, from 1."""
    anchors: tuple[str, ...] = ()
    """Lines above it, each somewhere after the one before."""
    at_end: bool = False
    final_newline: bool | None = None
    """Whether the new text ends with a line feed, where the patch says so."""

    @property
    def old(self) -> list[str]:
        return [line for sign, line in self.rows if sign != "+"]

    @property
    def new(self) -> list[str]:
        return [line for sign, line in self.rows if sign != "-"]


class FileChange(msgspec.Struct, frozen=True):
    action: Literal["add", "update", "delete"]
    path: str
    hunks: tuple[Hunk, ...] = ()
    move_to: str | None = None


class PatchError(ValueError):
    """A patch that cannot be read or does not fit. The message tells the model what to send instead."""


def parse(patch: str) -> tuple[FileChange, ...]:
    """The changes of a patch, in order. Raises `PatchError`."""
    lines = patch.split("\n")
    envelope = next((at for at, line in enumerate(lines) if line.strip() == "*** Begin Patch"), None)
    if envelope is None:
        first = next((at for at, line in enumerate(lines) if _FILE.fullmatch(line.rstrip())), None)
        envelope = None if first is None or any(line.startswith("+++ ") for line in lines[:first]) else first - 1
    if envelope is not None or any(line.startswith(("--- ", "+++ ", "@@ ")) and line[-1] == "\r" for line in lines):
        # It came with such line ends itself: they say nothing about the files.
        lines = [line.removesuffix("\r") for line in lines]
    while lines and lines[-1].strip("\r") == "":
        lines.pop()
    if not lines:
        raise PatchError("The patch is empty.")
    changes = tuple(_envelope(lines[envelope + 1 :])) if envelope is not None else tuple(_unified(lines))
    for change in changes:
        if change.action == "update" and not change.hunks and change.move_to is None:
            raise PatchError(
                f"{change.path}: no line of it is changed. Below its name stand @@ lines, and - and + lines."
            )
        for number, hunk in enumerate(change.hunks, 1):
            if change.action == "update" and all(sign == " " for sign, _ in hunk.rows):
                raise PatchError(
                    f"{change.path}, hunk {number} of {len(change.hunks)} changes nothing: lines to take out begin "
                    "with -, lines to put in with +, others with a space."
                )
    if not changes:
        raise PatchError(
            "No change was found in the patch. Send a unified diff (---, +++ and @@ lines) "
            "or *** Begin Patch with *** Update File: lines."
        )
    return changes


def apply(text: str, change: FileChange) -> str:
    """The text after all hunks of an update. Raises `PatchError` naming the hunk that does not fit."""
    final = text.endswith("\n") or not text
    lines = text.split("\n")
    if final:
        lines.pop()
    pieces: list[str] = []
    done = 0
    for number, hunk in enumerate(change.hunks, 1):
        which = f"{change.path}, hunk {number} of {len(change.hunks)}"
        at, found = _place(lines, hunk, done, which)
        known = _indentation(hunk.old, found)
        if known is None and any(sign == "+" and line.strip() for sign, line in hunk.rows):
            raise _misfit(which, lines, hunk)  # how the new lines are meant to be indented nobody can tell
        pieces += lines[done:at]
        pieces += _merged(hunk, found, known or {})
        done = at + len(found)
        if done == len(lines) and hunk.final_newline is not None:
            final = hunk.final_newline
    pieces += lines[done:]
    return "\n".join(pieces) + ("\n" if final and pieces else "")


def created(change: FileChange) -> str:
    """The text of an added file."""
    lines = [line for hunk in change.hunks for line in hunk.new]
    bare = bool(change.hunks) and change.hunks[-1].final_newline is False
    return "\n".join(lines) + ("" if bare or not lines else "\n")


# ── placing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_LOOSER: tuple[Callable[[str], str], ...] = (lambda line: line, lambda line: line.rstrip(), lambda line: line.strip())


def _place(lines: Sequence[str], hunk: Hunk, start: int, which: str) -> tuple[int, Sequence[str]]:
    """Where a hunk goes, and the lines there that it replaces."""
    for anchor in hunk.anchors:
        start = _after_anchor(lines, anchor, start, which)
    old = hunk.old
    if not old:
        at = len(lines) if hunk.line is None or hunk.at_end else max(start, min(hunk.line, len(lines)))
        if hunk.anchors and hunk.line is None:
            at = start
        return at, ()
    for loosen in _LOOSER:
        target = [loosen(line) for line in old]
        places = [
            at
            for at in range(start, len(lines) - len(old) + 1)
            if loosen(lines[at]) == target[0] and [loosen(line) for line in lines[at : at + len(old)]] == target
        ]
        if hunk.at_end and places and places[-1] + len(old) == len(lines):
            places = places[-1:]
        if places:
            if hunk.line is not None:
                at = min(places, key=lambda place: abs(place + 1 - (hunk.line or 0)))
            elif len(places) > 1 and not hunk.anchors:
                numbers = ", ".join(str(place + 1) for place in places[:5])
                raise PatchError(f"{which} fits at lines {numbers}. Add context lines, or an @@ line that says where.")
            else:
                at = places[0]
            return at, lines[at : at + len(old)]
    raise _misfit(which, lines, hunk)


def _misfit(which: str, lines: Sequence[str], hunk: Hunk) -> PatchError:
    why = not_found("\n".join(lines), "\n".join(hunk.old)).replace("old_string", "its old text")
    return PatchError(f"{which} does not fit: {why}")


def _after_anchor(lines: Sequence[str], anchor: str, start: int, which: str) -> int:
    for loosen in _LOOSER:
        for at in range(start, len(lines)):
            if loosen(lines[at]) == loosen(anchor):
                return at + 1
    for at in range(start, len(lines)):
        if anchor.strip() in lines[at]:
            return at + 1
    raise PatchError(f"{which}: its @@ line was not found: {anchor!r}.")


def _merged(hunk: Hunk, found: Sequence[str], known: Mapping[str, str]) -> Iterator[str]:
    """The new lines; context lines as the file has them, not as the patch spelt them."""
    at = 0
    for sign, line in hunk.rows:
        if sign == "+":
            yield _indented(line, known)
        else:
            if sign == " ":
                yield found[at]
            at += 1


def _indentation(old: Sequence[str], found: Sequence[str]) -> Mapping[str, str] | None:
    """How the patch indents → how the file does, where they differ; None where that is no rule."""
    known: dict[str, str] = {}
    for said, real in zip(old, found, strict=True):
        if said.strip() and known.setdefault(_blanks(said), _blanks(real)) != _blanks(real):
            return None
    return known if any(said != real for said, real in known.items()) else {}


def _indented(line: str, known: Mapping[str, str]) -> str:
    """An added line as the file would indent it: as lines around it that the patch indents alike, else by what the
    file has more than the patch."""
    blanks = _blanks(line)
    if not known or not line.strip():
        return line
    if blanks in known:
        return known[blanks] + line[len(blanks) :]
    nearest = max((said for said in known if blanks.startswith(said)), key=len, default=None)
    if nearest is None:
        return line
    return known[nearest] + line[len(nearest) :]


def _blanks(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


# ── the envelope form ───────────────────────────────────────────────────────────────────────────────────────────────

_FILE = regex(r"\*\*\* (Add|Update|Delete) File: (.+)")


def _envelope(lines: Sequence[str]) -> Iterator[FileChange]:
    at = 0
    while at < len(lines):
        line = lines[at].rstrip()
        if line == "*** End Patch":
            return
        match = _FILE.fullmatch(line)
        if match is None:
            if line:
                raise PatchError(f"Expected a line like *** Update File: path, found {line[:100]!r}.")
            at += 1
            continue
        end = at + 1
        while end < len(lines) and not _FILE.fullmatch(lines[end].rstrip()) and lines[end].rstrip() != "*** End Patch":
            end += 1
        body = lines[at + 1 : end]
        path = match[2].strip()
        if match[1] == "Delete":
            yield FileChange("delete", path)
        elif match[1] == "Add":
            rows = tuple(("+", line[1:] if line.startswith("+") else line) for line in body)
            yield FileChange("add", path, (Hunk(rows),))
        else:
            move = None
            if body and body[0].startswith("*** Move to: "):
                move, body = body[0][13:].strip(), body[1:]
            yield FileChange("update", path, tuple(_envelope_hunks(body, path)), move)
        at = end
    return


def _envelope_hunks(body: Sequence[str], path: str) -> Iterator[Hunk]:
    rows: list[tuple[str, str]] = []
    anchors: list[str] = []
    for line in [*body, None]:
        if line is None or line.startswith("@@"):
            if rows:
                yield Hunk(tuple(rows), anchors=tuple(anchors))
                rows, anchors = [], []
            if line is not None and (numbers := _NUMBERS.match(line)):
                anchors = [numbers[5].strip()] if numbers[5].strip() else []
            elif line is not None and line[2:].strip(" @"):
                anchors.append(line[2:].removeprefix(" "))
        elif line.rstrip() == "*** End of File":
            if rows:
                yield Hunk(tuple(rows), anchors=tuple(anchors), at_end=True)
                rows, anchors = [], []
        else:
            rows.append(_row(line, path))


def _row(line: str, path: str) -> tuple[str, str]:
    if line == "":
        return " ", ""
    if line[0] not in " +-":
        # Models forget the space before what stays.
        return " ", line
    return line[0], line[1:]


# ── unified diffs ───────────────────────────────────────────────────────────────────────────────────────────────────

_NUMBERS = regex(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)")


class _Header(msgspec.Struct, frozen=True):
    """What a `diff --git` line and those below it say."""

    path: str | None = None
    renamed: tuple[str, str] = ("", "")
    action: Literal["add", "update", "delete"] = "update"

    def bare(self) -> Iterator[FileChange]:
        """The change where no line of the file is changed."""
        if all(self.renamed):
            yield FileChange("update", self.renamed[0], (), self.renamed[1])
        elif self.path is not None and self.action != "update":
            yield FileChange(self.action, self.path)


def _unified(lines: Sequence[str]) -> Iterator[FileChange]:
    at = 0
    header = _Header()
    while at < len(lines):
        line = lines[at]
        if line.startswith("diff --git "):
            yield from header.bare()
            header = _Header(_twice(line[11:].strip()))
        elif line.startswith("rename from "):
            header = replace(header, renamed=(line[12:].strip(), ""))
        elif line.startswith("rename to "):
            header = replace(header, renamed=(header.renamed[0], line[10:].strip()))
        elif line.startswith(("new file mode ", "deleted file mode ")):
            header = replace(header, action="add" if line[0] == "n" else "delete")
        elif line.startswith(("GIT binary patch", "Binary files ")):
            raise PatchError("Binary patches cannot be applied.")
        elif line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            source, target = _path(line[4:]), _path(lines[at + 1][4:])
            at, hunks = _unified_hunks(lines, at + 2, "" if source is None else "\r", target or source or "")
            yield _file_change(source, target, hunks, header.renamed)
            header = _Header()
            continue
        elif line.startswith(("+++ ", "@@")) and not line.startswith("+++ /dev/null"):
            # One of the two lines, or both, are left out.
            named = line.startswith("+++ ")
            path = _path(line[4:]) if named else header.path
            if path is None:
                raise PatchError("The patch has no --- and +++ lines: name the file it is for.")
            at, hunks = _unified_hunks(lines, at + named, "\r" if header.action == "update" else "", path)
            yield FileChange(header.action, path, hunks)
            header = _Header()
            continue
        at += 1
    yield from header.bare()


def _twice(words: str) -> str | None:
    """The path of `a/x b/x`."""
    half = (len(words) - 1) // 2
    first, second = words[:half], words[half + 1 :]
    same = words[half : half + 1] == " " and first[:2] == "a/" and second[:2] == "b/" and first[2:] == second[2:]
    return first[2:] if same else None


def _file_change(
    source: str | None, target: str | None, hunks: tuple[Hunk, ...], renamed: tuple[str, str]
) -> FileChange:
    if source is None and target is None:
        raise PatchError("Both sides of the patch are /dev/null.")
    if source is None and target is not None:
        return FileChange("add", target, hunks)
    assert source is not None
    if target is None:
        return FileChange("delete", source, hunks)
    if all(renamed):
        return FileChange("update", renamed[0], hunks, renamed[1])
    return FileChange("update", target, hunks)


def _path(words: str) -> str | None:
    """The path of a `---` or `+++` line: without the date behind a tab, quotes, and git's `a/` and `b/`."""
    name, tab, _ = words.partition("\t")
    path = name if tab else name.strip()
    if len(path) > 1 and path[0] == path[-1] == '"':
        path = _unquoted(path[1:-1])
    path = path.strip('"')
    if path == "/dev/null":
        return None
    return path[2:] if path.startswith(("a/", "b/")) else path


def _unquoted(path: str) -> str:
    """A path as git quotes one: `\\n`, `\\"`, and bytes in octal."""
    if "\\" not in path:
        return path
    data = _ESCAPE.sub(lambda found: _LETTERS.get(found[1]) or bytes([int(found[1], 8) & 255]), path.encode())
    return data.decode("utf-8", "replace")


_ESCAPE = regex(rb"\\([abtnvfr\"\\]|[0-7]{1,3})")
_LETTERS = {
    b"a": b"\a",
    b"b": b"\b",
    b"t": b"\t",
    b"n": b"\n",
    b"v": b"\v",
    b"f": b"\f",
    b"r": b"\r",
    b'"': b'"',
    b"\\": b"\\",
}


def _unified_hunks(lines: Sequence[str], at: int, end: str, path: str) -> tuple[int, tuple[Hunk, ...]]:
    """`end` is what rows end with that is no part of them: a file that is there has line ends of its own."""
    hunks: list[Hunk] = []
    # Rows may begin without an @@ line.
    while at < len(lines) and (
        lines[at].startswith("@@") or (not hunks and lines[at][:1] in tuple(" +-") and lines[at])
    ):
        match = _NUMBERS.match(lines[at])
        start = int(match[1]) if match else None
        old_left = int(match[2] or 1) if match else 0
        new_left = int(match[4] or 1) if match else 0
        rows: list[tuple[str, str]] = []
        final: bool | None = None
        at += lines[at].startswith("@@")
        while at < len(lines):
            line = lines[at].removesuffix(end)
            if line.startswith("\\"):
                # Behind a removed line it is about the old text: the new one has a line feed, unless it says no too.
                final = bool(rows) and rows[-1][0] == "-"
                at += 1
                continue
            over = old_left <= 0 and new_left <= 0
            # Counts are often wrong: past them, only what can be nothing else than a row of this hunk is one.
            if line.startswith("@@") or (over and _begins_file(lines, at)) or (over and line == ""):
                break
            if line[:1] not in ("", " ", "+", "-"):
                if line.strip() in _ELISIONS and rows:
                    # What is left out splits a hunk: what follows is somewhere further down.
                    hunks.append(Hunk(tuple(rows), line=start, final_newline=final))
                    rows, start = [], None
                    at += 1
                    continue
                if not _more_rows(lines, at):
                    while rows and rows[-1] == (" ", ""):
                        rows.pop()  # empty lines before the words behind a patch
                    break
                rows.append((" ", line))  # models forget the space before what stays
                old_left, new_left = old_left - 1, new_left - 1
                at += 1
                continue
            sign, text = (line[0], line[1:]) if line else (" ", "")
            rows.append((sign, text))
            old_left -= sign != "+"
            new_left -= sign != "-"
            at += 1
        hunks.append(Hunk(tuple(rows), line=start, final_newline=final))
        while at < len(lines) and lines[at] == "" and at + 1 < len(lines) and lines[at + 1].startswith("@@"):
            at += 1
    # A hunk that was split may have begun with what only says where it is.
    return at, tuple(hunk for hunk in hunks if len(hunks) == 1 or any(sign != " " for sign, _ in hunk.rows))


_ELISIONS = ("...", "…", "# ...", "// ...", "[...]", "(...)")


def _more_rows(lines: Sequence[str], at: int) -> bool:
    """Whether what has no sign stands in the midst of a hunk: rows that change something follow it."""
    for number in range(at, len(lines)):
        line = lines[number]
        if line.startswith("@@") or _begins_file(lines, number):
            return False
        if line[:1] in ("+", "-"):
            # A list in the words behind a patch looks like rows.
            return not (lines[number - 1] == "" and line[1:2] == " " and number > at)
    return False


def _begins_file(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    return line.startswith(("diff --git ", "Index: ")) or (
        line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")
    )
