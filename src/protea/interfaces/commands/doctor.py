"""`protea doctor`: is everything there that is needed, and what to do where it is not."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from protea.domain.errors import ProteaError
from protea.interfaces.arguments import Arguments
from protea.interfaces.commands.telling import Place, as_json
from protea.interfaces.tables import table
from protea.interfaces.terminal import one_line
from protea.ports.gateway import Gateway

REACH = 3.0
"""Seconds a provider's address has to take a connection."""

State = Literal["ok", "note", "problem"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    about: str
    state: State
    found: str
    mend: str = ""
    """What to do about it; empty where nothing is to be done."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to look at, gathered by `cli`."""

    version: str
    environment: Mapping[str, str]
    home: str
    keys: Sequence[str]
    """Names of the environment variables that may hold a key; their values are never shown."""
    extras: Mapping[str, str]
    """Module → the extra that brings it."""
    address: Callable[[str], str]
    """Provider → its address, empty where it has none."""
    gateway: Callable[[], Awaitable[Gateway]]
    ports: Callable[[], Iterable[Finding]]
    """What fills the ports, looked at; it may raise `ConfigError`."""


async def run_doctor(arguments: Arguments, place: Place, case: Case) -> int:
    """Exit code 1 where there is a problem; a note is none."""
    findings = [
        Finding("protea", "ok", case.version),
        _python(),
        _home(case.home),
        *_programs(case.environment),
        *_extras(case.extras),
        _keys(case),
        *_ports(case),
        *await _session(case),
    ]
    return tell_findings(findings, arguments, place)


def tell_findings(findings: Iterable[Finding], arguments: Arguments, place: Place) -> int:
    """As a table or as JSON; exit code 1 where there is a problem."""
    findings = list(findings)
    if arguments.has("json"):
        place.write(as_json(findings))
    else:
        marks = {"ok": "ok", "note": "-", "problem": "!!"}
        rows = [
            [marks[each.state], each.about, each.found + (f"; {each.mend}" if each.mend else "")] for each in findings
        ]
        place.write(table(None, rows))
    return int(any(each.state == "problem" for each in findings))


def _python() -> Finding:
    return Finding("python", "ok", f"{'.'.join(map(str, sys.version_info[:3]))} ({sys.executable})")


def _home(home: str) -> Finding:
    """Whether sessions can be kept there, tried by writing."""
    folder = home
    while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)  # the home itself is made when it is first needed
    if not os.path.isdir(folder):
        return Finding("home", "problem", f"{home}: {folder} is not a directory", "set PROTEA_HOME to another one")
    probe = os.path.join(folder, f".protea-{os.getpid()}")
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.unlink(probe)
    except OSError as error:
        return Finding(
            "home", "problem", f"{home}: {error.strerror}", "set PROTEA_HOME to a directory you can write to"
        )
    if folder == home and os.stat(home).st_mode & 0o077:
        return Finding("home", "note", f"{home} can be read by others", f"chmod 700 {home}")
    return Finding("home", "ok", home)


_PROGRAMS = {
    "git": "without it nothing is known of a project's history",
    "rg": "without it searching is slower (package ripgrep)",
    "bash": "commands are run by it",
}


def _programs(environment: Mapping[str, str]) -> list[Finding]:
    findings = []
    for name, why in _PROGRAMS.items():
        path = shutil.which(name, path=environment.get("PATH"))
        missing: State = "problem" if name == "bash" else "note"
        findings.append(Finding(name, "ok", path) if path else Finding(name, missing, "not found", why))
    return findings


def _extras(extras: Mapping[str, str]) -> list[Finding]:
    findings = []
    for module, extra in extras.items():
        there = importlib.util.find_spec(module) is not None
        mend = "" if there else f"pip install 'protea[{extra}]'"
        findings.append(Finding(module, "ok" if there else "note", "installed" if there else "not installed", mend))
    return findings


def _keys(case: Case) -> Finding:
    set_ = [name for name in case.keys if case.environment.get(name, "").strip()]
    if set_:
        return Finding("keys", "ok", ", ".join(set_))
    return Finding("keys", "note", "none is set", f"one of {', '.join(case.keys[:5])} … brings a provider's models")


def _ports(case: Case) -> list[Finding]:
    try:
        return list(case.ports())
    except ProteaError:
        return []  # a configuration that cannot be read is told below


async def _session(case: Case) -> list[Finding]:
    """Whether the configuration can be read, and the model it leads to."""
    try:
        gateway = await case.gateway()
    except ProteaError as error:
        return [Finding("configuration", "problem", one_line(str(error)))]
    try:
        about = await gateway.describe("session")
    except ProteaError as error:
        return [Finding("configuration", "problem", one_line(str(error)))]
    finally:
        await gateway.close()
    model = str(about.get("model", "")) if isinstance(about, dict) else ""
    findings = [Finding("configuration", "ok", "it can be read")]
    if model.startswith("offline/"):
        mend = "set a provider's key, or start Ollama, for a real one"
        return [*findings, Finding("model", "note", f"{model}, built in: no model at all, but a small grammar", mend)]
    return [*findings, _reach(model, case)]


def _reach(model: str, case: Case) -> Finding:
    """Whether anything takes a connection where the model is; nothing is asked of it, so nothing is paid."""
    address = case.address(model.partition("/")[0])
    parts = urlsplit(address)
    if not parts.hostname:
        return Finding("model", "ok", model)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if case.environment.get("HTTPS_PROXY") or case.environment.get("https_proxy"):
        return Finding("model", "ok", f"{model} at {parts.hostname}, by way of a proxy (not tried)")
    try:
        socket.create_connection((parts.hostname, port), REACH).close()
    except OSError as error:
        why = error.strerror or str(error) or "no answer"
        return Finding(
            "model", "problem", f"{model}: {parts.hostname}:{port} cannot be reached: {why}", "is there a network?"
        )
    return Finding("model", "ok", f"{model}, reachable at {parts.hostname}:{port}")
