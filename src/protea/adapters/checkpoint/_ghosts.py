"""Stand-ins that a sandbox has put into the workspace and will remove: no command's doing, and not to be undone.

A sandbox writes down what it puts before it puts it, in files of NUL-separated paths in `sandbox/` beneath Protea's
home, and removes it a moment after the command has ended: whoever looks in that moment finds them listed there.
"""

from __future__ import annotations

import contextlib
import os

import msgspec


class Ghosts(msgspec.Struct, frozen=True):
    """What stands in for something at one moment."""

    paths: frozenset[bytes] = frozenset()

    def hold(self, path: bytes) -> bool:
        """Whether it is one still. What something was put into has become somebody's."""
        if path not in self.paths:
            return False
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                return not os.listdir(path)
            return os.lstat(path).st_size <= 2
        except OSError:
            return True


def ghosts(protea_home: str) -> Ghosts:
    """Those that stand now."""
    found: set[bytes] = set()
    folder = f"{protea_home}/sandbox"
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                fd = os.open(f"{folder}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    found.update(os.read(fd, 1 << 20).split(b"\0"))
                finally:
                    os.close(fd)
    return Ghosts(frozenset(found - {b""}))
