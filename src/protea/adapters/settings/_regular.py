"""Reads small regular files and nothing else: what lies in a project may be a FIFO or a device, or have no end."""

from __future__ import annotations

import os
import stat

from protea.domain.errors import ConfigError

LARGEST = 1 << 20
"""Bytes. A file of settings is far smaller; what is longer is the wrong file."""


def read_regular(path: str) -> bytes | None:
    """What the file says, None where there is none. Never waits. Raises `ConfigError` for what cannot be read."""
    try:
        # O_NONBLOCK: a FIFO is opened at once, and then refused.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from None
    blocks: list[bytes] = []
    size = 0
    try:
        kind = os.fstat(fd).st_mode
        if not stat.S_ISREG(kind):
            raise ConfigError(f"cannot be read: {'is a directory' if stat.S_ISDIR(kind) else 'it is no file'}", path)
        while size <= LARGEST and (block := os.read(fd, LARGEST + 1 - size)):
            blocks.append(block)
            size += len(block)
    except OSError as error:
        raise ConfigError(f"cannot be read: {(error.strerror or str(error)).lower()}", path) from None
    finally:
        os.close(fd)
    if size > LARGEST:
        raise ConfigError(f"cannot be read: it is larger than {LARGEST >> 20} MiB", path)
    return b"".join(blocks)
