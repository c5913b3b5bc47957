"""How commands print JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from protea.interfaces.json_lines import json_line


def as_json(value: Any) -> str:
    """Indented JSON for people and programs alike, newline included."""
    return msgspec.json.format(json_line(value), indent=2).decode().rstrip() + "\n"
