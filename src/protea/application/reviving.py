"""Takes what a call sets going that is made once more, to bring back a task whose process died. Called by `tasks`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from protea.application.beside import Owner, errand_behind
from protea.application.tasks import Work
from protea.domain.delegation import Errand
from protea.domain.errors import ProteaError
from protea.domain.events import MessageCompleted, TaskChanged
from protea.domain.messages import text_of
from protea.domain.tools import ToolResult
from protea.ports.session_store import SessionStore


class GoingAgain:
    """`Beside` that lets nothing go: whoever made the call runs the work, under the task it was."""

    def __init__(self, owner: Owner, event: TaskChanged) -> None:
        self._owner = owner
        self._event = event
        self.work: Work | None = None
        self.log = ""

    async def delegate(self, errand: Errand, after: Callable[[], Awaitable[str]] | None = None) -> ToolResult:
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        begun.set_result(self._event.id)
        self.work = errand_behind(self._owner, errand, self._event.call_id, begun, after)
        return ToolResult("It goes on.")

    async def begin(self, kind: str, title: str, work: Work, *, log: str = "", ended: str = "") -> str:
        self.work, self.log = work, log
        return self._event.id

    def news(self, text: str) -> None:
        self._owner.tasks.news(text)

    async def stop(self, id: str) -> str | None:
        return await self._owner.tasks.stop(id, quiet=True)

    async def let_go(self) -> None:
        """At once: what was let go before goes on behind whatever comes."""

    async def agreed(self, plan: str, *, edited: bool) -> ToolResult:
        return ToolResult("There is nobody to agree to a plan here.", is_error=True)


def last_words(store: SessionStore, session: str) -> str:
    """What was said last in a session, partial or not; empty where it cannot be read."""
    said = ""
    with suppress(ProteaError):
        for event in store.read(session):
            if isinstance(event, MessageCompleted):
                said = text_of(event.content) or said
    return said
