"""`protea plugins list`: what other packages bring, which of it is used, and why some of it cannot be."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import table


class PluginRow(msgspec.Struct, frozen=True, kw_only=True):
    """One adapter of a package, as `cli` gathers it. Nothing of it was loaded."""

    package: str
    version: str
    port: str
    adapter: str
    module: str
    used: bool
    """Whether it fills its port here and now."""
    problem: str = ""


def list_plugins(arguments: Arguments, place: Place, rows: Sequence[PluginRow]) -> int:
    if arguments.has("json"):
        place.write(as_json(rows))
        return 0
    if not rows:
        place.write("No package brings anything: docs/plugins.md says how one does.\n")
    lines = [[row.package, row.version, row.port, row.adapter, "used" if row.used else "", row.problem] for row in rows]
    place.write(table(["PACKAGE", "VERSION", "PORT", "ADAPTER", "", ""], lines) if rows else "")
    return 0
