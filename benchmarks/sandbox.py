"""What bubblewrap adds to a command: `/bin/true` through the sandbox port with and without walls, in turns.

And what the egress proxy adds to a request: the same requests to a server on this machine's loopback, from inside the
walls through the proxy, and from outside straight to it, in turns.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Pair, Report, Sample, median, rounds
from project import make_project

from protea.adapters.http.guard import Guard
from protea.adapters.sandbox import bubblewrap, none
from protea.adapters.sandbox._egress import Way
from protea.adapters.sandbox._obstacles import find_bwrap
from protea.adapters.sandbox._places import roots_of
from protea.domain.surroundings import Surroundings
from protea.ports.sandbox import Launch, Sandbox

TRUE = "/bin/true"


async def once(sandbox: Sandbox, cwd: str) -> Sample:
    begin = time.perf_counter()
    process = await sandbox.start(Launch(argv=(TRUE,), cwd=cwd, env={}, merge=True, writable=(cwd,)))
    while await process.read():
        pass
    ended = await process.wait()
    process.close()
    if ended.code != 0:
        sys.exit(f"{TRUE} ended with {ended}")
    return Sample(time.perf_counter() - begin, 0.0, 0.0, b"")


def surroundings(folder: Path) -> Surroundings:
    project = make_project(folder / "home/project")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    cwd = os.path.realpath(project)
    return Surroundings(
        cwd=cwd,
        root=cwd,
        user_home=os.path.dirname(cwd),
        protea_home=os.path.dirname(cwd) + "/.protea",
        environment={"PATH": os.environ["PATH"]},
    )


def alone() -> Sample:
    words = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc"]
    begin = time.perf_counter()
    subprocess.run([*words, "--dev", "/dev", TRUE], check=True)
    return Sample(time.perf_counter() - begin, 0.0, 0.0, b"")


async def compare(report: Report, around: Surroundings, count: int) -> None:
    cwd = around.cwd
    walls, open_field = bubblewrap.create(bubblewrap.Options(), surroundings=around), none.create(none.Options())
    try:
        begin = time.perf_counter()
        await once(walls, cwd)
        report.figure("the first command: a try, and a look around", (time.perf_counter() - begin) * 1e3, None, "ms")
        await once(open_field, cwd)
        pair, least = Pair([], []), []
        for _ in range(count):
            pair.ours.append(await once(walls, cwd))
            pair.beside.append(await once(open_field, cwd))
            least.append(await asyncio.to_thread(alone))
        added = (median(pair.ours) - median(pair.beside)) * 1e3
        note = f"{median(pair.ours) * 1e3:.1f} ms beside {median(pair.beside) * 1e3:.1f} ms"
        report.figure("bubblewrap adds to a command", added, 15.0, "ms", note)
        report.figure("bwrap with three namespaces and no policy", median(least) * 1e3, None, "ms")
    finally:
        await walls.aclose()
        await open_field.aclose()


REQUESTS = 40
ASK = """
import socket, statistics, sys, time
how, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
place = ("127.0.0.1", port if how == "straight" else 3128)
host = f"server.example:{port}"
def read(door, until):
    data = b""
    while until not in data:
        data += door.recv(65536)
    return data
took = []
for _ in range(count):
    begin = time.perf_counter()
    with socket.create_connection(place) as door:
        if how == "tunnelled":
            door.sendall(f"CONNECT {host} HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode())
            assert b" 200 " in read(door, b"\\r\\n\\r\\n")
        path = f"http://{host}/" if how == "passed on" else "/"
        door.sendall(f"GET {path} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n".encode())
        assert read(door, b"HELLO")
    took.append(time.perf_counter() - begin)
print(statistics.median(took))
"""
"""Each request on a connection of its own, as most programs of the shell make them."""


async def ask(sandbox: Sandbox, cwd: str, how: str, port: int) -> float:
    argv = (sys.executable, "-I", "-S", "-c", ASK, how, str(port), str(REQUESTS))
    process = await sandbox.start(Launch(argv=argv, cwd=cwd, env={}, merge=True, writable=(cwd,), network=True))
    out = b""
    while chunk := await process.read():
        out += chunk.data
    ended = await process.wait()
    process.close()
    if ended.code != 0:
        sys.exit(f"asking {how} ended with {ended}: {out.decode(errors='replace')[-1500:]}")
    return float(out)


async def proxy(report: Report, around: Surroundings, count: int) -> None:
    async def resolver(name: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nHELLO")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    way = Way((f"server.example:{port}",), Guard(frozenset({port}), frozenset({port}), resolver))
    # A system's own Python may be shown; one of a person's home lies behind the walls.
    options = bubblewrap.Options(readable=(sys.base_prefix, sys.prefix))
    bwrap = find_bwrap(around.environment["PATH"], ())
    walls = bubblewrap.BubblewrapSandbox(options, around, roots_of(around), bwrap or "", way)
    open_field = none.create(none.Options())
    took: dict[str, list[float]] = {"straight": [], "passed on": [], "tunnelled": []}
    try:
        for _ in range(count):
            for how, found in took.items():
                found.append(await ask(open_field if how == "straight" else walls, around.cwd, how, port))
    finally:
        await walls.aclose()
        await open_field.aclose()
        server.close()
    straight = statistics.median(took["straight"]) * 1e3
    for how in ("passed on", "tunnelled"):
        through = statistics.median(took[how]) * 1e3
        note = f"{through:.2f} ms beside {straight:.2f} ms straight to it"
        report.figure(f"the egress proxy adds, {how}", through - straight, None, "ms", note)


def main() -> None:
    report = Report("sandbox")
    with tempfile.TemporaryDirectory() as folder:
        around = surroundings(Path(folder))
        why = bubblewrap.obstacle(around)
        if why is not None:
            sys.exit(f"bubblewrap cannot be measured here: {why}")
        asyncio.run(compare(report, around, rounds(60)))
        asyncio.run(proxy(report, around, rounds(5)))
    report.exit()


if __name__ == "__main__":
    main()
