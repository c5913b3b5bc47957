"""What a script runs, as far as two readers of the shell tell: the strict one, and the tree of the adapter.

Where they differ, or neither is sure, rules that deny or ask are also held against what rough cutting finds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from protea.domain.pattern import regex
from protea.domain.permission.programs.hazards import from_input
from protea.domain.permission.shell.lexer import read_strictly
from protea.domain.permission.shell.script import Command, Loose, Script, Unreadable, Word
from protea.domain.permission.shell.unwrap import SHELLS, basename, inner_commands
from protea.domain.permission.steps.case import Case

MOST_COMMANDS = 400
"""Commands looked at one by one in a script; more ask."""
LONGEST_TREE = 10_000
"""Characters that the tree reader is given; in longer scripts only deny rules are looked for, and the rest asks."""
_PLAIN_SCRIPT = regex(r"[A-Za-z0-9_./,:@%+-](?:[A-Za-z0-9_./,:=@%+ -]|(?<=[A-Za-z0-9^])~)*\Z")
"""One command of plain words: no two readers could differ about it."""
_BRACES = regex(r"\{([^{}\s]*,[^{}\s]*)\}")
_CRUDE = regex(r"\$\(|[;&|\n(){}`]|<\(|>\(")


class Reading(msgspec.Struct, frozen=True):
    """What both readers make of one script."""

    strict: Script | Unreadable
    loose: Loose
    agree: bool
    """Whether both list the same commands."""
    every: tuple[Command, ...]
    """Every command that could be meant, those inside others included."""

    @property
    def understood(self) -> bool:
        return self.agree and isinstance(self.strict, Script)


def read(case: Case, text: str) -> Reading:
    """What the two readers make of a script, whether they agree, and every command that could be meant."""
    strict = read_strictly(text, case.anchors.home)
    loose, agree = _second_reading(case, text, strict)
    if isinstance(strict, Unreadable):
        case.note(f"the strict reader stops: {strict.reason}")
    commands = list(loose.commands)
    if isinstance(strict, Unreadable) or not agree:
        commands += _crude(text, loose.sound)
        if isinstance(strict, Script):
            commands += strict.commands
    return Reading(strict, loose, agree, tuple(everything(case, commands)))


def _second_reading(case: Case, text: str, strict: Script | Unreadable) -> tuple[Loose, bool]:
    """The tree's reading, and whether it lists the same commands as the strict one."""
    if isinstance(strict, Script) and len(text) < 2_000 and _PLAIN_SCRIPT.match(text) and len(strict.commands) == 1:
        return Loose(strict.commands), True
    loose = case.scene.read_tree(text)
    joined = text.replace("\\\n", "")
    if joined != text:
        again = case.scene.read_tree(joined)
        loose = Loose((*loose.commands, *again.commands), loose.sound and again.sound)
    if isinstance(strict, Unreadable):
        return loose, False
    agree = loose.sound and _listing(strict.commands) == _listing(loose.commands)
    if not agree:
        case.note("the two readers list different commands")
    return loose, agree


def everything(case: Case, commands: Sequence[Command]) -> list[Command]:
    """The commands, and those inside them, to any depth that still matters."""
    found: list[Command] = []
    pending = [(command, 0) for command in commands]
    seen: set[tuple[tuple[str, ...], int]] = set()
    while pending and len(found) <= MOST_COMMANDS:
        command, depth = pending.pop(0)
        key = (command.argv, len(command.redirects) + len(command.assignments))
        if key in seen and not command.redirects:
            continue
        seen.add(key)
        found.append(command)
        if depth >= 6:
            continue
        for inner in inner_commands(command.words):
            if inner.text is not None:
                if 0 < len(inner.text) <= LONGEST_TREE:
                    pending += [(one, depth + 1) for one in case.scene.read_tree(inner.text).commands[:MOST_COMMANDS]]
            else:
                more = (Word("", known=False),) if inner.more else ()
                pending.append((Command((*inner.words, *more)), depth + 1))
        if command.words and basename(command.words[0].text) in SHELLS:
            if from_input(basename(command.argv[0]), command.argv[1:]):
                for text in _printed(found, commands):
                    pending += [(one, depth + 1) for one in case.scene.read_tree(text).commands[:MOST_COMMANDS]]
            for redirect in command.redirects:
                if redirect.fed and redirect.target.text:
                    pending += [(one, depth + 1) for one in case.scene.read_tree(redirect.target.text).commands]
    return found


def _printed(*lists: Sequence[Command]) -> list[str]:
    """What `echo` and `printf` say in a script: it may be what a shell behind a pipe is given."""
    found: list[str] = []
    for command in dict.fromkeys(command for commands in lists for command in commands):
        if not command.words or basename(command.argv[0]) not in ("echo", "printf"):
            continue
        words = [text for text in command.argv[1:] if not re.fullmatch(r"-[neE]+|%[sb](?:\\n)?", text)]
        for text in (" ".join(words), "\n".join(words)):
            plain = _ESCAPED.sub(lambda one: chr(int(one[1], 8) if one[1] else int(one[2], 16)), text)
            found += [text, plain.replace("\\n", "\n")]
    return [text for text in dict.fromkeys(found) if 0 < len(text) <= LONGEST_TREE][:20]


_ESCAPED = regex(r"\\(?:0?([0-3]?[0-7]{1,2})|x([0-9a-fA-F]{1,2}))")


def _listing(commands: Sequence[Command]) -> tuple[object, ...]:
    """What two readings are compared by."""
    words = tuple(
        (
            tuple(word.text if word.known else None for word in command.words),
            tuple((k, v.text if v.known else None) for k, v in command.assignments),
        )
        for command in commands
        if command.words or command.assignments
    )
    redirects = sorted(
        (redirect.operator, redirect.target.text if redirect.operator != "<<" else "")
        for command in commands
        for redirect in command.redirects
    )
    return words, tuple(redirects)


def _crude(text: str, sound: bool) -> list[Command]:
    """Commands by rough cutting, for deny and ask rules on text that neither reader is sure of."""
    found: list[Command] = []
    texts = [text.replace("\\\n", "")]
    if not sound:
        texts.append(texts[0].replace("'", "").replace('"', "").replace("\\", ""))
    for one in texts:
        one = _BRACES.sub(lambda match: match.group(1).replace(",", " "), one)
        for piece in _CRUDE.split(one)[: MOST_COMMANDS // 2]:
            words = [re.sub(r"['\"\\]", "", word) for word in piece.split()]
            while words and (
                re.match(r"\w+=", words[0])
                or words[0] in ("if", "then", "else", "elif", "do", "while", "until", "!", "time")
            ):
                words = words[1:]
            if words:
                found.append(Command(tuple(Word(word, known=False) for word in words)))
    return found
