"""Commands that may reach some domains and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from protea.adapters.http.guard import Guard
from protea.adapters.sandbox import bubblewrap, docker
from protea.adapters.sandbox._egress import Egress, Way, way_to
from protea.adapters.sandbox._engine import Engine
from protea.adapters.sandbox._obstacles import find_bwrap
from protea.adapters.sandbox._places import roots_of
from protea.domain.errors import ConfigError
from protea.ports.sandbox import Sandbox
from protea.testing.contracts.sandbox import PATH
from tests.adapters.sandbox.engine import OPTIONS
from tests.adapters.sandbox.test_walls import adapters
from tests.adapters.sandbox.walled import World, make, run

NAMES = {
    "good.example": ["127.0.0.1"],
    "sub.good.example": ["127.0.0.1"],
    "evil.example": ["127.0.0.1"],
    "private.example": ["10.1.2.3"],
    "mixed.example": ["93.184.216.34", "169.254.169.254"],
}
"""A name server of the test's own."""


async def resolver(name: str, port: int) -> list[str]:
    if name not in NAMES:
        raise OSError("no such name")
    return NAMES[name]


class Listening:
    """A server on this machine's loopback that keeps what it was told and answers."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = 0

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(65536)
        self.heard.append(data)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHELLO")
        writer.close()


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    made = Listening()
    server = await asyncio.start_server(made.visit, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture(params=adapters())
async def sandbox(world: World, listening: Listening, request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """One that lets out to two of the names, at the port where the server listens."""
    port = listening.port
    domains = tuple(f"{name}:{port}" for name in ("good.example", "*.good.example", "private.example"))
    way = Way(domains, Guard(frozenset({80, 443, port}), frozenset({port}), resolver))
    around = world.surroundings()
    made: Sandbox
    if request.param == "docker":
        made = docker.ContainerSandbox(OPTIONS, around, roots_of(around), Engine(OPTIONS.socket or ""), way)
    else:
        bwrap = find_bwrap(PATH, ())
        assert bwrap
        made = bubblewrap.BubblewrapSandbox(bubblewrap.Options(), around, roots_of(around), bwrap, way)
    yield made
    await made.aclose()


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make(tmp_path_factory.mktemp("world"))


FETCH = """
import socket, sys, urllib.request
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=20).read().decode())
    except Exception as error:
        print("NO", error)
"""


async def test_only_the_named_hosts_are_reached(world: World, sandbox: Sandbox, listening: Listening) -> None:
    world.path("fetch.py").write_text(FETCH)
    urls = [f"http://{name}:{listening.port}/x?y=1" for name in ("good.example", "sub.good.example", "evil.example")]
    direct = f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {listening.port}))' && echo DIRECT"
    around = f"""python3 - <<'END'
