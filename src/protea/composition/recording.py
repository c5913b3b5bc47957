"""A session of this home as a gateway that plays it."""

from __future__ import annotations

from protea.application.replaying import Replay
from protea.composition.launch import Launch
from protea.composition.resolve import load
from protea.composition.root import create_gateway
from protea.domain.errors import SessionError
from protea.ports.gateway import Gateway


async def create_recording(launch: Launch, wanted: str, speed: float) -> Gateway:
    """`wanted` is a session's id or the beginning of one. Raises `SessionError` where there is none."""
    inner = await create_gateway(launch)
    first = await inner.history(wanted, limit=1)
    found = [each for each in await inner.sessions() if first and each.id == first[0].session]
    if not found:
        await inner.close()
        raise SessionError(f"there is no session {wanted}; 'protea sessions list' shows what there is")
    system = load("clock", "system")
    return Replay(inner, found[0], system.create(system.Options()), speed=speed)
