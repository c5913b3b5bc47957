"""Profiles as values: what a file says, how a chain of them becomes one, how two differ. Pure.

A profile is read into the form of the settings, so that it is one more layer of them: `[persona]` becomes
`[ports.persona]`, `mode` becomes `permissions.mode`. Later layers win: tables merge, lists replace, and `"key+" = […]`
adds to the list below. A port's table that names another adapter than the one below begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.settings import Layer, dotted
from protea.domain.spelling import nearest

DEFAULT = "coding"
"""Who the agent is where nobody says."""

_OWN = ("extends", "about")
_SETTINGS = ("model", "effort", "fallback", "limits", "permissions")
"""Keys that mean in a profile what they mean in `config.toml`."""
_SHORT = {"mode": ("permissions", "mode")}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: str
    source: str
    """Its path."""
    about: str = ""
    extends: str | None = None
    data: dict[str, Any] = {}
    """In the form of the settings."""
    lines: dict[str, int] = {}
    """Dotted key (in the form of the settings) → line."""
    rule_lines: dict[str, int] = {}
    """Permission rule → line."""

    @property
    def layer(self) -> Layer:
        return Layer(source=self.source, data=self.data, lines=self.lines)


Fail = Callable[[str, str], ConfigError]
"""(dotted key as it stands in the file, message) → the error to raise."""


def in_settings(table: Mapping[str, Any], ports: Collection[str], fail: Fail) -> dict[str, Any]:
    """What a profile's file says, in the form of the settings. Raises what `fail` makes of a key that is none."""
    data: dict[str, Any] = {}
    for name, value in table.items():
        plain = name.removesuffix("+")
        if plain in _OWN:
            continue
        if plain in _SHORT:
            above, below = _SHORT[plain]
            data[above] = {**data.get(above, {}), below: value}
        elif name == "model" and isinstance(value, Mapping):
            data.setdefault("ports", {})["model"] = _adapter(name, value, fail)
            data["model"] = model_named(value)
        elif name == "permissions" and isinstance(value, Mapping):
            data["permissions"] = {**data.get("permissions", {}), **value}
        elif plain in _SETTINGS:
            data[name] = value
        elif name in ports and isinstance(value, Mapping):
            data.setdefault("ports", {})[name] = _adapter(name, value, fail)
        elif name in ports:
            raise fail(name, f"{name} must be a table that names its adapter, like [{name}]")
        else:
            near = nearest(name, (*_OWN, *_SETTINGS, *_SHORT, *ports))
            hint = f"; did you mean {near}?" if near else f"; the ports are {', '.join(sorted(ports))}"
            raise fail(dotted((name,)), f"{dotted((name,))} is neither a port nor a key of profiles{hint}")
    return data


def _adapter(name: str, value: Mapping[str, Any], fail: Fail) -> dict[str, Any]:
    adapter = value.get("adapter", "")
    if not isinstance(adapter, str):
        raise fail(f"{name}.adapter", f"{name}.adapter must be the name of an adapter")
    return dict(value)


def model_named(table: Mapping[str, Any]) -> str:
    """The name under which the model of a `[model]` table is chosen: `anthropic/claude-…`, or the adapter alone."""
    adapter, model = str(table.get("adapter", "")), str(table.get("model", ""))
    return f"{adapter}/{model}" if model else f"{adapter}/grammar" if adapter == "offline" else adapter


def settings_key(key: str) -> str:
    """A key of a profile's file as the settings have it: `persona.adapter` → `ports.persona.adapter`."""
    head, dot, _ = key.partition(".")
    plain = head.removesuffix("+")
    if plain in _SHORT:
        return ".".join(_SHORT[plain])
    if (plain in _SETTINGS or plain in _OWN or head == "ports") and not (plain == "model" and dot):
        return key
    return f"ports.{key}"


def profile_key(key: str) -> str:
    """The other way round, for a person: `ports.persona.adapter` → `persona.adapter`."""
    return key.removeprefix("ports.")


def without_plus(key: str) -> str:
    """`instructions."names+"` → `instructions.names`."""
    head, dot, last = key.rpartition(".")
    return f"{head}{dot}{last[1:-2]}" if last.endswith('+"') else key


def chain(first: str, read: Callable[[str, Profile | None], Profile]) -> list[Profile]:
    """A profile and all that it extends, the outermost parent first.

    `read` gives the profile of a name; with a second argument, the one that is hidden by that profile of the same
    name. Raises `ConfigError` where they go round in a circle, naming the file and line that closes it.
    """
    found = [read(first, None)]
    while (parent := found[-1].extends) is not None:
        last = found[-1]
        above = _parent(parent, last, read)
        if any(above.source == each.source for each in found):
            names = " → ".join([*(each.name for each in found), parent])
            message = f"profiles extend each other in a circle: {names}"
            raise ConfigError(message, last.source, last.lines.get("extends"))
        found.append(above)
    return found[::-1]


def _parent(name: str, child: Profile, read: Callable[[str, Profile | None], Profile]) -> Profile:
    try:
        return read(name, child if name == child.name else None)
    except ConfigError as error:
        if error.file is not None:
            raise
        raise ConfigError(str(error), child.source, child.lines.get("extends")) from None


class Difference(msgspec.Struct, frozen=True):
    """A key on which two profiles do not agree; None where one has nothing to say."""

    key: str
    left: Any
    right: Any


def differences(left: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What two merged profiles (in the form of the settings) say differently, by key."""
    a, b = flat(left), flat(right)
    keys = [*a, *(key for key in b if key not in a)]
    return tuple(
        Difference(profile_key(key), a.get(key), b.get(key)) for key in sorted(keys) if a.get(key) != b.get(key)
    )


def flat(data: Mapping[str, Any], at: Sequence[str] = ()) -> dict[str, Any]:
    """Dotted key → value, of all that is no table."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        here = (*at, name)
        if isinstance(value, Mapping) and value:
            found.update(flat(value, here))
        else:
            found[dotted(here)] = value
    return found


def identity_of(profile: str, ports: Mapping[str, str]) -> str:
    """`coding`, or `coding+persona=minimal+sandbox=none`."""
    return profile + "".join(f"+{port}={adapter}" for port, adapter in sorted(ports.items()))
