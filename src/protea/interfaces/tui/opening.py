"""Opens a session as a tab, and ends it."""

from __future__ import annotations

from protea.domain.commands import EndSession
from protea.domain.events import PromptSubmitted
from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.tab import Tab
from protea.interfaces.tui.transcript.pages import last_page
from protea.ports.gateway import OpenSession

FIRST = 100
"""Events among which a prompt is looked for: what comes before the first one is few."""


async def open_tab(desk: Desk, spec: OpenSession) -> Tab:
    """A tab of the session that `spec` asks for. Raises what `Gateway.open` raises.

    One that goes on shows its end before it is opened: that takes no longer for a long one than for a short one.
    """
    if spec.resume and not spec.fork:
        known = [each.id for each in await desk.gateway.sessions() if each.id.startswith(spec.resume)]
        if spec.resume in known or len(known) == 1:
            session = spec.resume if spec.resume in known else known[0]
            desk.gateway.promise(session, spec)
            return Tab(desk, session, await last_page(desk.gateway, session))
    session = await desk.gateway.open(spec)
    past = await last_page(desk.gateway, session) if spec.resume is not None else ()
    return Tab(desk, session, past)


async def is_unused(desk: Desk, session: str) -> bool:
    """Whether nothing was ever said in a session."""
    first = await desk.gateway.history(session, limit=FIRST)
    return not any(isinstance(event, PromptSubmitted) for event in first)


async def end_session(desk: Desk, session: str, reason: str, *, only_unused: bool = False) -> None:
    """End a session that is left; one in which nothing was ever said is gone altogether. With `only_unused` all others
    stay as they are."""
    said = not await is_unused(desk, session)
    if said and only_unused:
        return
    await desk.gateway.submit(session, EndSession(reason=reason))
    if not said:
        await desk.gateway.delete(session)
