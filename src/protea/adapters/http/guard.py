"""Where a connection may lead: a name is resolved once, all its addresses are looked at, one of them is connected to.

So neither a private address gets through nor a name that changes its mind between the look and the connection. Asked by
`_connection` for clients that are made with a guard, and by the sandboxes' proxy.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import msgspec

from protea.adapters.http.errors import HttpError
from protea.domain.permission.address import loopback, numeric, public

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""(name, port) → its addresses. Raises `OSError`."""

USUAL_PORTS = frozenset({80, 443})


class RefusedError(HttpError):
    """Not a failure: nobody tried to connect."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_request", message, retryable=False)


async def resolve(name: str, port: int) -> list[str]:
    """By the system."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard(msgspec.Struct, frozen=True):
    """What may be connected to: public addresses at `ports`, and this machine's loopback at `local_ports`."""

    ports: frozenset[int] = USUAL_PORTS
    local_ports: frozenset[int] = frozenset()
    resolver: Resolve = resolve

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to try, in order. Raises `RefusedError`, or `HttpError` where the name has none.

        One address that may not be connected to refuses all: a name that mixes them is up to something.
        """
        if port not in self.ports and port not in self.local_ports:
            raise RefusedError(f"port {port} of {host} is not one that may be connected to")
        number = numeric(host)
        if number is not None:
            found = [number]
        else:
            try:
                found = await self.resolver(host, port)
            except (OSError, UnicodeError) as error:
                why = getattr(error, "strerror", None) or str(error) or "no such name"
                raise HttpError("connection", f"the name {host} cannot be found ({why})") from error
        if not found:
            raise HttpError("connection", f"the name {host} has no address")
        for address in found:
            if port in self.local_ports and loopback(address):
                continue
            if port not in self.ports or not public(address):
                what = host if address == host else f"{host} ({address})"
                raise RefusedError(f"{what} is not a public address, and is not connected to")
        return found
