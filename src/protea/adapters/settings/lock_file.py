"""`profile.lock` and the texts its hashes stand for. Called by the composition.

The file holds a table per profile. The texts lie in Protea's home under their hash, so that a drift can be shown as a
diff on the machine where it was locked; elsewhere it is told by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import msgspec

from protea.adapters.settings._parsing import parse, read
from protea.adapters.settings._regular import read_regular
from protea.adapters.settings._writing import replace_file
from protea.domain.errors import ConfigError
from protea.domain.lock import digest

NAME = "profile.lock"
_HEAD = """\
# What each profile was made of when it was locked: the hash of every text a model is shown before anyone has spoken.
# Written by `protea profile lock`; a drift is shown at the start, and refused with --frozen.
"""


def read_lock(path: str) -> dict[str, dict[str, str]]:
    """Profile → item → hash; empty where there is no file. Raises `ConfigError` for one that cannot be read."""
    text = read(path)
    if text is None:
        return {}
    try:
        return msgspec.convert(parse(text, path), dict[str, dict[str, str]])
    except msgspec.ValidationError as error:
        raise ConfigError(f"this is no lock file: {error}; `protea profile lock` writes it anew", path) from None


def write_lock(path: str, profile: str, texts: Mapping[str, str], folder: str) -> None:
    """Lock one profile and leave the others as they are. Keeps the texts in `folder`. Raises `StoreError`."""
    locked = read_lock(path) | {profile: {item: digest(text) for item, text in texts.items()}}
    lines = [_HEAD]
    for name, items in sorted(locked.items()):
        lines.append(f"\n[{_quoted(name)}]\n")
        lines += [f"{_quoted(item)} = {_quoted(hash)}\n" for item, hash in sorted(items.items())]
    for text in texts.values():
        replace_file(_place(folder, digest(text)), text)
    replace_file(path, "".join(lines))


def texts_of(folder: str, hashes: Iterable[str]) -> dict[str, str]:
    """Hash → text, of those that are kept here and are what their hash says."""
    found = {}
    for hash in hashes:
        data = read_regular(_place(folder, hash)) if hash.removeprefix("sha256:").isalnum() else None
        if data is not None and digest(text := data.decode("utf-8", "replace")) == hash:
            found[hash] = text
    return found


def _place(folder: str, hash: str) -> str:
    return os.path.join(folder, hash.removeprefix("sha256:"))


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
