"""The options and operands of commands: how a table row reads a command's words, and what comes out of it.

`study` and `git` hold the rows. An option that is not in a row makes the command one that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from protea.domain.permission.shell.script import Word

Access = Literal["read", "list", "write", "remove", "tree", "absent", "enter", "repository"]
"""`tree` reads everything below; `absent` must not exist; `repository` is git reading the one it stands in."""


class Use(msgspec.Struct, frozen=True):
    """A path that a command touches, as it was written."""

    access: Access
    path: str
    glob: str | None = None
    needle: str | None = None
    """For `tree`: only lines with this literal text are shown, whatever their case."""
    hidden: bool = True
    """For `tree`: whether names that start with a dot are visited."""
    follow: bool = False
    """For `tree`: whether what symbolic links in it lead to is read too."""
    only: tuple[str, ...] = ()
    """For `tree`: the files that are opened have a name like one of these; empty for all."""


class Study(msgspec.Struct, frozen=True):
    fit: bool
    """It only reads, prints or computes, and every word was understood."""
    why: str = ""
    """Why it is not fit."""
    uses: tuple[Use, ...] = ()
    known: bool = False
    """The words are understood, so that `uses` are all paths among them; else any word may be one."""
    hazard: str | None = None
    """Why no rule that ends in a star covers it."""


Studies = Callable[[Sequence[Word]], Study]
"""Says what a command inside another one does."""


class UnfitError(Exception):
    """A word is not in the row; caught by whoever studies a command."""


def use(access: Access, word: Word) -> Use:
    return Use(access, word.text, word.glob)


class Spec(msgspec.Struct, frozen=True):
    flags: frozenset[str]
    valued: dict[str, str]
    operands: str
    numeric: bool
    anything: bool
    """Whatever stands there is text."""


def spec(flags: str, valued: str, operands: str) -> Spec:
    plain: set[str] = set()
    for word in flags.split():
        plain.update([word] if word.startswith("--") or word in ("-#", "*") else ["-" + char for char in word[1:]])
    values = {}
    for word in valued.split():
        option, _, kind = word.partition(":")
        values[option] = kind or "t"
    return Spec(frozenset(plain), values, operands, "-#" in plain, "*" in plain)


def read_options(
    words: Sequence[Word], row: Spec, uses: list[Use], ordered: bool = False
) -> tuple[list[Word], dict[str, list[str]]]:
    """The operands, and which options were given with which values. Paths among the values go to `uses`.

    `ordered` is for programs to which an option after the first operand is an operand.
    """
    operands: list[Word] = []
    given: dict[str, list[str]] = {}
    index = 1
    while index < len(words):
        word = words[index]
        text = word.text
        index += 1
        if text == "--" and not word.glob:
            operands.extend(words[index:])
            break
        if not text.startswith("-") or text == "-" or row.anything:
            operands.append(word)
            continue
        if ordered and operands:
            raise UnfitError("an option after an operand would be an operand")
        if not word.known or (word.glob is not None and not _keeps_its_name(text, row)):
            raise UnfitError("an option is not literal")
        if text.startswith("--"):
            option, equals, value = text.partition("=")
            if (not equals and option in row.flags) or (equals and option + "=" in row.flags):
                given.setdefault(option, []).append(value)
                continue
            options = [(option, value if equals else None)]
        elif row.numeric and text[1:].isdigit():
            continue
        else:
            options = []
            for at, char in enumerate(text[1:], 1):
                option = "-" + char
                if option in row.valued:
                    options.append((option, text[at + 1 :] or None))
                    break
                if option not in row.flags:
                    raise UnfitError(f"option {option} is not known to be harmless")
                given.setdefault(option, []).append("")
        for option, inline in options:
            if option not in row.valued:
                raise UnfitError(f"option {option} is not known to be harmless")
            if inline is None:
                if index >= len(words):
                    raise UnfitError(f"option {option} has no value")
                taken = words[index]
                index += 1
                if not taken.known or taken.glob is not None:
                    raise UnfitError("an option's value is not literal")
                inline = taken.text
            given.setdefault(option, []).append(inline)
            kind = row.valued[option]
            if kind in "fl":
                uses.append(Use("read" if kind == "f" else "list", inline))
    return operands, given


def _keeps_its_name(text: str, row: Spec) -> bool:
    """`--include=*.py`: whatever files are there, it stays this option with some text."""
    option, equals, _ = text.partition("=")
    return bool(equals) and row.valued.get(option) == "t" and not any(char in option for char in "*?[")


def assign(operands: Sequence[Word], form: str, uses: list[Use]) -> None:
    """Give each operand its kind; raise where there are too many or one cannot be known."""
    here = form.endswith(".")
    form = form.removesuffix(".")
    many = form.endswith("*")
    kinds = form.removesuffix("*")
    for index, word in enumerate(operands):
        if index < len(kinds):
            kind = kinds[index]
        elif many and kinds:
            kind = kinds[-1]
        else:
            raise UnfitError("it has an operand too many, which may be written to")
        if kind == "t":
            if word.glob is not None:
                uses.append(use("list", word))
            continue
        if not word.known:
            raise UnfitError("a path is not literal")
        if word.text == "-":
            continue
        if not word.text:
            raise UnfitError("a path is empty")
        uses.append(use("read" if kind == "f" else "list", word))
    if here and len(operands) < len(kinds):
        uses.append(Use("list", "."))
