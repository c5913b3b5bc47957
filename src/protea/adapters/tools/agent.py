"""Agent: sends an agent, or the same errand to several to compare, each in a git worktree of its own where wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from protea.adapters.tools._kit import Kit
from protea.adapters.tools._repository import WorktreeError
from protea.adapters.tools._worktree import Worktree
from protea.domain.delegation import AgentDefinition, Errand, brief
from protea.domain.spelling import nearest
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import Beside, ToolContext

MOST_RACERS = 8

Sent = TypeVar("Sent")


class Agent:
    """Everything about the session itself is behind `Beside`; here it is decided who goes where."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._kit = kit

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        beside = context.beside
        if beside is None:
            return ToolResult("No agents can be sent from here.", is_error=True)
        if not str(arguments["prompt"]).strip():
            return ToolResult("The prompt is empty: say what the agent is to do.", is_error=True)
        named = self._named(str(arguments.get("name", "")))
        if isinstance(named, str):
            return ToolResult(named, is_error=True)
        errand = _errand(arguments, named)
        racers: Sequence[str] = arguments.get("profiles") or ()
        if len(racers) > MOST_RACERS:
            return ToolResult(f"{len(racers)} profiles; {MOST_RACERS} are the most.", is_error=True)
        worktree = bool(arguments.get("worktree"))
        if not racers:
            return await self._send(beside, errand, context, worktree=worktree)
        if errand.background or errand.resume:
            return ToolResult("Profiles to compare go neither with background nor with resume.", is_error=True)
        return await self._race(beside, errand, racers, context, worktree=worktree)

    def _named(self, name: str) -> AgentDefinition | str | None:
        """The agent of that name, None for one like the sender, or what is wrong."""
        known: dict[str, AgentDefinition] = {each.name: each for each in self._kit.agents}
        if name in known:
            return known[name]
        if name in ("", "agent", "general-purpose"):
            return None
        near = nearest(name, known)
        hint = f" Did you mean {near}?" if near else ""
        return f"There is no agent named {name}.{hint} There are: {', '.join(known) or 'none with a name'}."

    async def _send(self, beside: Beside, errand: Errand, context: ToolContext, *, worktree: bool) -> ToolResult:
        if not worktree:
            return await beside.delegate(errand)
        try:
            tree = await Worktree.make(self._kit, f"{context.session}-{context.call_id}-{errand.profile}")
        except WorktreeError as error:
            return ToolResult(f"There is no worktree for the agent: {error}", is_error=True)
        place = tree.place_of(self._kit.surroundings.cwd)
        words = f"{errand.words}\n\n{tree.words}" if errand.words else tree.words
        return await beside.delegate(replace(errand, cwd=place, words=words), tree.done)

    async def _race(
        self, beside: Beside, errand: Errand, profiles: Sequence[str], context: ToolContext, *, worktree: bool
    ) -> ToolResult:
        results = await together(
            [
                self._send(
                    beside,
                    replace(errand, profile=profile, name=f"{errand.name}:{profile}", rivals=len(profiles)),
                    context,
                    worktree=worktree,
                )
                for profile in profiles
            ]
        )
        told = [f"── {profile}\n{result.text}" for profile, result in zip(profiles, results, strict=True)]
        foot = "Compare them: say where they differ and which is the better, and why."
        return ToolResult(
            "\n\n".join([*told, foot]),
            is_error=all(result.is_error for result in results),
            taint=tuple(dict.fromkeys(kind for result in results for kind in result.taint)),
        )


async def together(sends: Sequence[Coroutine[Any, Any, Sent]]) -> list[Sent]:
    """All at once; cancelled, every one of them ends before this does."""
    tasks = [asyncio.ensure_future(send) for send in sends]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _errand(arguments: Mapping[str, Any], named: AgentDefinition | None) -> Errand:
    prompt = str(arguments["prompt"])
    return Errand(
        prompt=prompt,
        name=named.name if named is not None else "agent",
        title=str(arguments.get("title") or brief(prompt)),
        words=named.words if named is not None else "",
        tools=named.tools if named is not None else (),
        without=named.without if named is not None else (),
        plans=named is not None and named.plans,
        model=str(arguments.get("model") or (named.model if named is not None else "")),
        profile=str(arguments.get("profile") or (named.profile if named is not None else "")),
        resume=str(arguments.get("resume", "")),
        background=bool(arguments.get("background")),
    )
