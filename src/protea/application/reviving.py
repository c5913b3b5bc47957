"""Takes what a call sets going that is made once more, to bring back a task whose process died. Called by `tasks`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from protea.application.beside import BesideCall, Owner, errand_behind
from protea.application.past import Past
from protea.application.tasks import Work
from protea.domain.delegation import Errand, Outcome
from protea.domain.errors import ProteaError, UsageError
from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    MessageCompleted,
    TaskChanged,
    ToolCallChanged,
)
from protea.domain.messages import ToolCall, text_of
from protea.domain.taint import Heard, heard
from protea.domain.tools import Taint, ToolResult
from protea.ports.session_store import SessionStore


class GoingAgain:
    """`Beside` that lets nothing go: whoever made the call runs the work, under the task it was."""

    def __init__(self, owner: Owner, event: TaskChanged) -> None:
        self._owner = owner
        self._event = event
        self.work: Work | None = None
        self.log = ""

    async def delegate(
        self,
        errand: Errand,
        after: Callable[[], Awaitable[str]] | None = None,
        ended: Callable[[Outcome], None] | None = None,
    ) -> ToolResult:
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


GO_ON = "Go on where you were, and finish what you were sent for."


class Resuming(Owner, Protocol):
    """The session."""

    @property
    def past(self) -> Past: ...


async def resume(owner: Resuming, id: str, text: str) -> None:
    """Send an agent on again, in the background; see `ResumeTask`. Raises `UsageError`."""
    found = [each for each in owner.past.recent_tasks if id in (each.id, each.child)]
    event = found[-1] if found else None
    if event is None:
        raise UsageError(f"there is no agent {id} of this session; /tasks lists them")
    if not event.child:
        again = f"; !{event.title} runs it again" if event.kind == "shell" and len(event.title) < 200 else ""
        raise UsageError(f"{id} is no agent, and what is no agent cannot go on where it ended{again}")
    if event.state == "running":
        raise UsageError(f"{event.child} is at work; /tasks steer {event.id} TEXT tells it something")
    arguments = going_on(event, text.strip() or GO_ON)
    call = ToolCall(id=event.call_id or event.id, name="Agent", arguments=arguments)
    result = await owner.runner.once_more(call, BesideCall(owner, call.id, call), agreed=True)
    if result.is_error:
        raise UsageError(result.text)


def calls_behind(events: Iterable[LastingEvent], tasks: Iterable[str]) -> dict[str, tuple[ToolCall, bool]]:
    """The call that set each of these tasks going, as the log has it, and whether a person said yes to it. What a task
    was kept with proves nothing: others may be able to write there."""
    wanted, found = {*tasks}, dict[str, tuple[ToolCall, bool]]()
    ran: dict[str, ToolCall] = {}
    questions: dict[str, str] = {}
    agreed: set[str] = set()
    for event in events:
        match event:
            case ToolCallChanged(state="validating"):
                agreed.discard(event.call.id)  # a provider may use an id again
                ran.pop(event.call.id, None)
            case ToolCallChanged(state="executing"):
                ran[event.call.id] = event.call
            case ApprovalRequested():
                questions[event.id] = event.call.id
            case ApprovalResolved() if event.decision != "deny" and event.by != "policy":
                agreed.add(questions.get(event.id, ""))
            case TaskChanged() if event.id in wanted and event.id not in found and event.call_id in ran:
                found[event.id] = (ran[event.call_id], event.call_id in agreed)
            case _:
                pass
    return found


def going_on(event: TaskChanged, text: str) -> dict[str, Any]:
    """The arguments that let an agent go on in its own session."""
    arguments = {"prompt": text, "resume": event.child, "title": event.title, "background": True}
    name = event.agent.partition(":")[0]
    if name not in ("", "agent"):
        arguments["name"] = name  # what it may use is written down there
    return arguments


def last_words(store: SessionStore, session: str) -> tuple[str, tuple[Taint, ...]]:
    """What was said last in a session, partial or not, and whose words it had heard; empty where it cannot be read."""
    said = ""
    told: Heard = {}
    with suppress(ProteaError):
        for event in store.read(session):
            told = heard(told, event)
            if isinstance(event, MessageCompleted):
                said = text_of(event.content) or said
    return said, tuple(told)
