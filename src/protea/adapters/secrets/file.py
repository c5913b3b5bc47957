"""Keys from files that nobody else can read."""

from __future__ import annotations

import os
import stat

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.domain.surroundings import Surroundings

LIMIT = 1 << 16
"""Bytes. A key is short; what is longer is the wrong file."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


def create(options: Options, *, surroundings: Surroundings) -> FileSecrets:
    return FileSecrets(surroundings.user_home, surroundings.protea_home)


class FileSecrets:
    def __init__(self, user_home: str, protea_home: str) -> None:
        self._user_home, self._protea_home = user_home, protea_home

    async def key(self, provider: str, settings: ProviderSettings) -> str | None:
        if settings.api_key_file is None:
            return None
        name = settings.api_key_file
        path = os.path.join(self._user_home, name[2:]) if name.startswith("~/") else name
        return read(os.path.join(self._protea_home, path))


def read(path: str) -> str:
    """The first line of the file. Raises `ConfigError` where it is missing, empty or open to others."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ConfigError(f"the key cannot be read: {(error.strerror or str(error)).lower()}", path) from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError("a key must be in a file, and this is none", path)
        if status.st_mode & 0o077:
            raise ConfigError(f"others may read this key: run chmod 600 {path}", path)
        if status.st_uid not in (os.getuid(), 0):
            raise ConfigError("this key belongs to somebody else, who could change it", path)
        data = os.read(fd, LIMIT + 1)
    finally:
        os.close(fd)
    key = data.decode("utf-8", "replace").strip().split("\n")[0].strip()
    if not key or len(data) > LIMIT:
        raise ConfigError("there is no key in this file" if not key else "this is too long to hold a key", path)
    return key
