"""`protea ports`: every port, how it is swapped, what can fill it and what does."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import table


class PortRow(msgspec.Struct, frozen=True):
    """One port, as `cli` gathers it from the catalogue and the settings."""

    name: str
    swap_class: str
    adapters: tuple[str, ...]
    filled_by: str
    """An adapter's name, or `by name` where each use chooses one."""


def show_ports(arguments: Arguments, place: Place, rows: Sequence[PortRow]) -> int:
    if arguments.has("json"):
        place.write(as_json(rows))
        return 0
    lines = [[row.name, row.swap_class, row.filled_by, ", ".join(row.adapters)] for row in rows]
    place.write(table(["PORT", "SWAP", "FILLED BY", "ADAPTERS"], lines))
    return 0
