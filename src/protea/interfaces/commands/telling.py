"""Where commands stand, and how they print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from protea.interfaces.json_lines import json_line


class Place(msgspec.Struct, frozen=True):
    """What a command knows of where it was typed, besides the gateway."""

    cwd: str
    user_home: str
    write: Callable[[str], None]
    """To standard output."""


def as_json(value: Any) -> str:
    """Indented JSON for people and programs alike, newline included."""
    return msgspec.json.format(json_line(value), indent=2).decode().rstrip() + "\n"
