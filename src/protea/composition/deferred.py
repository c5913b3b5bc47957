"""Adapters that are made when they are first needed: a reply without calls asks no rule and fills no window."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from protea.composition.resolve import Resolver
from protea.domain.messages import Message
from protea.domain.reply import ModelRequest
from protea.domain.usage import Usage

if TYPE_CHECKING:
    from protea.domain.audit import AuditRecord
    from protea.domain.compaction import Conversation, Shrunk
    from protea.domain.permission import Decision, PermissionRequest
    from protea.ports.audit import Audit
    from protea.ports.compaction import Ask, Compaction
    from protea.ports.permission import Permission
    from protea.ports.tokens import Tokens


class DeferredPermission:
    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def decide(self, request: PermissionRequest) -> Decision:
        return cast("Permission", self._resolver.get("permission")).decide(request)


class DeferredAudit:
    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def record(self, record: AuditRecord) -> None:
        cast("Audit", self._resolver.get("audit")).record(record)


class DeferredCompaction:
    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        return await cast("Compaction", self._resolver.get("compaction")).shrink(conversation, ask)


class DeferredTokens:
    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def _tokens(self) -> Tokens:
        return cast("Tokens", self._resolver.get("tokens"))

    def message(self, message: Message, model: str) -> int:
        return self._tokens().message(message, model)

    def request(self, request: ModelRequest, model: str) -> int:
        return self._tokens().request(request, model)

    def learn(self, request: ModelRequest, model: str, usage: Usage) -> None:
        self._tokens().learn(request, model, usage)
