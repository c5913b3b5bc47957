"""A configuration that has changed while a session is open takes hold before its next turn, or is told why not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from protea.application.hub import Hub
from protea.application.parts import Reread
from protea.application.swapping import Swapping
from protea.domain.errors import ProteaError
from protea.domain.events import NoticeGiven

MOST_CHANGES = 20
"""Changed settings that are told one by one."""


async def take_over(found: Sequence[Reread], swapping: Swapping, hub: Hub, *, allowed: Collection[str]) -> None:
    """What cannot be used changes nothing. `allowed`: the rules that were answered with `always` in this session, so
    that they were saved by it and are in force already."""
    for each in found:
        if each.problem:
            text = f"{each.problem}; what was configured before stays in force"
            hub.record(NoticeGiven(level="warning", text=text))
        for warning in each.warnings:
            hub.record(NoticeGiven(level="warning", text=warning))
    own = {f"+ allow {rule}" for rule in allowed}
    told_of = [change for each in found for change in each.changes if change not in own]
    # How a screen looks is seen there the moment it is chosen, and is nothing a session is made of.
    changes = [change for change in told_of if not change.startswith("tui.")]
    if not changes:
        return
    try:
        await swapping.renew("configuration")
    except ProteaError as error:
        text = f"the configuration has changed and cannot be used, so all stays as it is: {error}"
        hub.record(NoticeGiven(level="warning", text=text))
    else:
        more = f"; and {len(changes) - MOST_CHANGES} more" if len(changes) > MOST_CHANGES else ""
        told = "; ".join(changes[:MOST_CHANGES]) + more
        hub.record(NoticeGiven(level="info", text=f"the configuration has changed: {told}"))
