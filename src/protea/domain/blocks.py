"""What a person scrolls through, as values: one block for each thing that stands on the screen, and what changes it.

A prompt, an answer, a tool call with its state and result, a note. `folding` makes them of events; whoever holds them
(a screen, a page of HTML) makes the changes to its list.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from protea.domain.errors import Failure
from protea.domain.events import Outcome
from protea.domain.messages import Image, ToolCall
from protea.domain.tools import CallState, TodoItem, ToolResult
from protea.domain.usage import Usage

# ── blocks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Block(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What every block has."""

    key: str
    """Its name in this session: the same however the log is read."""
    seq: int = 0
    """The event it began with; 0 while it has none."""
    at: str = ""
    """When, RFC 3339."""
    gone: bool = False
    """It was taken back: the model no longer knows of it."""


class Prompt(Block, frozen=True, kw_only=True, tag="prompt"):
    text: str
    images: tuple[Image, ...] = ()
    origin: str = "user"
    steer: bool = False
    known: bool = True
    """False where it was submitted before the first event that was read: only its place is known."""


class Answer(Block, frozen=True, kw_only=True, tag="answer"):
    text: str
    """Markdown."""
    model: str = ""
    open: bool = False
    """It is still coming in: pieces follow as `Grown`."""
    partial: bool = False
    """It was cut off by an interrupt."""


class Thought(Block, frozen=True, kw_only=True, tag="thought"):
    text: str
    open: bool = False


class Call(Block, frozen=True, kw_only=True, tag="call"):
    """A tool call. While it runs its output comes as `Grown`; the result says it again, as the model reads it."""

    call: ToolCall
    state: CallState
    result: ToolResult | None = None
    why: str = ""
    """Why a person was asked."""
    answer: str = ""
    """What they answered, with their comment."""
    typed: bool = False
    """A person typed it themselves, with `!`: they want to see what came out."""


class Question(Block, frozen=True, kw_only=True, tag="question"):
    """Something the model wants to know, or a plan it proposes."""

    asked: str
    options: tuple[str, ...] = ()
    plan: str = ""
    """Markdown."""
    answer: str | None = None


class Todo(Block, frozen=True, kw_only=True, tag="todo"):
    items: tuple[TodoItem, ...]


class Job(Block, frozen=True, kw_only=True, tag="task"):
    title: str
    state: str
    detail: str = ""
    waited: bool = False
    """Whether the turn waited for its end, which is then no news of its own."""


class Notice(Block, frozen=True, kw_only=True, tag="notice"):
    level: Literal["info", "warning", "error"]
    text: str


MarkerOf = Literal[
    "session", "model", "profile", "mode", "compacted", "rewound", "instructions", "files", "pins", "hook", "other"
]


class Marker(Block, frozen=True, kw_only=True, tag="marker"):
    """One line that says what changed from here on; `detail` is what it hides."""

    of: MarkerOf
    text: str
    detail: str = ""


class Footer(Block, frozen=True, kw_only=True, tag="footer"):
    """How a turn ended and what it cost."""

    outcome: Outcome
    model: str = ""
    error: Failure | None = None
    limit: str | None = None
    usage: Usage = Usage()
    cost_usd: float | None = None
    seconds: float | None = None


AnyBlock = Prompt | Answer | Thought | Call | Question | Todo | Job | Notice | Marker | Footer

# ── changes ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Put(msgspec.Struct, frozen=True):
    """This block stands where the block `instead` of does, or the one of its own key; at the end if there is none."""

    block: AnyBlock
    instead: str = ""


class Grown(msgspec.Struct, frozen=True):
    """The text or the output of a block goes on."""

    key: str
    piece: str


class Dropped(msgspec.Struct, frozen=True):
    """This block is gone."""

    key: str


class Forgotten(msgspec.Struct, frozen=True):
    """Blocks whose `seq` is in (after, until) are no longer in the model's history."""

    after: int
    until: int


Change = Put | Grown | Dropped | Forgotten
