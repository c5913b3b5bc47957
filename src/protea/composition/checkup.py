"""Looks at what fills the ports: is there such an adapter, is what it needs installed, are its options right, does it
open, does it keep what its port promises. Called by `cli` for `protea doctor`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.composition.catalogue import IDLE, SWAP_CLASSES
from protea.composition.plugins import MissingPackageError, UnknownAdapterError
from protea.composition.resolve import (
    Resolver,
    WrongOptionError,
    checked,
    load,
)
from protea.composition.root import Root
from protea.composition.walls import bare
from protea.domain.errors import ConfigError, ProteaError, UsageError
from protea.domain.spelling import nearest
from protea.interfaces.commands.doctor import Finding
from protea.ports.agents import Agents
from protea.ports.diagnostics import Diagnostics
from protea.ports.templates import Templates


def look_at_ports(root: Root) -> list[Finding]:
    """One finding for each port whose adapter cannot be made as it is set; one for all the others together."""
    problems = [
        finding for port, (name, options) in root.choices().items() for finding in _wrong(root, port, name, options)
    ]
    filled = len(SWAP_CLASSES) - len(problems)
    told = Finding("ports", "ok", f"{filled} of {len(SWAP_CLASSES)} are as they should be")
    more = [] if problems else [*_agents(root), *_commands(root), *_language_servers(root)]
    return [told, *problems, *more]


def _agents(root: Root) -> list[Finding]:
    """Those that are written down and cannot be used."""
    agents: Agents = root.piece("agents")
    agents.load()
    return [Finding("agents", "note", problem, "it is left out: docs/agents.md") for problem in agents.problems]


def _commands(root: Root) -> list[Finding]:
    """Slash commands that are written down and cannot be used, or not as they are written."""
    templates: Templates = root.piece("templates")
    templates.load()
    return [Finding("commands", "note", problem, "docs/slash-commands.md") for problem in templates.problems]


def _language_servers(root: Root) -> list[Finding]:
    """Which would be asked about changed files here; none is started."""
    diagnostics: Diagnostics = root.piece("diagnostics")
    servers = diagnostics.servers()
    there = [each.name for each in servers if each.state not in ("missing", "resting")]
    if any(each.state == "barred" for each in servers):
        mend = "`protea trust` lets them be started"
        return [Finding("language servers", "note", f"{', '.join(there)}: not in a project that is not trusted", mend)]
    if there:
        return [Finding("language servers", "ok", ", ".join(there))]
    odd = [each.told for each in servers if each.stand_in]
    if odd:
        return [Finding("language servers", "note", f"none was found; {'; '.join(odd)}")]
    mend = "install one (docs/diagnostics.md) to be told of mistakes as they are made" if servers else ""
    return [Finding("language servers", "note", "none was found" if servers else "none is asked", mend)]


def look_at_port(root: Root, port: str) -> Iterator[Finding]:
    """Everything that can be said of one port, to the promises its adapter keeps. Raises `UsageError` for no port.

    The adapter is made as it is configured, but with a home and a project of its own in a temporary folder: nothing of
    the person's is touched, as long as its options do not lead out of there.
    """
    if port not in SWAP_CLASSES:
        near = nearest(port, SWAP_CLASSES)
        raise UsageError(
            f"there is no port {port}; " + (f"did you mean {near}?" if near else "`protea ports` lists them")
        )
    if port not in root.choices():
        yield Finding(port, "note", "what fills it is chosen by name each time", "`protea doctor` looks at the model")
        return
    name, options = root.choices()[port]
    yield Finding(f"{port} is filled by", "ok", name + (f", told {_shown(options)}" if options else ""))
    wrong = _wrong(root, port, name, options)
    yield from wrong
    if wrong:
        return
    with tempfile.TemporaryDirectory(prefix="protea-") as folder:
        try:
            _made(root, port, os.path.join(folder, "open"))
        except (ProteaError, OSError) as error:
            yield Finding("opens", "problem", _line(error), "mend what it names")
            return
        yield Finding("opens", "ok", f"{name} was made")
        yield from _promises(root, port, name, folder)


def _promises(root: Root, port: str, name: str, folder: str) -> Iterator[Finding]:
    # What ships for tests is needed by this and by nothing else that runs.
    from protea.testing.running import has_suite, run_suite

    if not has_suite(port):
        yield Finding("promises", "note", "its suite is not run on a live adapter: it would be paid for")
        return

    def make(below: str, **given: Any) -> Any:
        return _made(root, port, below, **given)

    idle = name == IDLE.get(port, "none")
    kept = left = tried = 0
    for verdict in run_suite(port, make, os.path.join(folder, "suite"), idle=idle):
        tried += 1
        kept += verdict.outcome == "kept"
        left += verdict.outcome == "left out"
        if verdict.outcome == "broken":
            yield Finding("promise broken", "problem", f"{verdict.promise}: {verdict.why}")
    more = f"; {left} were left out, since only tests of its own can have what they need" if left else ""
    yield Finding("promises", "ok" if kept else "note", f"{kept} of {tried} are kept{more}")


def _made(root: Root, port: str, below: str, **given: Any) -> Any:
    for name in ("home", "project"):
        os.makedirs(os.path.join(below, name), 0o700, exist_ok=True)
    home, project = (os.path.realpath(os.path.join(below, name)) for name in ("home", "project"))
    around = replace(
        root.surroundings, cwd=project, root=project, add_dirs=(), user_home=home, protea_home=home, trusted=True
    )
    return Resolver(root.choices(), {"surroundings": around, **given}).get(port)


_KINDS: dict[type[ConfigError], str] = {
    UnknownAdapterError: "there is no such adapter",
    MissingPackageError: "a package is missing",
    WrongOptionError: "a wrong option",
}
_MENDS = {UnknownAdapterError: "; ", MissingPackageError: ": pip", WrongOptionError: "; "}
"""What stands between what is wrong and what to do about it."""


def _wrong(root: Root, port: str, name: str, options: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with a choice, told apart: an unknown name, a package that is missing, options it does not take."""
    if port == "sandbox":
        name, options = bare(name, options)
    try:
        checked(load(port, name), port, name, options, root.settings.origins)
    except ConfigError as error:
        about = _KINDS.get(type(error), "it cannot be used")
        between = _MENDS.get(type(error), "; ")
        found, there, mend = _line(error).partition(between)
        return [Finding(f"{port}: {about}", "problem", found, between.lstrip(":; ") + mend if there else "")]
    return []


def _shown(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {msgspec.json.encode(value).decode()}" for name, value in options.items())


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
