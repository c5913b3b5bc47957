"""Asks a person about files of the project that are not as they have looked at them, before anything of them is used.

Made by `session` when there first are such files: before a turn, or where `nearby` looks for instructions of folders
that a turn has come to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Protocol

from protea.application.approvals import Approvals
from protea.application.hub import Hub
from protea.application.parts import Parts, Project
from protea.application.swapping import Swapping
from protea.application.turns import Turns
from protea.domain.errors import ProteaError
from protea.domain.events import ApprovalRequested, NoticeGiven
from protea.domain.messages import ToolCall
from protea.domain.trust import named, shown, why_asked
from protea.ports.gateway import OpenSession
from protea.ports.ids import Ids

TOOL = "Trust"
"""The name the question has in place of a tool's."""


class Body(Protocol):
    """The session, as far as it is needed here."""

    @property
    def id(self) -> str: ...
    @property
    def parts(self) -> Parts: ...
    @property
    def spec(self) -> OpenSession: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def ids(self) -> Ids: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def turns(self) -> Turns: ...
    @property
    def swapping(self) -> Swapping: ...


class Looking:
    """The questions of one session about files of its project."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._asking: asyncio.Task[None] | None = None
        """Before a turn."""
        self._unused: set[str] = set()
        """Files that were told to be left out, where nobody can be asked."""

    async def before_turn(self, project: Project) -> None:
        """Ask about what a turn would use, and use what a person has said yes to; `stop` ends it without an answer."""
        body = self._body
        asking = ask_about(project, body.parts.surroundings.cwd, body.hub, body.approvals, body.ids)
        self._asking = asyncio.create_task(self._used(asking), name=f"look at the project {body.id}")
        try:
            await self._asking
        except asyncio.CancelledError:
            if not self._asking.cancelled():
                raise

    async def near(self, project: Project, files: Sequence[str]) -> None:
        """What says how to work on these files: has somebody looked at it?"""
        body, cwd = self._body, self._body.parts.surroundings.cwd
        if body.spec.interactive:
            await ask_about(project, cwd, body.hub, body.approvals, body.ids, files)
        else:
            tell_unused(project, cwd, body.hub, files, self._unused)

    def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    async def _used(self, asking: Awaitable[bool]) -> None:
        if not await asking:
            return
        body = self._body
        body.turns.forget_system()
        if body.parts.capabilities is not None:
            for problem in await body.parts.capabilities.ready():
                body.hub.record(NoticeGiven(level="warning", text=problem))
        try:
            await body.swapping.renew("trust")
        except ProteaError as error:
            body.hub.record(NoticeGiven(level="warning", text=f"what you trusted cannot be used yet: {error}"))


async def ask_about(
    project: Project, cwd: str, hub: Hub, approvals: Approvals, ids: Ids, files: Sequence[str] = ()
) -> bool:
    """Ask until there is nothing to ask; whether a person has said yes to anything. A yes is about what was shown: a
    file that is changed meanwhile is asked about again."""
    used = False
    while found := project.unseen(cwd, files):
        # What cannot be read cannot be meant.
        readable = [each for each in found if each.what != "unreadable"]
        if unreadable := [each for each in found if each.what == "unreadable"]:
            hub.record(NoticeGiven(level="warning", text=f"{named(unreadable)}: not used, since nobody can look at it"))
            project.decline(unreadable)
        if not readable:
            continue
        diff, asked = shown(readable)
        names = [each.name for each in asked]
        question = ApprovalRequested(
            id=ids.short("q"),
            call=ToolCall(id=ids.short("c"), name=TOOL, arguments={"files": "\n".join(names)}),
            why=why_asked(asked),
            kind="trust",
            detail={"diff": diff, "files": names},
        )
        answer = await approvals.ask(question)
        if answer.decision == "deny":
            project.decline(asked)
        else:
            project.accept(asked)
            used = True
    return used


def tell_unused(project: Project, cwd: str, hub: Hub, files: Sequence[str], told: set[str]) -> None:
    """The same where nobody can be asked: each file is told once, and its name then in `told`."""
    if found := [each for each in project.unseen(cwd, files) if each.name not in told]:
        told.update(each.name for each in found)
        text = f"{named(found)}: not used, since nobody has looked at {'it' if len(found) == 1 else 'them'}"
        hub.record(NoticeGiven(level="warning", text=f"{text}; `protea trust` does that"))
