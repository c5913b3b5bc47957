"""`protea config …`: settings, shown with who set them, and changed one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from protea.domain.redaction import setting
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import table
from protea.interfaces.terminal import one_line, say


class Configuration(Protocol):
    """What is needed of the settings; the composition has it."""

    def entries(self) -> list[tuple[str, Any, str]]:
        """(dotted key, value, who set it)."""
        ...

    def read(self, key: str) -> Any: ...

    def write(self, key: str, value: str, *, project: bool) -> str:
        """Set a key and return the file it is now in."""
        ...

    def edit(
        self, editor: Callable[[str], int], *, project: bool
    ) -> tuple[str, tuple[str, ...], list[tuple[str, Any, Any]]]:
        """Let `editor` change a file: (the file, what will be passed over, (key, before, after))."""
        ...

    def files(self) -> dict[str, str]: ...

    def schema(self) -> dict[str, Any]: ...


def run_config(arguments: Arguments, place: Place, configuration: Configuration, editor: Callable[[str], int]) -> int:
    match arguments.name:
        case "config show":
            _show(arguments, place, configuration)
        case "config path":
            _paths(arguments, place, configuration)
        case "config get":
            value = configuration.read(arguments.words[0])
            if value is None:
                return 1  # nothing is printed: in a script, not set is an answer
            place.write(as_json(value) if arguments.has("json") or not isinstance(value, str) else f"{value}\n")
        case "config set":
            key, value = arguments.words
            file = configuration.write(key, value, project=arguments.has("project"))
            place.write(f"{key} is set in {file}\n")
        case "config edit":
            _tell_edited(place, *configuration.edit(editor, project=arguments.has("project")))
        case _:
            place.write(as_json(configuration.schema()))
    return 0


def _tell_edited(place: Place, file: str, warnings: Sequence[str], changes: Sequence[tuple[str, Any, Any]]) -> None:
    for warning in warnings:
        say(warning)
    if not changes:
        place.write(f"{file}: nothing is set otherwise than before\n")
        return
    rows = [[key, _told(key, before), "→", _told(key, after)] for key, before, after in changes]
    place.write(f"{file}\n" + table(None, rows))


def _told(key: str, value: Any) -> str:
    if value is None:
        return "(not set)"
    return one_line(_shown(setting(key, value)), 50)


def _show(arguments: Arguments, place: Place, configuration: Configuration) -> None:
    wanted = arguments.words[0] if arguments.words else ""
    if wanted:
        configuration.read(wanted)  # raises for a key that is none
    found = [
        (key, setting(key, value), source)
        for key, value, source in configuration.entries()
        if not wanted or key == wanted or key.startswith(wanted + ".")
    ]
    if arguments.has("json"):
        place.write(as_json([{"key": key, "value": value, "source": source} for key, value, source in found]))
        return
    rows = [[key, one_line(_shown(value), 60), source] for key, value, source in found]
    place.write(table(["KEY", "VALUE", "SET BY"], rows) or "nothing is set\n")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _paths(arguments: Arguments, place: Place, configuration: Configuration) -> None:
    files = [(whose, file, os.path.isfile(file)) for whose, file in configuration.files().items()]
    if arguments.has("json"):
        place.write(as_json([{"whose": whose, "file": file, "exists": there} for whose, file, there in files]))
        return
    place.write(table(None, [[whose, file, "" if there else "(not there)"] for whose, file, there in files]))
