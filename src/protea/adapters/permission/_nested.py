"""Repositories within a repository: `git status` and `git diff` go into each, and there its own configuration holds.

Only what the index says is a repository is gone into, with or without `.gitmodules`.
"""

from __future__ import annotations

import os
import struct

MOST = 500
"""Nested repositories that are looked at; more ask."""
LARGEST = 1 << 28
"""Bytes of an index."""
_MARK = b"\x00\x00\xe0\x00"
"""The mode of an entry that is a repository. Where it stands nowhere, there is none."""


def nested(repository: str) -> tuple[str, ...] | None:
    """The paths of repositories in the index of `repository`, from its top; None where that cannot be told."""
    try:
        with open(os.path.join(repository, "index"), "rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return ()
    except OSError:
        return None
    if len(content) > LARGEST:
        return None
    if _MARK not in content:
        return ()
    try:
        return _entries(content)
    except (struct.error, IndexError, ValueError):
        return None


def _entries(content: bytes) -> tuple[str, ...] | None:
    signature, version, count = struct.unpack_from(">4sII", content)
    if signature != b"DIRC" or version not in (2, 3):
        return None
    # With names twice as long as SHA-1's the padding does not add up, and the reading below fails.
    found, at = [], 12
    for _ in range(count):
        (mode,) = struct.unpack_from(">I", content, at + 24)
        (flags,) = struct.unpack_from(">H", content, at + 60)
        start = at + 62 + (2 if version > 2 and flags & 0x4000 else 0)
        end = content.index(b"\x00", start)
        if mode not in (0o100644, 0o100755, 0o120000, 0o160000, 0o040000):
            return None
        if mode == 0o160000:
            found.append(os.fsdecode(content[start:end]))
            if len(found) > MOST:
                return None
        at += (end - at) // 8 * 8 + 8
    return tuple(found)
