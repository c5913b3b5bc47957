"""Notices that a file of the configuration has changed, and reads it again. Held by `root`, asked before every turn.

A look costs a few calls of `stat`. A file that cannot be used is told once and changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from protea.application.parts import Reread
from protea.domain.errors import ConfigError
from protea.domain.permission import RuleLayer
from protea.domain.redaction import setting
from protea.domain.settings import Settings
from protea.domain.surroundings import Surroundings

Stamp = tuple[int, ...] | None
"""What changes when a file does; None where there is none."""


class Sources:
    """The files the settings in force came from, and those that would add to them if they were there."""

    def __init__(self, around: Surroundings, settings: Settings) -> None:
        self._around = around
        self._stamps = self._look(settings)

    def changed(self, settings: Settings) -> bool:
        """Whether one of them is another one than at the last look."""
        stamps = self._look(settings)
        before, self._stamps = self._stamps, stamps
        return stamps != before

    def _look(self, settings: Settings) -> dict[str, Stamp]:
        return {path: _stamp(path) for path in self._paths(settings)}

    def _paths(self, settings: Settings) -> set[str]:
        around = self._around
        project = os.path.join(around.root, ".protea")
        paths = {os.path.join(around.protea_home, name) for name in ("config.toml", "permissions.toml", "trusted.toml")}
        paths |= {os.path.join(project, name) for name in ("config.toml", "permissions.toml")}
        # Profiles: whatever file a value came from.
        return paths | {place for origin in settings.origins.values() if (place := _file_of(origin)) is not None}


Rules = Sequence[RuleLayer]


def reread(
    before: Settings, rules: Rules, load: Callable[[], tuple[Settings, Rules]]
) -> tuple[Settings, Rules, Reread]:
    """The settings and rules from now on, and what is to be told. `load` raises `ConfigError` where there are none."""
    try:
        after, rules_after = load()
    except ConfigError as error:
        return before, rules, Reread(problem=str(error))
    warnings = tuple(warning for warning in after.warnings if warning not in before.warnings)
    trust = () if after.trusted == before.trusted else (f"the project is {'' if after.trusted else 'not '}trusted",)
    changes = (*trust, *_told(values(before), values(after)), *_rules_told(rules, rules_after))
    return after, rules_after, Reread(changes=changes, warnings=warnings)


def _rules_told(before: Rules, after: Rules) -> Iterable[str]:
    old, new = _flat(before), _flat(after)
    yield from (f"+ {rule}" for rule in new if rule not in old)
    yield from (f"- {rule}" for rule in old if rule not in new)


def _flat(layers: Rules) -> list[str]:
    return [
        f"{verdict} {rule}"
        for layer in layers
        for verdict, rules in (("deny", layer.deny), ("ask", layer.ask), ("allow", layer.allow))
        for rule in rules
    ]


def values(settings: Settings) -> dict[str, Any]:
    """What is set, by dotted key; rules are told by themselves."""
    from protea.adapters.settings.files import entries  # only where something has changed

    return {key: value for key, value, _ in entries(settings) if not key.startswith("permissions.")}


def _told(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield f"{key}: {_shown(key, before.get(key))} → {_shown(key, after.get(key))}"


def _shown(key: str, value: Any) -> str:
    if value is None:
        return "not set"
    value = setting(key, value)
    if value == "(set)":
        return "another value"
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino


def _file_of(origin: str) -> str | None:
    """`/home/me/.protea/config.toml:3` → the file; None for flags and the environment."""
    path, colon, line = origin.rpartition(":")
    if colon and line.isdigit():
        return path if os.path.isabs(path) else None
    return origin if os.path.isabs(origin) else None
