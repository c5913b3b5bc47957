"""What the screen remembers from one run to the next: which panes were open, how wide, what was put aside."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import msgspec


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """The file `tui.json` in Protea's own folder."""

    open: tuple[str, ...] = ()
    """Panes."""
    widths: dict[str, int] = {}
    stash: str = ""
    welcomed: bool = False
    """Whether the first run has been gone through."""


def recall(path: str) -> Remembered:
    """What the file holds; nothing where it holds nothing that is understood."""
    with suppress(OSError, msgspec.MsgspecError), open(path, "rb") as file:
        return msgspec.json.decode(file.read(), type=Remembered)
    return Remembered()


def remember(path: str, what: Remembered) -> None:
    """Keep it. A folder that cannot be written is no obstacle."""
    beside = f"{path}.{os.getpid()}.new"
    with suppress(OSError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(msgspec.json.encode(what))
        os.replace(beside, path)


def changed(what: Remembered, **fields: Any) -> Remembered:
    return msgspec.structs.replace(what, **fields)
