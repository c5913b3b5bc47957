"""Vim's normal and visual mode over a buffer: counts, operators, motions, text objects, registers, marks, `.`. Pure.

`press` takes one key at a time. What it does not know it forgets, as vim does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
from msgspec.structs import replace

from protea.interfaces.tui.composer.buffer import Buffer
from protea.interfaces.tui.composer.motions import MOTIONS, first_of, kind_of, line_of, matching, other_end

_PAIRS = {"(": "()", ")": "()", "b": "()", "[": "[]", "]": "[]", "{": "{}", "}": "{}", "B": "{}", "<": "<>", ">": "<>"}
CLIPBOARD = ("+", "*")
"""Registers that are the clipboard. Both are the same one."""


class Clipboard(Protocol):
    """What the registers `+` and `*` are."""

    def put(self, text: str) -> None: ...

    def get(self, then: Callable[[str | None], None]) -> None:
        """`then` is called with what is in it, soon; None where that cannot be known."""
        ...


class _Change(msgspec.Struct, frozen=True):
    """What `.` does again."""

    keys: str = ""
    written: str = ""
    """What was written with it."""
    stretch: tuple[bool, int, int] | None = None
    """Of what was done to a selection: whether by lines, how many line breaks are in it, and the characters behind the
    last one."""


class Vim:
    """Keys of the modes that do not insert."""

    def __init__(
        self,
        buffer: Callable[[], Buffer],
        changed: Callable[[], None],
        *,
        do: Callable[[str], None],
        clipboard: Clipboard,
    ) -> None:
        """`do` is called with the name of an action that concerns more than the text."""
        self._of = buffer
        self._changed = changed
        self._do = do
        self._clipboard = clipboard
        self._marks: dict[str, int] = {}
        self._stretch: tuple[bool, int, int] | None = None
        """Of the selection that the command being pressed was about."""
        self.mode = "insert"
        self._keys = ""
        """What was pressed of a command that is not complete."""
        self._last_find = ("", "")
        self._linewise = False
        """Whether what was cut last is whole lines."""
        self._registers: dict[str, tuple[str, bool]] = {}
        """Name → what was put there, and whether that is whole lines."""
        self._register = ""
        """The one that is named before the command that is being pressed."""
        self._counted = False
        """Whether a number was pressed before it."""
        self._by_lines = False
        """Whether whole lines are selected."""
        self._last = _Change()
        self._writing_from: tuple[str, int] | None = None
        """The text and the place at which a change began to be written."""

    @property
    def pending(self) -> str:
        return self._keys

    def normal(self) -> None:
        """Leave insert or visual mode."""
        buffer = self._of()
        if self.mode == "insert" and self._writing_from is not None:
            self._last = replace(self._last, written=_written(*self._writing_from, buffer.text))
            self._writing_from = None
        if self.mode == "insert" and buffer.cursor > buffer.line_begin(buffer.cursor):
            buffer.move(buffer.left(buffer.cursor))
        self.mode, self._keys = "normal", ""
        buffer.anchor = None
        self._changed()

    def insert(self) -> None:
        self.mode, self._keys = "insert", ""
        self._of().anchor = None

    def press(self, key: str) -> None:
        """One key, a character or a name such as `escape`."""
        if key == "escape":
            self.normal()
            return
        if key in _NAMED:
            key = _NAMED[key]
        if len(key) != 1:
            self._keys = ""
            return
        self._keys += key
        buffer, mode = self._of(), self.mode
        text = buffer.text
        pressed, self._stretch = self._keys, None
        if self._run(pressed):
            self._keys = ""
            counts = pressed[-1] not in _NO_CHANGE if mode == "normal" else self._stretch is not None
            if mode != "insert" and counts and (buffer.text != text or self.mode == "insert"):
                self._last = _Change(pressed, "", self._stretch)
                self._writing_from = (buffer.text, buffer.cursor) if self.mode == "insert" else None
        self._changed()

    def _again(self, digits: str) -> None:
        """The last change once more, as often as `digits` say, else as it was."""
        last = self._last
        if not last.keys:
            return
        if last.stretch is not None:
            self._again_over(last.keys, *last.stretch)
        else:
            self._run(digits + last.keys.lstrip("0123456789") if digits else last.keys)
        if self.mode == "insert":
            if last.written:
                self._of().insert(last.written)
            self.normal()

    def _again_over(self, keys: str, lines: bool, breaks: int, tail: int) -> None:
        """What was done to a selection, to as much text from the cursor on."""
        buffer = self._of()
        first = buffer.line_begin(buffer.cursor) if lines else buffer.cursor
        last = first
        for _ in range(breaks):
            last = min(len(buffer.text), buffer.line_end(last) + 1)
        last = min(last + tail, buffer.line_end(last)) if tail else last
        self._register = keys[keys.rfind('"') + 1] if '"' in keys[:-1] else ""
        self._by_lines = lines
        self._over_selection(keys[-1], first, last)

    def _run(self, keys: str) -> bool:
        """Do what the keys say; whether they said anything complete (or nothing that could become so)."""
        digits = self._register = ""
        while keys and (keys[0] == '"' or (keys[0].isdigit() and (digits or keys[0] != "0"))):
            if keys[0] == '"':
                if len(keys) == 1:
                    return False
                self._register, keys = keys[1], keys[2:]
            else:
                digits, keys = digits + keys[0], keys[1:]
        count = min(int(digits or 1), 9999)
        self._counted = bool(digits)
        if not keys:
            return False
        if keys == "." and self.mode == "normal":
            self._again(digits)
            return True
        if self.mode == "visual":
            return self._visual(keys, count)
        if keys[0] in "dcy":
            return self._operator(keys, count)
        moved = self._motion(keys, count)
        if moved is not None:
            if moved >= 0:
                self._of().move(self._inside(moved))
            return True
        if keys[0] in _TAKE_ONE and len(keys) == 1:
            return False
        return self._command(keys, count)

    # ── motions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _motion(self, keys: str, count: int) -> int | None:
        """Where a motion leads; -1 where it leads nowhere, None where the keys are none (yet)."""
        buffer = self._of()
        at = buffer.cursor
        simple = MOTIONS.get(keys)
        if simple is not None:
            for _ in range(count):
                at = simple(buffer, at)
            return at
        if keys in ("j", "k"):
            return self._vertical(count if keys == "j" else -count)
        if keys in ("G", "gg"):
            if self._counted:
                return line_of(buffer.text, count)
            return 0 if keys == "gg" else len(buffer.text)
        if keys == "%":
            return other_end(buffer, at)
        if keys[0] in "'`" and len(keys) == 2:
            return self._marked(keys[1], by_lines=keys[0] == "'")
        if keys[0] in "fFtT" and len(keys) == 2:
            self._last_find = (keys[0], keys[1])
            return self._find(keys[0], keys[1], count)
        if keys in (";", ",") and self._last_find[0]:
            kind, character = self._last_find
            return self._find(kind if keys == ";" else kind.swapcase(), character, count)
        return None

    def _marked(self, name: str, *, by_lines: bool) -> int:
        """Where a mark is; -1 where there is none of that name. Jumping there sets the one to come back by."""
        buffer = self._of()
        name = "'" if name in "'`" else name
        if name not in self._marks:
            return -1
        at = min(self._marks[name], len(buffer.text))
        self._marks["'"] = buffer.cursor
        return first_of(buffer, at) if by_lines else at

    def _vertical(self, lines: int) -> int:
        buffer = self._of()
        at = buffer.cursor
        column = at - buffer.line_begin(at)
        for _ in range(abs(lines)):
            if lines > 0:
                end = buffer.line_end(at)
                if end == len(buffer.text):
                    break
                at = end + 1
            else:
                begin = buffer.line_begin(at)
                if not begin:
                    break
                at = buffer.line_begin(begin - 1)
        begin = buffer.line_begin(at)
        return min(begin + column, buffer.line_end(begin))

    def _find(self, kind: str, character: str, count: int) -> int:
        buffer = self._of()
        at = buffer.cursor
        for _ in range(count):
            if kind in "ft":
                found = buffer.text.find(character, at + (2 if kind == "t" else 1), buffer.line_end(at))
            else:
                end = at - (1 if kind == "T" else 0)
                found = buffer.text.rfind(character, buffer.line_begin(at), max(0, end))
            if found < 0:
                return -1
            at = found - 1 if kind == "t" else found + 1 if kind == "T" else found
        return at

    def _inside(self, at: int) -> int:
        """The cursor of normal mode stands on a character, not behind the last of its line."""
        buffer = self._of()
        begin, end = buffer.line_begin(at), buffer.line_end(at)
        return max(begin, min(at, end - 1)) if end > begin else begin

    # ── operators ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _operator(self, keys: str, count: int) -> bool:
        operator, rest = keys[0], keys[1:]
        digits = ""
        while rest and rest[0].isdigit() and (digits or rest[0] != "0"):
            digits, rest = digits + rest[0], rest[1:]
        count *= int(digits or 1)
        if not rest:
            return False
        buffer = self._of()
        if rest == operator:
            begin = buffer.line_begin(buffer.cursor)
            end = begin
            for _ in range(count):
                end = min(len(buffer.text), buffer.line_end(end) + 1)
            self._apply(operator, begin, end, lines=True)
            return True
        if rest[0] in "ia":
            if len(rest) == 1:
                return False
            found = self._object(rest[0], rest[1])
            if found is not None:
                self._apply(operator, *found)
            return True
        if rest in "wW" and operator == "c":
            rest = "e" if rest == "w" else "E"  # as vim does: the blank behind the word stays
        moved = self._motion(rest, count)
        if moved is None:
            return not (len(rest) == 1 and rest in _TAKE_ONE)
        if moved < 0:
            return True
        at = buffer.cursor
        if rest in ("j", "k", "G", "gg") or rest[0] == "'":
            first, last = sorted((at, moved))
            self._apply(
                operator, buffer.line_begin(first), min(len(buffer.text), buffer.line_end(last) + 1), lines=True
            )
            return True
        if rest == "%":
            at, moved = min(at, moved), max(at, moved)
        inclusive = rest[0] in "eEft$%" and moved >= at
        self._apply(operator, min(at, moved), max(at, moved) + (1 if inclusive else 0))
        return True

    def _apply(self, operator: str, begin: int, end: int, *, lines: bool = False) -> None:
        buffer = self._of()
        end = min(end, len(buffer.text))
        piece = buffer.text[begin:end]
        if operator == "y":
            self._keep(piece, lines, yanked=True)
            buffer.move(begin)
            return
        if lines and operator == "c":
            end = end - 1 if piece.endswith("\n") else end
        elif lines and end == len(buffer.text) and begin and not piece.endswith("\n"):
            begin -= 1
        buffer.delete(begin, end)
        self._keep(piece, lines)
        if operator == "c":
            buffer.move(begin)
            self.insert()
        else:
            buffer.move(self._inside(begin))

    def _keep(self, piece: str, lines: bool, *, yanked: bool = False) -> None:
        """Put what was cut or copied where it can be put back from."""
        name = self._register
        if name == "_":
            return
        if name.isupper() and name.isascii():
            before, by_lines = self._registers.get(name.lower(), ("", lines))
            piece, lines, name = before + piece, by_lines or lines, name.lower()
        if name in CLIPBOARD:
            name = CLIPBOARD[0]
            self._clipboard.put(piece)
        if name:
            self._registers[name] = (piece, lines)
        elif yanked:
            self._registers["0"] = (piece, lines)
        self._of().cut, self._linewise = piece, lines

    def _kept(self) -> tuple[str, bool]:
        if self._register in ("", '"'):
            return self._of().cut, self._linewise
        name = CLIPBOARD[0] if self._register in CLIPBOARD else self._register.lower()
        return self._registers.get(name, ("", False))

    def _with_clipboard(self, do: Callable[[], None]) -> None:
        """Do something that puts back what a register has: where it is the clipboard, once that has been read."""
        register = self._register
        if register not in CLIPBOARD:
            do()
            return

        def read(text: str | None) -> None:
            if text:  # else what was put there from here is all that is known
                self._registers[CLIPBOARD[0]] = (text, text.endswith("\n"))
            self._register = register
            do()
            self._changed()

        self._clipboard.get(read)

    def _object(self, kind: str, what: str) -> tuple[int, int] | None:
        buffer = self._of()
        text, at = buffer.text, buffer.cursor
        if what in "wW":
            same = kind_of(text[at : at + 1], what)
            begin = end = at
            while begin > 0 and kind_of(text[begin - 1], what) == same:
                begin -= 1
            while end < len(text) and kind_of(text[end], what) == same:
                end += 1
            if kind == "a":
                while end < len(text) and text[end] in " \t":
                    end += 1
            return begin, end
        if what in "\"'`":
            line, line_end = buffer.line_begin(at), buffer.line_end(at)
            places = [place for place in range(line, line_end) if text[place] == what]
            for first, last in zip(places[::2], places[1::2], strict=False):
                if at <= last:
                    return (first, last + 1) if kind == "a" else (first + 1, last)
            return None
        if what in _PAIRS:
            pair = _PAIRS[what]
            first_at = matching(text, at, pair[0], pair[1], -1)
            last_at = matching(text, at, pair[0], pair[1], 1)
            if first_at is None or last_at is None:
                return None
            return (first_at, last_at + 1) if kind == "a" else (first_at + 1, last_at)
        return None

    # ── everything else ────────────────────────────────────────────────────────────────────────────────────────────

    def _command(self, keys: str, count: int) -> bool:
        buffer = self._of()
        at = buffer.cursor
        begin, end = buffer.line_begin(at), buffer.line_end(at)
        match keys[0]:
            case "i":
                self.insert()
            case "a":
                buffer.move(min(end, buffer.right(at)) if end > at else at)
                self.insert()
            case "I":
                buffer.move(first_of(buffer, at))
                self.insert()
            case "A":
                buffer.move(end)
                self.insert()
            case "o":
                buffer.move(end)
                buffer.insert("\n")
                self.insert()
            case "O":
                buffer.move(begin)
                buffer.insert("\n")
                buffer.move(begin)
                self.insert()
            case "x":
                self._apply("d", at, min(end, at + count))
            case "X":
                self._apply("d", max(begin, at - count), at)
            case "s":
                self._apply("c", at, min(end, at + count))
            case "S":
                self._apply("c", begin, end, lines=True)
            case "D":
                self._apply("d", at, end)
            case "C":
                self._apply("c", at, end)
            case "Y":
                self._apply("y", begin, min(len(buffer.text), end + 1), lines=True)
            case "r":
                if len(keys) == 1:
                    return False
                if at + count <= end:
                    buffer.delete(at, at + count)
                    buffer.move(at)
                    buffer.insert(keys[1] * count)
                    buffer.move(at + count - 1)
            case "~":
                piece = buffer.text[at : min(end, at + count)].swapcase()
                if piece:
                    buffer.delete(at, at + len(piece))
                    buffer.move(at)
                    buffer.insert(piece)
                    buffer.move(self._inside(at + len(piece)))
            case "J":
                for _ in range(max(1, count - 1)):
                    end = buffer.line_end(buffer.cursor)
                    if end < len(buffer.text):
                        after = buffer.text[end + 1 :]
                        blanks = len(after) - len(after.lstrip(" \t"))
                        buffer.delete(end, end + 1 + blanks)
                        buffer.move(end)
                        buffer.insert(" ")
                        buffer.move(end)
            case "p" | "P":
                self._with_clipboard(lambda: self._put(keys[0] == "p", count))
            case "m":
                self._marks[keys[1]] = at
            case "g" if keys in ("gt", "gT"):
                if self._counted and keys == "gt":
                    self._do(f"tab.{count}")
                else:
                    self._do("tab.next" if keys == "gt" else "tab.previous")
            case "u":
                for _ in range(count):
                    buffer.undo()
            case "\x12":
                for _ in range(count):
                    buffer.redo()
            case "v" | "V":
                self.mode = "visual"
                self._by_lines = keys[0] == "V"
                buffer.move(at)
                buffer.anchor = begin if self._by_lines else at
                if self._by_lines:
                    buffer.cursor = max(begin, end - 1)
            case _:
                return True
        return True

    def _put(self, after: bool, count: int) -> None:
        buffer = self._of()
        piece, lines = self._kept()
        if not piece:
            return
        piece = (piece.removesuffix("\n") + "\n" if lines else piece) * count
        at = buffer.cursor
        if lines:
            line = piece.removesuffix("\n")
            place = buffer.line_end(at) if after else buffer.line_begin(at)
            buffer.move(place)
            buffer.insert(f"\n{line}" if after else f"{line}\n")
            buffer.move(place + 1 if after else place)
            return
        if after and buffer.line_end(at) > at:
            buffer.move(buffer.right(at))
        buffer.insert(piece)
        buffer.move(buffer.cursor - 1)

    def _over_selection(self, key: str, first: int, last: int) -> None:
        """Do something to what is selected."""
        buffer, lines = self._of(), self._by_lines
        match key:
            case "~":
                piece = buffer.text[first:last].swapcase()
                buffer.delete(first, last)
                buffer.move(first)
                buffer.insert(piece)
                buffer.move(self._inside(first))
            case "p":
                piece, _ = self._kept()
                self._register = ""
                self._apply("d", first, last, lines=lines)
                buffer.move(min(first, len(buffer.text)))
                buffer.insert(piece)
                buffer.move(self._inside(buffer.cursor - 1))
            case _:
                self._apply({"x": "d", "s": "c"}.get(key, key), first, last, lines=lines)

    def _visual(self, keys: str, count: int) -> bool:
        buffer = self._of()
        first, last = buffer.selection()
        last = min(len(buffer.text), last + 1)
        if self._by_lines:
            first, last = buffer.line_begin(first), buffer.line_end(max(first, last - 1))
            last = min(len(buffer.text), last + 1)
        if keys[0] in "dxcyspP~":
            self.mode = "normal"
            buffer.anchor = None
            self._stretch = _stretch_of(buffer.text[first:last], self._by_lines)
            if keys[0] in "pP":
                self._with_clipboard(lambda: self._over_selection("p", first, last))
            else:
                self._over_selection(keys[0], first, last)
            return True
        if keys[0] in "vV" and (keys[0] == "V") != self._by_lines:
            self._by_lines = keys[0] == "V"
            return True
        if keys[0] in "vV":
            self.normal()
            return True
        if keys[0] == "o":
            buffer.anchor, buffer.cursor = buffer.cursor, buffer.anchor if buffer.anchor is not None else buffer.cursor
            return True
        if keys[0] in "ia" and len(keys) == 1:
            return False
        if keys[0] in "ia":
            found = self._object(keys[0], keys[1])
            if found is not None:
                buffer.anchor, buffer.cursor = found[0], max(found[0], found[1] - 1)
            return True
        moved = self._motion(keys, count)
        if moved is None:
            return not (len(keys) == 1 and keys[0] in _TAKE_ONE)
        if moved >= 0:
            buffer.move(self._inside(moved), select=True)
        return True


def _stretch_of(text: str, by_lines: bool) -> tuple[bool, int, int]:
    if by_lines:
        return True, text.removesuffix("\n").count("\n") + 1, 0
    return False, text.count("\n"), len(text) - text.rfind("\n") - 1


def _written(before: str, at: int, after: str) -> str:
    """What was written at a place, if that is all that was done."""
    lead, rest = before[:at], before[at:]
    if len(after) < len(before) or not after.startswith(lead) or not after.endswith(rest):
        return ""
    return after[at : len(after) - len(rest)]


_TAKE_ONE = "gfFtTm'`"
"""Keys that say nothing without the next one."""
_NO_CHANGE = "u.\x12"
"""Keys of commands that `.` does not repeat."""
_NAMED = {
    "left": "h",
    "right": "l",
    "up": "k",
    "down": "j",
    "home": "0",
    "end": "$",
    "space": " ",
    "delete": "x",
    "backspace": "h",
    "ctrl+r": "\x12",
}
