"""A running call that a person lets go on behind its turn, whatever tool it is of: it becomes a task.

Tools that know what to do then see to it themselves (`Beside.let_go`): a shell command can be read from and ended, an
agent be told something. Of any other the result is what there is to tell, once it is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from protea.application.ending import end_surely
from protea.domain.delegation import brief
from protea.domain.errors import ProteaError, TaskFailedError
from protea.domain.messages import ToolCall
from protea.domain.tools import Taint, ToolResult, ToolSpec
from protea.domain.view import call_object
from protea.ports.toolset import Beside

THEMSELVES = frozenset({"Bash", "BashOutput", "Agent"})
"""Tools that wait for it in their own way."""
_STAYS = {
    "Race": "its agents are compared once all have ended",
    "AskUser": "it waits for your answer",
    "ProposePlan": "it waits for your answer",
}


def stays(spec: ToolSpec) -> str:
    """Why a call of the tool cannot go on behind its turn; empty where it can."""
    if spec.name in _STAYS:
        return _STAYS[spec.name]
    if "ask" in spec.effects:
        return "it waits for your answer"
    if "fs.write" in spec.effects:
        return "what it writes belongs to this turn, and is soon done"
    return ""


async def followed(
    running: asyncio.Future[ToolResult],
    let_go: Callable[[], Awaitable[None]],
    leave: Callable[[asyncio.Future[ToolResult]], Awaitable[ToolResult]],
) -> ToolResult:
    """The result of a call, or what `leave` makes of it where it is let go before. Cancelled, it ends the call."""
    leaving = asyncio.ensure_future(let_go())
    try:
        either: set[asyncio.Future[Any]] = {running, leaving}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            return await leave(running)
        return await running
    except BaseException:
        await end_surely(running)
        raise
    finally:
        leaving.cancel()


async def become_task(
    running: asyncio.Future[ToolResult],
    call: ToolCall,
    spec: ToolSpec,
    beside: Beside,
    looked_over: Callable[[ToolResult], Awaitable[ToolResult]],
) -> ToolResult:
    """Let it go on as a task. Where that cannot be kept, its end is waited for. `looked_over` is what becomes of the
    result before anybody is told."""

    async def work(tell: Callable[[str], None]) -> str:
        try:
            result = await looked_over(await asyncio.shield(running))
        except asyncio.CancelledError:
            await end_surely(running)
            raise
        kept = f"\n[the whole is in {result.file}]" if result.file and result.file not in result.text else ""
        pictures = f"\n[{len(result.images)} of its pictures cannot be told here]" if result.images else ""
        if result.is_error:
            raise TaskFailedError(result.text)
        return f"{result.text}{kept}{pictures}"

    about = call_object(call).strip().partition("\n")  # of code its first line says enough
    title = " ".join(f"{spec.name} {brief(about[0])}{' …' if about[1] else ''}".split())
    try:
        id = await beside.begin("call", title, work, ended=title)
    except ProteaError:
        return await running
    # Whose words it will bring is known only then. What goes out into the net brings those of a page, and so may what
    # does not say what it does, or calls other tools.
    taint: tuple[Taint, ...] = ("web",) if "net.egress" in spec.effects or not spec.effects else ()
    return ToolResult(
        f"The person let this call go on in the background, as task {id}. You are told its result when it has ended; "
        f"KillShell with id {id} ends it.",
        taint=taint,
    )
