"""Tools as values: what one is, what a call goes through, what comes out."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from protea.domain.messages import Image

Effect = Literal[
    "fs.read", "fs.write", "proc.exec", "net.egress", "secret.read", "msg.send", "delegate", "spend", "ask"
]


Taint = Literal["web", "mcp", "channel"]
"""Where content came from that somebody else wrote: a page, a tool of an MCP server, a message from outside."""


class ToolSpec(msgspec.Struct, frozen=True):
    """What the model, the permission engine and a person are told of a tool."""

    name: str
    """`Read`, `Bash`, `mcp__server__tool`: one namespace for all tools."""
    description: str
    """For the model. Short: every word is sent with every request."""
    parameters: dict[str, Any]
    """JSON Schema of the arguments, an object."""
    effects: tuple[Effect, ...] = ()
    parallel: bool = False
    """Whether calls may run beside other parallel calls of the same reply (they change nothing)."""
    aliases: dict[str, str] = {}
    """Argument names other agents use → ours; renamed before validation."""
    deferred: bool = False
    """Whether the model is told of it only once it has looked for it (ToolSearch): it can be called all the same."""
    example: dict[str, Any] | None = None
    """The arguments of a call that works, for the person who asks for help on the tool. The model is not sent it."""


class TodoItem(msgspec.Struct, frozen=True):
    text: str
    status: Literal["pending", "in_progress", "done"] = "pending"


class Diagnostic(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a language server has against a place in a file."""

    path: str
    """Absolute, real."""
    line: int
    """From 1; so is `column`."""
    column: int = 1
    severity: Literal["error", "warning"] = "error"
    message: str
    """One line or more, plain text."""
    code: str = ""
    """The rule it breaks, as its source names it."""
    source: str = ""
    """Who says so: `Ruff`, `rustc` …"""


class ToolResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a call gave. `text` is what the model reads, already cut to size."""

    text: str
    is_error: bool = False
    file: str | None = None
    """Where the whole output is when `text` had to be cut."""
    diff: str | None = None
    """Unified diff of what a call changed."""
    images: tuple[Image, ...] = ()
    denied: str | None = None
    """Why it was not allowed to run: the rule, or who refused."""
    taint: tuple[Taint, ...] = ()
    """Whose words these are, where somebody else wrote them: what follows is decided with that in mind."""
    todo: tuple[TodoItem, ...] | None = None
    """The todo list as it now stands, from the tool that keeps it."""
    only: tuple[str, ...] = ()
    """The tools that what was read here says it needs (a skill's `allowed-tools`): until the turn ends, calls of others
    that bring something about are asked about, whatever allows them."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong with the files it changed and was not before, errors first; `text` tells of the first of them."""

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise TypeError("ToolResult.text must be str")


CallState = Literal["validating", "scheduled", "awaiting_approval", "executing", "success", "error", "cancelled"]
"""The seven states of a tool call."""

NEXT_STATES: dict[CallState | None, frozenset[CallState]] = {
    None: frozenset({"validating"}),
    "validating": frozenset({"scheduled", "error", "cancelled"}),
    "scheduled": frozenset({"awaiting_approval", "executing", "error", "cancelled"}),
    "awaiting_approval": frozenset({"executing", "error", "cancelled"}),
    "executing": frozenset({"success", "error", "cancelled"}),
    "success": frozenset(),
    "error": frozenset(),
    "cancelled": frozenset(),
}
"""Which state may follow which; None is before the first."""

ENDED: frozenset[CallState] = frozenset({"success", "error", "cancelled"})


def may_follow(state: CallState | None, following: CallState) -> bool:
    """Whether a call in `state` may go to `following`."""
    return following in NEXT_STATES[state]
