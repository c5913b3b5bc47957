"""What an agent may do at most: what the session that sent it may. Made by `delegation`, worn by its session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from protea.application.parts import Parts
from protea.domain.audit import AuditRecord
from protea.domain.delegation import stricter, strictest_mode
from protea.domain.errors import UsageError
from protea.domain.events import ApprovalRequested, ApprovalResolved
from protea.domain.hooks import HookMoment, HookSaid, Moment, rewritten
from protea.domain.permission import Decision, Mode, PermissionRequest
from protea.domain.tools import Taint, ToolSpec
from protea.ports.approval import Approval
from protea.ports.audit import Audit
from protea.ports.hooks import Hooks
from protea.ports.permission import Permission
from protea.ports.persona import Persona
from protea.ports.toolset import Tool, Toolset


class Above(Protocol):
    """The session that sends, as far as it bounds those it sends."""

    @property
    def id(self) -> str: ...
    @property
    def mode_in_force(self) -> Mode: ...
    @property
    def parts(self) -> Parts: ...
    @property
    def heard(self) -> tuple[Taint, ...]: ...


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    above: Above
    agent: str
    depth: int
    """1 for an agent of a person's own session, 2 for an agent of that agent."""
    tools: frozenset[str]
    """The names of those it may have."""
    words: str = ""
    """Told to it besides what its persona says."""

    @property
    def mode(self) -> Mode:
        return self.above.mode_in_force

    def least(self, mode: Mode) -> Mode:
        """`mode`, or the sender's where that allows less."""
        return strictest_mode(mode, self.mode)

    def around(self, parts: Parts, mode: Mode) -> Parts:
        """`parts` with nothing in them that the sender has not. Raises `UsageError` where that cannot be made."""
        walls, own = self.above.parts.choices.get("sandbox"), parts.choices.get("sandbox")
        if walls != own and walls is not None and walls[0] != "none":
            raise UsageError(f"{parts.profile} would run commands outside the walls of the session that sends it")
        persona = Spoken(parts.persona, self.words) if self.words else parts.persona
        same_ledger = parts.choices.get("ledger") == self.above.parts.choices.get("ledger")
        return replace(
            parts,
            mode=strictest_mode(mode, self.mode),
            toolsets=tuple(Some(toolset, self.tools) for toolset in parts.toolsets),
            permission=Narrowed(parts.permission, self),
            approval=Asked(parts.approval),
            audit=Recorded(parts.audit, parts.choices.get("audit"), self.above),
            # What it spends counts where the sender looks up what a day or a profile has.
            ledger=parts.ledger if same_ledger else self.above.parts.ledger,
            persona=persona,
            hooks=Watched(parts.hooks, parts.choices.get("hooks"), self.above),
        )


class Narrowed:
    """`Permission` of an agent: its own rules and those of the session that sent it, as they are now, have to agree.

    What a person allowed for the sender's session is not taken over; what they allow for the agent's is.
    """

    def __init__(self, own: Permission, envelope: Envelope) -> None:
        self._own = own
        self._envelope = envelope

    def decide(self, request: PermissionRequest) -> Decision:
        above = self._envelope.above
        request = replace(request, mode=strictest_mode(request.mode, above.mode_in_force))
        allowed = tuple(layer for layer in request.layers if layer.source == "session")
        parents = replace(request, layers=(*above.parts.layers, *allowed))
        return stricter(self._own.decide(request), above.parts.permission.decide(parents))


class Asked:
    """`Approval` of an agent: it may refuse by itself; what it would allow is asked where its sender is asked."""

    def __init__(self, own: Approval) -> None:
        self._own = own

    def answer(self, question: ApprovalRequested) -> ApprovalResolved | None:
        answer = self._own.answer(question)
        return answer if answer is not None and answer.decision == "deny" else None


class Recorded:
    """`Audit` of an agent: that of the session that sent it, as it is now, and its own where that is another. So that
    no profile is a way past the record."""

    def __init__(self, own: Audit | None, choice: object, above: Above) -> None:
        self._own = own
        self._choice = choice
        self._above = above

    def record(self, record: AuditRecord) -> None:
        parts = self._above.parts
        if parts.audit is not None:
            parts.audit.record(record)
        if self._own is not None and (parts.audit is None or parts.choices.get("audit") != self._choice):
            self._own.record(record)


class Watched:
    """`Hooks` of an agent: its own, and around its calls those of the session that sent it as well, as they are now. So
    that no profile is a way past a hook."""

    def __init__(self, own: Hooks | None, choice: object, above: Above) -> None:
        self._own = own
        self._choice = choice
        self._above = above

    def _others(self, moment: Moment) -> Hooks | None:
        parts = self._above.parts
        same = self._own is not None and parts.choices.get("hooks") == self._choice
        return parts.hooks if moment in ("before_tool", "after_tool") and not same else None

    def wants(self, moment: Moment, tool: str | None = None) -> bool:
        return any(each.wants(moment, tool) for each in (self._own, self._others(moment)) if each is not None)

    async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
        said: list[HookSaid] = []
        for each in (self._own, self._others(moment.moment)):
            if each is not None and each.wants(moment.moment, moment.tool):
                for one in await each.run(moment):
                    said.append(one)
                    moment = rewritten(moment, one)
        return said

    async def aclose(self) -> None:
        if self._own is not None:
            await self._own.aclose()


class Spoken:
    """`Persona` that says some words more."""

    def __init__(self, persona: Persona, words: str) -> None:
        self._persona = persona
        self._words = words

    def system(self, *, cwd: str, model: str, mode: str, tools: tuple[str, ...]) -> tuple[str, ...]:
        return (*self._persona.system(cwd=cwd, model=model, mode=mode, tools=tools), self._words)


class Some:
    """`Toolset` with some of another's tools."""

    def __init__(self, toolset: Toolset, names: frozenset[str]) -> None:
        self._toolset = toolset
        self._names = names

    def specs(self) -> Sequence[ToolSpec]:
        return [spec for spec in self._toolset.specs() if spec.name in self._names]

    def tool(self, name: str) -> Tool | None:
        return self._toolset.tool(name) if name in self._names else None

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        return await self._toolset.preview(name, arguments, may_read)

    @property
    def cwd(self) -> str | None:
        return self._toolset.cwd

    async def aclose(self) -> None:
        await self._toolset.aclose()
