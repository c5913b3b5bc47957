"""What people bring along for a session: skills and other capabilities. Called by `root` where there is any."""

from __future__ import annotations

from typing import Any, cast

from protea.application.capabilities import Capabilities, Preparing
from protea.application.parts import Parts
from protea.composition.resolve import Resolver
from protea.ports.capability import Capability


def bring(resolver: Resolver, before: Parts | None) -> dict[str, Any]:
    """Parts by name. What nothing was changed of is that of `before`: the model was told of it, and knows it so."""
    held = before.opened if before is not None and isinstance(before.opened, Resolver) else None
    capabilities = before.capabilities if before is not None else None
    steps = [] if before is None or before.prepare is None else [before.prepare]
    if capabilities is None or held is None or resolver.differs("capability", held):
        capabilities = Capabilities(lambda: cast(Capability, resolver.get("capability")))
        steps.append(capabilities.ready)
    return {"capabilities": capabilities, "prepare": Preparing(*steps)}
