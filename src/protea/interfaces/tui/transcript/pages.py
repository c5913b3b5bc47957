"""Reading a log from its end, page by page, through a gateway."""

from __future__ import annotations

from collections.abc import Sequence

from protea.domain.events import LastingEvent
from protea.interfaces.tui.transcript.reading import Older
from protea.ports.gateway import Gateway

FIRST = 300
"""Events of the first page: more than a screen shows, few enough to be there at once."""
PAGE = 400
"""Events of those before: folded between two keys without delaying the second."""


async def last_page(gateway: Gateway, session: str) -> Sequence[LastingEvent]:
    """The end of a session's log, of one that is not open, too."""
    return await gateway.history(session, limit=-FIRST)


def older_of(gateway: Gateway, session: str) -> Older:
    """What a transcript reads further back with."""

    async def older(before: int) -> Sequence[LastingEvent]:
        after = max(0, before - 1 - PAGE)
        return await gateway.history(session, after, before - 1 - after) if before > 1 else ()

    return older
