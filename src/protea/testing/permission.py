"""Decisions by tool name."""

from __future__ import annotations

from collections.abc import Collection

from protea.domain.permission import Decision, PermissionRequest


class NamedPermission:
    """`Permission` that asks for the tools in `ask`, denies those in `deny`, and allows the rest.

    A rule of a request's own layers that is exactly a tool's name counts as well. What it was asked is in `requests`.
    """

    def __init__(self, *, ask: Collection[str] = (), deny: Collection[str] = ()) -> None:
        self._ask, self._deny = frozenset(ask), frozenset(deny)
        self.requests: list[PermissionRequest] = []

    def decide(self, request: PermissionRequest) -> Decision:
        self.requests.append(request)
        tool, layers = request.tool, request.layers
        if tool in self._deny or any(tool in layer.deny for layer in layers):
            return Decision(verdict="deny", why=f"{tool} is denied", rule=tool)
        if (tool in self._ask or any(tool in layer.ask for layer in layers)) and not any(
            tool in layer.allow for layer in layers
        ):
            if not request.interactive:
                return Decision(verdict="deny", why=f"{tool} asks, and nobody is there to ask", proposals=(tool,))
            return Decision(verdict="ask", why=f"{tool} asks", proposals=(tool,))
        return Decision(verdict="allow", why="nothing is said against it")
