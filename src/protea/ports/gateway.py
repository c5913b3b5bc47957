"""The driving port: all that a face may hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from protea.domain.commands import AnyCommand, Swap
from protea.domain.events import AnyEvent, LastingEvent
from protea.domain.session import SessionSummary

if TYPE_CHECKING:  # few runs look ahead
    from protea.domain.swap import SwapPreview

Topic = Literal[
    "models",
    "tools",
    "commands",
    "commands_left_out",
    "profiles",
    "modes",
    "ports",
    "session",
    "context",
    "cost",
    "files",
    "clipboard",
    "lsp",
    "changes",
    "undo",
    "tasks",
    "agents",
    "stamps",
]


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """Which session, and how it begins."""

    cwd: str
    resume: str | None = None
    """A session id (or a unique beginning of one); None starts a new one."""
    fork: bool = False
    """With `resume`: begin a new session with that one's history."""
    profile: str | None = None
    """Who to be; None goes on as the session was, else as the configuration says."""
    ports: dict[str, str] = {}
    """Port → adapter, besides what the profile says."""
    model: str | None = None
    effort: str | None = None
    mode: str | None = None
    add_dirs: tuple[str, ...] = ()
    interactive: bool = True
    """Whether someone is there to answer questions."""
    max_turns: int | None = None
    """Replies of the model per prompt."""
    max_budget_usd: float | None = None
    time_limit: float | None = None
    """Seconds per prompt."""
    schema: dict[str, Any] | None = None
    """JSON Schema the answers must follow."""


class Gateway(Protocol):
    """Commands down, events up, nothing else.

    Implemented by `application.sessions.Sessions`; for a session that is only shown again by `application.replaying`.
    """

    async def open(self, spec: OpenSession) -> str:
        """Open or create a session and return its id.

        Raises `SessionError` where it does not exist or another process has it, `ConfigError` or `ModelError`
        (kind auth) where what it needs is missing.
        """
        ...

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        """Take a command. Returns once it is safe on disk (a prompt's id), not once it is done.

        Raises `SessionError` where the session is not open here, `UsageError` where the command means nothing (an empty
        prompt, a question that is not open), `StoreError` where the log cannot be written.
        """
        ...

    def events(self, session: str, after: int = 0) -> AsyncIterator[AnyEvent]:
        """Follow a session from after event `after`: first what the log has, then what happens, without a gap.

        Lasting events come in order, each once. A follower that is slow misses passing events, never lasting ones,
        and slows nobody.
        """
        ...

    async def sessions(self, cwd: str | None = None) -> Sequence[SessionSummary]:
        """Known sessions in which something was said, and those that are open here, the latest first.

        If `cwd` is given, those a person has begun in that directory.
        """
        ...

    async def history(self, session: str, after: int = 0, limit: int | None = None) -> Sequence[LastingEvent]:
        """What the log of any session holds after event `after`, without opening it for writing.

        A negative `limit` gives the last events instead of the first. Raises `SessionError` where there is none.
        """
        ...

    async def search(self, text: str, limit: int = 50) -> Sequence[tuple[SessionSummary, int, str]]:
        """(session, seq, snippet) where prompts, answers or tool results contain all words of `text`."""
        ...

    async def delete(self, session: str) -> None:
        """Remove a session and its files. Raises `SessionError` where it is missing or in use."""
        ...

    async def describe(self, topic: Topic, session: str | None = None) -> Any:
        """What exists: plain JSON-able data for lists, completion and help."""
        ...

    async def read(self, session: str, path: str, size: int, *, last: bool = False) -> bytes:
        """The first (or last) `size` bytes of a file, as the session has it; relative to where it works. For a person
        to look at.

        Raises `ProteaError` where it cannot be read.
        """
        ...

    async def preview(self, session: str, swap: Swap) -> SwapPreview:
        """What a swap would bring about, with nothing changed. Raises `UsageError` or `ConfigError` where it could not
        be made."""
        ...

    async def close(self) -> None:
        """End running turns and child processes, and write what is pending."""
        ...
