"""What other packages bring, by the entry points `protea.<port>`: found by name, looked over, loaded when named.

Called by `resolve` for a name the catalogue has not, and by `cli` for lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, distributions, entry_points
from typing import Any

import msgspec

from protea.composition.catalogue import CATALOGUE
from protea.domain.errors import ConfigError, ProteaError
from protea.domain.spelling import nearest

GROUP = "protea."
"""The beginning of an entry point group; the port's name is the rest."""


class UnknownAdapterError(ConfigError):
    """No adapter has that name, here or in another package."""


class MissingPackageError(ConfigError):
    """The adapter is there, and what it is written over is not installed."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """An adapter that a package says it brings; nothing of it was loaded."""

    package: str
    version: str
    port: str
    adapter: str
    module: str
    problem: str = ""
    """Why naming it would not get it."""


def brought() -> list[Brought]:
    """All of them, by package, port and name."""
    found = [
        Brought(
            package=distribution.name,
            version=distribution.version,
            port=entry.group.removeprefix(GROUP),
            adapter=entry.name,
            module=entry.value,
        )
        for distribution in distributions()
        for entry in distribution.entry_points
        if entry.group.startswith(GROUP)
    ]
    places: dict[tuple[str, str], set[str]] = {}
    for each in found:
        places.setdefault((each.port, each.adapter), set()).add(each.package)
    told = (msgspec.structs.replace(each, problem=_problem(each, places[each.port, each.adapter])) for each in found)
    return sorted(dict.fromkeys(told), key=lambda each: (each.package, each.port, each.adapter))


def _problem(each: Brought, packages: set[str]) -> str:
    if each.port not in CATALOGUE:
        near = nearest(each.port, CATALOGUE)
        return f"there is no port {each.port}" + (f"; did it mean {near}?" if near else "")
    if each.adapter in CATALOGUE[each.port]:
        return f"hidden: Protea itself has an adapter {each.adapter}"
    others = sorted(packages - {each.package})
    return f"{', '.join(others)} brings one of that name, too" if others else ""


def all_plugins() -> dict[str, list[str]]:
    """Port → the names of all adapters that other packages bring."""
    found: dict[str, set[str]] = {}
    for each in brought():
        if each.port in CATALOGUE and each.adapter not in CATALOGUE[each.port]:
            found.setdefault(each.port, set()).add(each.adapter)
    return {port: sorted(names) for port, names in found.items()}


def of_another_package(port: str, name: str, names: Sequence[str] | Mapping[str, str], where: str = "") -> Any:
    """What a package brings under a name: its `Options` and its `create`. Raises `ConfigError`; for a name nobody
    brings it begins with `where`."""
    from protea.adapters.guests.thread import LeavingError, staying  # with the first of them

    entry, package = _entry(port, name, names, where)
    said = f"the adapter {name} of {port} ({package})"
    try:
        with staying():
            adapter = entry.load()
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if entry.module == missing or entry.module.startswith(f"{missing}."):
            raise ConfigError(f"{said} is said to be in {entry.module}, and there is no such module") from error
        raise MissingPackageError(f"{said} needs the package {missing}: pip install {missing}") from error
    except LeavingError as error:
        raise ConfigError(f"{said} cannot be imported: {error}") from error
    except Exception as error:
        raise ConfigError(f"{said} cannot be imported: {type(error).__name__}: {error}") from error
    missing_parts = [part for part in ("Options", "create") if not hasattr(adapter, part)]
    if missing_parts:
        raise ConfigError(f"{said} has no {' and no '.join(missing_parts)}")
    if not (isinstance(adapter.Options, type) and issubclass(adapter.Options, msgspec.Struct)):
        raise ConfigError(f"{said}: its Options is no msgspec.Struct")
    return adapter


def _entry(port: str, name: str, names: Sequence[str] | Mapping[str, str], where: str) -> tuple[EntryPoint, str]:
    found = entry_points(group=GROUP + port)
    if name not in found.names:
        known = [*names, *sorted(found.names)]
        near = nearest(name, known)
        hint = f"; did you mean {near}?" if near else f"; there are {', '.join(known)}"
        raise UnknownAdapterError(f"{where}the port {port} has no adapter {name}{hint}")
    entries = [entry for entry in found if entry.name == name]
    packages = sorted({entry.dist.name if entry.dist else "another package" for entry in entries})
    if len(packages) > 1:
        raise ConfigError(f"{' and '.join(packages)} both bring an adapter {name} of {port}: remove one of them")
    return entries[0], packages[0]


def made(adapter: Any, port: str, name: str, options: Any, given: Mapping[str, Any]) -> Any:
    """What its `create` gives. Raises `ConfigError` for what it raises, and where that is not what fills the port."""
    from protea.adapters.guests.thread import staying

    said = f"the adapter {name} of {port} ({getattr(adapter, '__name__', 'of another package')})"
    try:
        with staying():
            filled = adapter.create(options, **given)
    except ProteaError:
        raise
    except Exception as error:  # somebody else's code
        raise ConfigError(f"{said} could not be made: {type(error).__name__}: {error}") from error
    missing = [part for part in promised(port) if not hasattr(type(filled), part) and not hasattr(filled, part)]
    if missing:
        raise ConfigError(
            f"{said} made something without {', '.join(missing)}: docs/ports/{port}.md says what it needs"
        )
    return filled


def promised(port: str) -> Iterator[str]:
    """The parts of what fills a port, by its Protocol."""
    module = import_module(f"protea.ports.{port}")
    wanted = port.replace("_", "")
    for name, each in vars(module).items():
        if name.lower() == wanted and getattr(each, "_is_protocol", False):
            yield from (part for part in vars(each) if not part.startswith("_"))
