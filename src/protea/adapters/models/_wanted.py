"""What the offline model can be asked for: the steps that its grammar finds and that `_steps` carries out."""

from __future__ import annotations

from typing import Literal

import msgspec


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
    behind: bool = False
    """In the background."""


class Watch(msgspec.Struct, frozen=True):
    """A command in the background, of whose lines those that fit are told."""

    command: str
    pattern: str


class Send(msgspec.Struct, frozen=True):
    """An agent, with words of the same grammar."""

    prompt: str
    behind: bool = False
    name: str | None = None
    """Of one that is written down."""


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


class Propose(msgspec.Struct, frozen=True):
    """A plan, to be carried out once the person agrees."""

    items: tuple[tuple[str, tuple[Step, ...]], ...]
    """Each with what is to be done for it."""


class Overview(msgspec.Struct, frozen=True):
    """What kind of project this is."""


class Help(msgspec.Struct, frozen=True):
    pass


class Cannot(msgspec.Struct, frozen=True):
    """Something that is understood and is not possible."""

    what: Literal["undo"]


Step = (
    Read
    | Files
    | Search
    | Tally
    | Run
    | Watch
    | Send
    | RunTests
    | Replace
    | Create
    | Append
    | Plan
    | Propose
    | Ask
    | Overview
    | Help
    | Cannot
)

BESIDE = (Watch, Send, Propose)
"""Those that `_beside` carries out, with commands in the background."""