import socket
s = socket.create_connection(("127.0.0.1", 3128))
s.sendall(b"CONNECT 127.0.0.1:{listening.port} HTTP/1.1\\r\\n\\r\\n")
print(s.recv(99).split(b"\\r\\n")[0])
END"""
    private = f"http://private.example:{listening.port}/"
    out, _ = await run(sandbox, world.launch(f"python3 fetch.py {' '.join(urls)} {private}; {direct}; {around}"))
    lines = [line for line in out.splitlines() if line.startswith(("HELLO", "NO", "DIRECT", "b'"))]
    assert lines[:2] == ["HELLO", "HELLO"]
    assert lines[2:] == ["NO HTTP Error 403: Forbidden"] * 2 + ["b'HTTP/1.1 403 Forbidden'"]
    assert [data.split(b"\r\n")[0] for data in listening.heard] == [b"GET /x?y=1 HTTP/1.1"] * 2
    assert all(b"proxy" not in data.lower() for data in listening.heard)


async def test_a_command_that_may_not_use_the_network_has_no_proxy(world: World, sandbox: Sandbox) -> None:
    from msgspec.structs import replace

    script = "env | grep -i proxy= ; python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 3128))'"
    out, code = await run(sandbox, replace(world.launch(script), network=False))
    assert "ConnectionRefusedError" in out
    assert "3128" not in out.replace('("127.0.0.1", 3128)', "")
    assert code != 0


@pytest.mark.parametrize("adapter", adapters())
async def test_a_named_port_of_this_machine_stands_open_as_it_is(
    world: World, listening: Listening, adapter: str
) -> None:
    sandbox = world.sandbox(adapter, allow_domains=(f"localhost:{listening.port}",))
    assert "network" in sandbox.walls
    try:
        script = f"exec 3<>/dev/tcp/127.0.0.1/{listening.port}; echo hi >&3; cat <&3"
        out, _ = await run(sandbox, world.launch(script))
        assert out.endswith("HELLO")
        assert listening.heard == [b"hi\n"]
    finally:
        await sandbox.aclose()


# ── the proxy by itself ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def proxy(listening: Listening) -> AsyncIterator[int]:
    import socket

    port = listening.port
    domains = ("good.example", f"good.example:{port}", f"*.good.example:{port}", "mixed.example", "private.example")
    egress = Egress(Way(domains, Guard(frozenset({80, 443, port}), frozenset({port}), resolver)))
    door = socket.create_server(("127.0.0.1", 0))
    door.setblocking(False)
    await egress.serve(door)
    yield door.getsockname()[1]
    egress.close()


async def say(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    async with asyncio.timeout(30):
        said = await reader.read()
    writer.close()
    return said


REFUSED = {
    "another host": b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
    "a suffix of a name": b"CONNECT notgood.example:443 HTTP/1.1\r\n\r\n",
    "a name that goes on": b"CONNECT good.example.evil.example:443 HTTP/1.1\r\n\r\n",
    "a name with a dot before a port nobody named": b"CONNECT good.example:22 HTTP/1.1\r\n\r\n",
    "a number": b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n",
    "a number in one piece": b"CONNECT 2130706433:443 HTTP/1.1\r\n\r\n",
    "a number in brackets": b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
    "a private address behind a good name": b"CONNECT private.example:443 HTTP/1.1\r\n\r\n",
    "one private address among two": b"CONNECT mixed.example:443 HTTP/1.1\r\n\r\n",
    "plain HTTP to another host": b"GET http://evil.example/ HTTP/1.1\r\nHost: good.example\r\n\r\n",
    "plain HTTP to a private address": b"GET http://private.example/ HTTP/1.1\r\n\r\n",
    "a NUL in a name": b"CONNECT evil.example\0.good.example:443 HTTP/1.1\r\n\r\n",
}
MISTAKEN = {
    "a name before the host": b"GET http://good.example@evil.example/ HTTP/1.1\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nHost: good.example\r\n\r\n",
    "another scheme": b"GET ftp://good.example/ HTTP/1.1\r\n\r\n",
    "no port": b"CONNECT good.example HTTP/1.1\r\n\r\n",
    "a port that is none": b"CONNECT good.example:99999 HTTP/1.1\r\n\r\n",
    "a line that ends twice": b"GET http://good.example/ HTTP/1.1\r\nX: a\nHost: evil.example\r\n\r\n",
    "a request in a header": b"GET http://good.example/ HTTP/1.1\r\nX: a\n\nGET / HTTP/1.1\nHost: evil.example\r\n\r\n",
    "a line in the method": b"A\nHost:evil.example http://good.example/ HTTP/1.1\r\n\r\n",
    "a carriage return": b"GET http://good.example/ HTTP/1.1\r\nX: a\rHost: evil.example\r\n\r\n",
    "two lengths": b"POST http://good.example/ HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n",
    "a length and chunks": (
        b"POST http://good.example/ HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "another protocol": b"HELO good.example\r\n\r\n",
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED.keys())
async def test_it_refuses(proxy: int, listening: Listening, request_: bytes) -> None:
    assert (await say(proxy, request_)).startswith(b"HTTP/1.1 403 ")
    assert listening.heard == []


@pytest.mark.parametrize("request_", MISTAKEN.values(), ids=MISTAKEN.keys())
async def test_it_does_not_understand(proxy: int, listening: Listening, request_: bytes) -> None:
    assert (await say(proxy, request_)).startswith(b"HTTP/1.1 400 ")
    assert listening.heard == []


async def test_it_tunnels(proxy: int, listening: Listening) -> None:
    request = b"CONNECT Good.Example.:%d HTTP/1.1\r\nHost: x\r\n\r\nraw bytes" % listening.port
    said = await say(proxy, request)
    assert said.startswith(b"HTTP/1.1 200 Connection established\r\n\r\n")
    assert said.endswith(b"HELLO")
    assert listening.heard == [b"raw bytes"]


async def test_behind_one_plain_request_nothing_more_is_sent(proxy: int, listening: Listening) -> None:
    first = b"POST http://good.example:%d/a HTTP/1.1\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"
    second = b"GET http://evil.example/ HTTP/1.1\r\n\r\n"
    said = await say(proxy, first % listening.port + second)
    assert said.endswith(b"HELLO")
    host = b"Host: good.example:%d" % listening.port
    assert listening.heard == [b"POST /a HTTP/1.1\r\n%b\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi" % host]


async def test_a_server_is_told_the_host_that_was_asked_about_and_no_other(proxy: int, listening: Listening) -> None:
    request = b"GET http://good.example:%d/a HTTP/1.1\r\nHost: evil.example\r\nhost : evil.example\r\nX: 1\r\n\r\n"
    await say(proxy, request % listening.port)
    expected = b"GET /a HTTP/1.1\r\nHost: good.example:%d\r\nX: 1\r\nConnection: close\r\n\r\n"
    assert listening.heard == [expected % listening.port]


@pytest.mark.parametrize(
    ("domains", "why"),
    [
        (["*"], "any host"),
        (["*:443"], "any host"),
        ([""], "any host"),
        (["localhost"], "needs a port"),
        (["127.0.0.1"], "needs a port"),
        (["127.1"], "needs a port"),
        (["localhost:3128"], "any but 3128"),
        (["https://example.org"], "is no host"),
        (["a b"], "is no host"),
        (["ex*mple.org"], "is no host"),
        (["example.org:x"], "is no host"),
        (["me@example.org"], "is no host"),
    ],
)
def test_what_cannot_be_meant_is_told(domains: list[str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        way_to(domains)
