"""Opens a session as a tab."""

from __future__ import annotations

from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.tab import Tab
from protea.interfaces.tui.transcript.pages import last_page
from protea.ports.gateway import OpenSession


async def open_tab(desk: Desk, spec: OpenSession) -> Tab:
    """A tab of the session that `spec` asks for. Raises what `Gateway.open` raises."""
    session = await desk.gateway.open(spec)
    past = await last_page(desk.gateway, session) if spec.resume is not None else ()
    return Tab(desk, session, past)
