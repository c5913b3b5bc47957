"""A shell script as data: what both readers (`lexer`, and the tree reader in the adapter) make of a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

Joint = Literal["", "&&", "||", ";", "|", "&", "\n"]
"""What stands before a command: `&&` means it runs only when the one before succeeded."""

NOWHERE = ("/dev/null", "/dev/stdout", "/dev/stderr")
"""What a redirect may name without a file being meant."""


def listed(text: str) -> frozenset[str]:
    """The words of `text`: how the tables of this package are written."""
    return frozenset(text.split())


class Word(msgspec.Struct, frozen=True):
    """One word after quote removal, before globbing."""

    text: str
    """What the program would get; for a word that is not `known`, the parts that are."""
    known: bool = True
    """False when a variable or substitution decides (a part of) it."""
    glob: str | None = None
    """The pattern, where unquoted `*`, `?` or `[` stand in it; literal ones are escaped by a backslash."""


class Redirect(msgspec.Struct, frozen=True):
    """A redirect that names a file (`2>&1` and its like are dropped), or text that is fed in (`<<`, `<<<`)."""

    operator: str
    """`>` `>>` `>|` `<>` `&>` `&>>` `>&` `<` `<<` `<<<`."""
    target: Word

    @property
    def fed(self) -> bool:
        """Whether it is text and names no file."""
        return self.operator in ("<<", "<<<")

    @property
    def writes(self) -> bool:
        return ">" in self.operator

    @property
    def reads(self) -> bool:
        return self.operator in ("<", "<>")


class Command(msgspec.Struct, frozen=True):
    """One simple command: `A=1 git log > file`."""

    words: tuple[Word, ...] = ()
    assignments: tuple[tuple[str, Word], ...] = ()
    redirects: tuple[Redirect, ...] = ()
    joint: Joint = ""
    depth: int = 0
    """How many substitutions it stands in."""

    @property
    def argv(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words)

    @property
    def known(self) -> bool:
        return all(word.known for word in self.words)


class Script(msgspec.Struct, frozen=True):
    """All simple commands of a script, in the order of their first characters."""

    commands: tuple[Command, ...]


class Unreadable(msgspec.Struct, frozen=True):
    """Not an error: the strict reader does not vouch for this text, so it asks."""

    reason: str


class Loose(msgspec.Struct, frozen=True):
    """What the tree reader found."""

    commands: tuple[Command, ...]
    sound: bool = True
    """Whether it understood all of the text."""


TreeReader = Callable[[str], Loose]
