"""What people bring along for a session: skills, other capabilities, tools of their own. Called by `root` where there
is any.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from protea.application.capabilities import Capabilities, Preparing
from protea.application.parts import Parts
from protea.composition.resolve import Resolver
from protea.domain.surroundings import Surroundings
from protea.ports.capability import Capability
from protea.ports.toolset import Toolset

if TYPE_CHECKING:
    from protea.adapters.tools.files import FileToolset


def bring(
    resolver: Resolver, around: Surroundings, before: Parts | None, toolsets: Sequence[Toolset], *, what: set[str]
) -> tuple[dict[str, Any], tuple[Toolset, ...]]:
    """(parts by name, toolsets to be added to `toolsets`). `what` names `capability` and `files`, as there are.

    What nothing was changed of is that of `before`: the model was told of it, and knows it so.
    """
    steps: list[Callable[[], Awaitable[Sequence[str]]]] = []
    if before is not None and before.prepare is not None:
        steps.append(before.prepare)
    found: dict[str, Any] = {}
    added: list[Toolset] = []
    if "capability" in what:
        held = before.opened if before is not None and isinstance(before.opened, Resolver) else None
        capabilities = before.capabilities if before is not None else None
        if capabilities is None or held is None or resolver.differs("capability", held):
            capabilities = Capabilities(lambda: cast(Capability, resolver.get("capability")))
            steps.append(capabilities.ready)
        found["capabilities"] = capabilities
        added.append(capabilities)
    if "files" in what:
        own = _first(toolsets)
        if own is None:
            own = cast("FileToolset", resolver.make("toolset", "files", {}))
            kept = _first(before.toolsets) if before is not None and before.surroundings == around else None
            # The same files were run already, and hold what they hold.
            own = kept if kept is not None and kept.sources == own.sources else own
            added.append(own)
        steps.append(_loading(own, toolsets))
        found["tool_files"] = own.files
    return {**found, "prepare": Preparing(*steps)}, tuple(added)


def _first(toolsets: Sequence[Toolset]) -> FileToolset | None:
    from protea.adapters.tools.files import FileToolset  # only where there are such files

    return next((each for each in toolsets if isinstance(each, FileToolset)), None)


def _loading(own: FileToolset, others: Sequence[Toolset]) -> Callable[[], Awaitable[Sequence[str]]]:
    from protea.adapters.guests.thread import in_own_thread  # only where there are such files

    async def load() -> Sequence[str]:
        known = own.problems
        taken = {spec.name for each in others if each is not own for spec in each.specs()}
        # In a thread: what a file imports may take its time, and the screen goes on.
        problems: Sequence[str] = await in_own_thread(own.load, taken)
        return () if problems is known else problems

    return load
