"""The port to tools. Swap class: hot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from protea.domain.tools import ToolResult, ToolSpec

if TYPE_CHECKING:
    from protea.domain.delegation import Errand, Outcome
    from protea.domain.looking_back import Recalled

Progress = Callable[[str], None]
"""Tells how far it is, in a line."""


class Beside(Protocol):
    """What a call can set going besides itself."""

    async def delegate(
        self,
        errand: Errand,
        after: Callable[[], Awaitable[str]] | None = None,
        ended: Callable[[Outcome], None] | None = None,
    ) -> ToolResult:
        """Send an agent, and return what it brought, however it ended; in the background, that it has been sent.

        `after` is awaited once it has ended, whatever the way, and what it gives is told with the result; `ended` is
        given the figures of one that was not sent in the background. Cancelled, it ends the agent and keeps what it had
        said.
        """
        ...

    async def begin(
        self, kind: str, title: str, work: Callable[[Progress], Awaitable[str]], *, log: str = "", ended: str = ""
    ) -> str:
        """Let work go on behind the call, as a task; its id. What it returns, or raises, is how it ended: the model is
        told in the next turn, or in this one while it lasts, behind `ended`."""
        ...

    async def let_go(self) -> None:
        """Returns once a person wants this call to go on behind the turn; else never.

        A tool that can do so waits for it beside its work, and then returns at once. Only while one waits can be asked.
        """
        ...

    def news(self, text: str) -> None:
        """Tell the model something that happened beside the turn."""
        ...

    async def stop(self, id: str) -> str | None:
        """End a task of this session, by its id or the agent's session; how it stands then, or None where there is
        none."""
        ...

    async def agreed(self, plan: str, *, edited: bool) -> ToolResult:
        """The person has agreed to a plan, as it was proposed or as they edited it: do what follows from that."""
        ...


class ToolContext(Protocol):
    """What a running call may use of its surroundings."""

    @property
    def session(self) -> str: ...

    @property
    def call_id(self) -> str: ...

    @property
    def answer(self) -> str | None:
        """What a person wrote when the call was approved; for a question of the model's, the answer."""
        ...

    @property
    def writes(self) -> Literal["kept", "discarded", "refused"]:
        """What becomes of what the call writes in the workspace: it stays, a program may write and nothing of it stays,
        or it must not be written at all. In plan mode it never stays."""
        ...

    def may_read(self, path: str) -> bool:
        """Whether the rules let this file (absolute) be read without asking.

        For tools that come upon files nobody named: what they may not read they leave out, and say so.
        """
        ...

    def say(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Tell watchers of output as it comes. Never waits; may be dropped for slow watchers."""
        ...

    async def recall(self, wanted: str, limit: int) -> Sequence[Recalled]:
        """Where all words of `wanted` stand in this session, the latest first; or the whole result of the call whose id
        it is."""
        ...

    def tools(self) -> Sequence[ToolSpec]:
        """Every tool of the session, those the model has not been told of included."""
        ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Make another call as a part of this one: validated, permitted (a person may be asked) and recorded like any
        other, with this call as its parent. Never raises for what goes wrong in it; may be used at the same time."""
        ...

    @property
    def beside(self) -> Beside | None:
        """What can be set going beside the call; None where nothing can."""
        ...

    def output_path(self, suffix: str = ".txt") -> str:
        """An absolute path in the session's folder, for this call, where a whole output may be written (mode 0600)."""
        ...


class Tool(Protocol):
    """One tool.

    `run` gets arguments that fit `spec.parameters` (aliases renamed, defaults not filled in). What the model should
    know, mistakes included, is a `ToolResult`; an exception is a fault of the tool's own. When it is cancelled it
    must end what it started (child processes too) before it lets `CancelledError` pass.
    """

    @property
    def spec(self) -> ToolSpec: ...

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult: ...


class Toolset(Protocol):
    """A family of tools, opened when wanted: `specs` is cheap, `tool` may import."""

    def specs(self) -> Sequence[ToolSpec]:
        """In a fixed order: it is part of the cached prefix."""
        ...

    def tool(self, name: str) -> Tool | None:
        """The tool, or None where this family has no such name."""
        ...

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        """What the call would change in files, as a unified diff, with nothing changed; None where that is nothing or
        cannot be told. A person sees it before they allow the call. It opens only files that `may_read` allows."""
        ...

    @property
    def cwd(self) -> str | None:
        """Where its next command would start, if it keeps a directory of its own (a shell that was told `cd`)."""
        ...

    async def aclose(self) -> None:
        """End background processes and free what was opened."""
        ...
