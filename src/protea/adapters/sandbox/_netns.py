"""Listening sockets on another network namespace's loopback: how a command without a network reaches a proxy of ours.

A socket belongs for good to the namespace it was made in, whoever holds it. So a short process of its own enters the
namespace of the command's first process, makes the sockets there and hands them over; what connects to those ports
inside is accepted here, outside. Nothing has to run inside, no interface and no address is added.

Run as `python -I -S -c …` by `listeners`: entering a user namespace needs a process with one thread.
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
import sys
from collections.abc import Sequence

PORT = 3128
"""Where the proxy listens, in a loopback that is the command's own."""
PATIENCE = 20.0
NS_GET_USERNS = 0xB701
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
_HERE = os.path.dirname(os.path.abspath(__file__))


async def listeners(pid: int, ports: Sequence[int]) -> list[socket.socket]:
    """Sockets that listen on 127.0.0.1 of the namespace `pid` is in. Raises `OSError`."""
    ours, theirs = socket.socketpair()
    what = f"_netns.main({pid}, {theirs.fileno()}, {[*ports]})"
    code = f"import sys; sys.path.append({_HERE!r}); import _netns; {what}"
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", code),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()
        async with asyncio.timeout(PATIENCE):
            _, said = await process.communicate()
        if process.returncode:
            last = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
            raise OSError(1, f"nothing was run: the network of the sandbox cannot be entered ({last[0]})")
        ours.setblocking(False)
        _, fds, _, _ = socket.recv_fds(ours, 1, len(ports))
        made = [socket.socket(fileno=fd) for fd in fds]
        for door in made:
            door.setblocking(False)
        return made
    except TimeoutError as error:
        raise OSError(110, "nothing was run: the network of the sandbox could not be entered in time") from error
    finally:
        ours.close()
        theirs.close()


def main(pid: int, fd: int, ports: Sequence[int]) -> None:
    enter(pid)
    doors = []
    for port in ports:
        door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen(64)
        doors.append(door)
    with socket.socket(fileno=fd) as way:
        handed = array.array("i", [door.fileno() for door in doors])
        way.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed)])


def enter(pid: int) -> None:
    """The network namespace of a process, by way of the user namespace that owns it. Raises `OSError`."""
    import ctypes
    import fcntl

    libc = ctypes.CDLL(None, use_errno=True)

    def move(namespace: int, kind: int) -> None:
        if libc.setns(namespace, kind) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    network = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    owner = fcntl.ioctl(network, NS_GET_USERNS)
    if os.fstat(owner).st_ino != os.stat("/proc/self/ns/user").st_ino:
        move(owner, CLONE_NEWUSER)
    move(network, CLONE_NEWNET)
