"""Control groups for a command with all its processes, where the machine lets us make any.

They count what `prlimit` cannot: the memory of all processes together, and processes of root, whom the kernel's own
limit does not bind. Needed are writable groups: root, or a systemd session that delegates. Without, `prlimit` is all.
"""

from __future__ import annotations

import contextlib
import os
import time


class Groups:
    """Makes a group per command and controller. What a crash leaves is removed at the next start."""

    def __init__(self) -> None:
        self._homes: dict[str, str] | None = None
        self._count = 0

    def make(self, processes: int, memory: int) -> tuple[str, ...]:
        """Folders of new groups with these limits, none where there cannot be any. Their supervisor removes them."""
        if self._homes is None:
            self._homes = _homes()
            for home in set(self._homes.values()):
                _sweep(home)
        self._count += 1
        made: list[str] = []
        for kind, home in self._homes.items():
            folder = f"{home}/protea-{os.getpid()}-{self._count}-{time.monotonic_ns() & 0xFFFFFF:x}"
            if folder not in made and not _try_mkdir(folder):
                continue
            limits = {
                "v2": {"pids.max": processes, "memory.max": memory, "memory.swap.max": 0},
                "pids": {"pids.max": processes},
                "memory": {"memory.limit_in_bytes": memory},
            }[kind]
            for name, value in limits.items():
                with contextlib.suppress(OSError):
                    _write(f"{folder}/{name}", str(value))
            made.append(folder)
        return tuple(made)

    def drop(self, folders: tuple[str, ...]) -> None:
        for folder in folders:
            with contextlib.suppress(OSError):
                os.rmdir(folder)


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
