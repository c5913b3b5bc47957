"""A control group for all commands of a sandbox, where the machine lets us make one.

It counts what `prlimit` cannot: the memory of all processes together, and processes of root, whom the kernel's own
limit does not bind. Needed is a writable group: root's, or a systemd session that delegates.

There is one for all commands, not one for each, because to move a process into a group takes the kernel up to 20 ms:
the warden is moved once, and whatever it starts is in the group from birth.
"""

from __future__ import annotations

import contextlib
import os
import time


class Groups:
    """Made when there is something to take in. What a crash leaves is removed at the next start."""

    def __init__(self, processes: int, memory: int) -> None:
        self._limits = {
            "v2": {"pids.max": processes, "memory.max": memory, "memory.swap.max": 0},
            "pids": {"pids.max": processes},
            "memory": {"memory.limit_in_bytes": memory},
        }
        self._folders: list[str] | None = None

    def take_in(self, pid: int) -> None:
        """Move a process; never fails."""
        if self._folders is None:
            self._folders = self._make()
        for folder in self._folders:
            with contextlib.suppress(OSError):
                _write(f"{folder}/cgroup.procs", str(pid))

    def _make(self) -> list[str]:
        made: list[str] = []
        for kind, home in _homes().items():
            _sweep(home)
            folder = f"{home}/protea-{os.getpid()}-{time.monotonic_ns() & 0xFFFFFF:x}"
            if not _try_mkdir(folder):
                continue
            for name, value in self._limits[kind].items():
                with contextlib.suppress(OSError):
                    _write(f"{folder}/{name}", str(value))
            made.append(folder)
        return made

    def drop(self) -> None:
        """When nothing is in it any more."""
        for folder in self._folders or ():
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        self._folders = None


def _try_mkdir(folder: str) -> bool:
    try:
        os.mkdir(folder, 0o755)
    except OSError:
        return False
    return True


def _homes() -> dict[str, str]:
    """Kind → the folder of our own group, where groups can be made in it."""
    found: dict[str, str] = {}
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return found
    for line in lines:
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if "pids" in names.split(","):
            found["pids"] = f"/sys/fs/cgroup/pids{path.rstrip('/')}"
        elif "memory" in names.split(","):
            found["memory"] = f"/sys/fs/cgroup/memory{path.rstrip('/')}"
        elif not names and not found:
            # Version 2: children may have limits only if the group hands its controllers on, and then it holds no
            # processes itself; so a place beside ours is taken.
            found["v2"] = os.path.dirname(f"/sys/fs/cgroup{path.rstrip('/')}")
    if len(found) > 1:
        found.pop("v2", None)
    return {kind: home for kind, home in found.items() if os.access(home, os.W_OK) and _hands_on(kind, home)}


def _hands_on(kind: str, home: str) -> bool:
    if kind != "v2":
        return True
    try:
        with open(f"{home}/cgroup.subtree_control", encoding="utf-8") as file:
            handed = file.read().split()
    except OSError:
        return False
    return {"pids", "memory"} <= set(handed) and home.startswith("/sys/fs/cgroup/")


def _sweep(home: str) -> None:
    with contextlib.suppress(OSError):
        for name in os.listdir(home):
            if name.startswith("protea-"):
                with contextlib.suppress(OSError):  # only an empty group can be removed
                    os.rmdir(f"{home}/{name}")


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
