"""Run in a network of its own: a name server that changes its mind, web servers, and Protea's web behind its guard.

Prints a line of JSON per name: what came of it, how often it was asked for, and which servers heard of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import socket
import struct
import sys

PUBLIC = "93.184.216.34"
"""An address of the world; here it is this namespace's own."""
LOCAL = "127.0.0.1"

NAMES: dict[str, list[list[str]]] = {
    # name → its addresses at the first look, the second …
    "steady.example": [[PUBLIC]],
    "turns.example": [[PUBLIC], [LOCAL]],
    "turns6.example": [[PUBLIC], ["::1"]],
    "private.example": [[LOCAL], [PUBLIC]],
    "mixed.example": [[PUBLIC, LOCAL]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "sixtofour.example": [["2002:7f00:1::"]],
    "link.example": [["fe80::1"]],
    "zero.example": [["0.0.0.0"]],
    "metadata.example": [["169.254.169.254"]],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers A and AAAA from `NAMES`, for no time at all; a look is a pair of both questions."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        name = ".".join(labels).lower()
        (kind,) = struct.unpack("!H", data[at + 1 : at + 3])
        looks = NAMES.get(name)
        seen = self.asked.get(name, 0)
        if kind == 1:
            self.asked[name] = seen + 1
        # The question for IPv6 follows that for IPv4, or stands alone.
        look = seen if kind == 1 else max(0, seen - 1)
        found = [] if looks is None else looks[min(look, len(looks) - 1)]
        family = {1: socket.AF_INET, 28: socket.AF_INET6}.get(kind)
        records = [each for each in found if family == (socket.AF_INET6 if ":" in each else socket.AF_INET)]
        head = data[:2] + struct.pack("!HHHHH", 0x8180 if looks else 0x8183, 1, len(records), 0, 0)
        body = data[12 : at + 5]
        for each in records:
            raw = socket.inet_pton(family or socket.AF_INET, each)
            body += b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(raw)) + raw
        self.transport.sendto(head + body, addr)  # type: ignore[attr-defined]  # it is one for datagrams


def raise_up() -> None:
    """The loopback of this namespace, with a public address on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:

        def address(name: bytes, text: str) -> None:
            sockaddr = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))
            fcntl.ioctl(door, 0x8916, struct.pack("16s16s8x", name, sockaddr))

        fcntl.ioctl(door, 0x8914, struct.pack("16sH22x", b"lo", 0x1 | 0x8 | 0x40))
        address(b"lo:1", PUBLIC)


async def main() -> None:
    raise_up()
    from protea.adapters.web import http
    from protea.domain.surroundings import Surroundings
    from protea.ports.web import WebError

    loop = asyncio.get_running_loop()
    _, names = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 53))
    heard: list[str] = []

    def visiting(place: str):  # type: ignore[no-untyped-def]  # a server's callback
        async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                heard.append(place)
                again = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                text = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(place)}\r\n\r\n{place}"
                writer.write((again if "GET /hop" in head else text).encode())
                await writer.drain()
            writer.close()

        return visit

    servers = [await asyncio.start_server(visiting("public"), PUBLIC, 80)]
    servers.append(await asyncio.start_server(visiting("inside"), LOCAL, 80))
    with contextlib.suppress(OSError):
        servers.append(await asyncio.start_server(visiting("inside"), "::1", 80))
    around = Surroundings(cwd="/", root="/", user_home="/h", protea_home="/h/.protea", environment={})
    for url in json.loads(sys.argv[1]):
        heard.clear()
        names.asked.clear()
        web = http.create(http.Options(timeout=10.0), surroundings=around)
        try:
            came = (await web.fetch(url)).text
        except WebError as error:
            came = f"{error.trouble}: {error}"
        await web.aclose()
        sys.stdout.write(json.dumps({"url": url, "came": came, "asked": names.asked, "heard": heard}) + "\n")
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(main())
