"""How much is logged: `debug`, or by area: `providers=debug,mcp=info`. Pure."""

from __future__ import annotations

NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "off": 60}
"""As the standard library counts them; `off` is above them all."""
DEFAULT = NUMBERS["warning"]


def levels(text: str) -> dict[str, int]:
    """Area → level; the area of all others is the empty string. Raises `ValueError` in words for a person."""
    found = {"": DEFAULT}
    for part in text.split(","):
        area, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals:
            area, name = "", area
        if not name and not area:
            continue
        if name.lower() not in NUMBERS or (equals and not area):
            raise ValueError(f"{part.strip()!r} is not a log level: use {', '.join(NUMBERS)}, or AREA=LEVEL")
        found[area.removeprefix("protea.")] = NUMBERS[name.lower()]
    return found
