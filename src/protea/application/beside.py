"""What a running call can set going: agents, tasks, plans. Made by a session when a tool first asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from protea.application.ending import end_surely
from protea.domain.delegation import Errand, Outcome, spoken_of, title_of
from protea.domain.errors import ProteaError, TaskFailedError
from protea.domain.messages import ToolCall
from protea.domain.tools import Taint, ToolResult

if TYPE_CHECKING:  # every command may be let go, few set anything going
    from protea.application.delegation import Delegation
    from protea.application.hub import Hub
    from protea.application.tasks import Tasks, Work
    from protea.application.tool_runner import ToolRunner
    from protea.domain.events import Lasting
    from protea.domain.permission import Mode


class Owner(Protocol):
    """The session."""

    @property
    def hub(self) -> Hub: ...
    @property
    def pins(self) -> tuple[str, ...]: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def delegation(self) -> Delegation: ...
    @property
    def runner(self) -> ToolRunner: ...

    async def leave_plan_mode(self, *beside: Lasting) -> Mode: ...


def errand_behind(
    owner: Owner,
    errand: Errand,
    call_id: str,
    begun: Awaitable[str],
    after: Callable[[], Awaitable[str]] | None,
) -> Work:
    """What the task of an agent in the background is. `begun` gives the id of that task."""
    delegation, tasks = owner.delegation, owner.tasks

    async def work(tell: Callable[[str], None]) -> str:
        kept: list[str] = []
        id = await begun
        try:
            result = await delegation.send(
                errand,
                call_id,
                keep=kept.append,
                task=id,
                progress=tell,
                opened=lambda child: tasks.take_down(id, child=child),
                heard=lambda heard: tasks.take_down(id, heard=heard),
            )
        except BaseException:
            if after is not None:
                kept.append(await after())
            tasks.take_down(id, partial="\n".join(filter(None, kept)))
            raise
        note = await after() if after is not None else ""
        text = f"{result.text}\n{note}" if note else result.text
        if result.is_error:
            raise TaskFailedError(text)
        return text

    return work


class BesideCall:
    """`Beside` for one call."""

    def __init__(self, owner: Owner, call_id: str, call: ToolCall | None = None) -> None:
        """`call` where it is none of the reply that runs."""
        self._owner = owner
        self._call_id = call_id
        self._call = call

    async def delegate(
        self,
        errand: Errand,
        after: Callable[[], Awaitable[str]] | None = None,
        ended: Callable[[Outcome], None] | None = None,
    ) -> ToolResult:
        delegation = self._owner.delegation
        if errand.background:
            return await self._behind(errand, after)
        children: list[str] = []
        kept: list[str] = []
        heard: list[Taint] = []

        async def send() -> ToolResult:
            try:
                result = await delegation.send(
                    errand,
                    self._call_id,
                    keep=kept.append,
                    opened=children.append,
                    ended=ended,
                    heard=heard.extend,
                )
            except BaseException:
                kept.append(await after() if after is not None else "")
                self._owner.runner.keep(self._call_id, "\n".join(filter(None, kept)), heard)
                raise
            note = await after() if after is not None else ""
            return replace(result, text=f"{result.text}\n{note}") if note else result

        if ended is not None:
            return await send()  # what it brings is compared with what others do, here and now
        sending = asyncio.create_task(send(), name=f"agent {errand.name}")
        leaving = asyncio.create_task(self.let_go(), name=f"agent {errand.name} may be let go")
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not sending.done() and children:
                return await self._let_go_on(errand, sending, children[0], kept, heard)
            return await sending
        except BaseException:
            await end_surely(sending)
            raise
        finally:
            leaving.cancel()

    async def _let_go_on(
        self,
        errand: Errand,
        sending: asyncio.Task[ToolResult],
        child: str,
        kept: Sequence[str],
        heard: Sequence[Taint],
    ) -> ToolResult:
        """The agent that is under way goes on as a task. Where that cannot be kept, its end is waited for. `kept` is
        what there will be of it if it is ended, `heard` whose words it will have heard."""
        delegation, tasks = self._owner.delegation, self._owner.tasks
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def work(tell: Callable[[str], None]) -> str:
            id = await begun
            under_way = delegation.of(child)
            if under_way is not None:
                under_way.go_behind(id, tell)
            tasks.take_down(id, child=child)
            try:
                result = await asyncio.shield(sending)
            except asyncio.CancelledError:
                await end_surely(sending)
                tasks.take_down(id, partial="\n".join(filter(None, kept)))
                raise
            finally:
                tasks.take_down(id, heard=heard)
            if result.is_error:
                raise TaskFailedError(result.text)
            return result.text

        title = title_of(errand)
        try:
            id = await self._begin("agent", title, work, ended=spoken_of(errand.name), agent=errand.name)
        except ProteaError:
            return await sending
        begun.set_result(id)
        return ToolResult(
            f"{spoken_of(errand.name)} goes on in the background, as the person wished, as task {id}. You are told "
            f"when it has ended; KillShell with id {id} ends it."
        )

    async def let_go(self) -> None:
        await self._owner.runner.let_go(self._call_id)

    async def _behind(self, errand: Errand, after: Callable[[], Awaitable[str]] | None) -> ToolResult:
        title = title_of(errand)
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        work = errand_behind(self._owner, errand, self._call_id, begun, after)
        try:
            id = await self._begin("agent", title, work, ended=spoken_of(errand.name), agent=errand.name)
        except ProteaError as error:
            return ToolResult(f"The agent could not be sent: {error}", is_error=True)
        begun.set_result(id)
        return ToolResult(
            f"{spoken_of(errand.name)} is at work in the background as task {id}. You are told when it has ended; "
            f"KillShell with id {id} ends it."
        )

    async def begin(
        self,
        kind: str,
        title: str,
        work: Callable[[Callable[[str], None]], Awaitable[str]],
        *,
        log: str = "",
        ended: str = "",
    ) -> str:
        return await self._begin(kind, title, work, log=log, ended=ended)

    async def _begin(
        self, kind: str, title: str, work: Work, *, log: str = "", ended: str = "", agent: str = ""
    ) -> str:
        runner = self._owner.runner
        return await self._owner.tasks.begin(
            kind,
            title,
            work,
            call_id=self._call_id,
            log=log,
            ended=ended,
            agent=agent,
            call=self._call or runner.call(self._call_id),
            cwd=runner.cwd() or "",
        )

    def news(self, text: str) -> None:
        self._owner.tasks.news(text)

    async def stop(self, id: str) -> str | None:
        return await self._owner.tasks.stop(id, quiet=True)

    async def agreed(self, plan: str, *, edited: bool) -> ToolResult:
        from protea.application.planning import agreed  # with the first plan

        return await agreed(self._owner, plan, edited=edited)
