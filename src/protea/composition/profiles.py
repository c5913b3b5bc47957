"""The profiles there are, and what each of them says where. Called by `root`, and by `cli` for `protea profile`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from protea.adapters.settings.files import load_layers
from protea.adapters.settings.profiles import Profiles
from protea.composition.catalogue import CATALOGUE, DEFAULTS
from protea.composition.launch import Launch
from protea.composition.surroundings import find_surroundings
from protea.domain.errors import ConfigError, UsageError
from protea.domain.profile import (
    DEFAULT,
    Difference,
    Profile,
    differences,
    flat,
    profile_key,
    settings_key,
    without_plus,
)
from protea.domain.settings import Layer, Settings, merge
from protea.domain.spelling import nearest
from protea.domain.surroundings import Surroundings

BUILT_IN = "built in"


def list_profiles(launch: Launch, around: Surroundings) -> list[dict[str, Any]]:
    """`name`, `about`, `extends` and `source` of each; one that cannot be read has a `problem` instead."""
    shelf = Profiles(around, trusted=around.trusted, bare=launch.bare, ports=CATALOGUE)
    found = []
    for name, source in shelf.names():
        row: dict[str, Any] = {"name": name, "about": "", "extends": None, "source": source}
        try:
            chain = shelf.chain(name)
        except ConfigError as error:
            found.append({**row, "problem": str(error)})
            continue
        found.append({**row, "about": chain[-1].about, "extends": chain[-1].extends})
    return found


class Said(msgspec.Struct, frozen=True):
    """What one layer says of a key."""

    value: Any
    by: str
    """`/home/me/.protea/profiles/mine.toml:3`, `flag --model`, `built in`."""


class Explanation(msgspec.Struct, frozen=True):
    """A key, what it comes to, and who said what of it, the first to speak first."""

    key: str
    value: Any
    said: tuple[Said, ...]


class ProfileShelf:
    """What `protea profile` works on."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._around = find_surroundings(launch.cwd, launch.add_dirs, launch.environment)
        self.settings, self._layers = self._load(launch.profile)
        self._around = replace(self._around, trusted=self.settings.trusted)
        self._shelf = Profiles(self._around, trusted=self.settings.trusted, bare=launch.bare, ports=CATALOGUE)

    @property
    def current(self) -> str:
        return self.settings.profile or DEFAULT

    def rows(self) -> list[dict[str, Any]]:
        rows = list_profiles(self._launch, self._around)
        return [{**row, "current": row["name"] == self.current} for row in rows]

    def chain(self, name: str) -> list[Profile]:
        """Raises `ConfigError`."""
        return self._shelf.chain(name)

    def merged(self, name: str) -> dict[str, Any]:
        """All that a profile and its parents say, in the form of the settings. Raises `ConfigError`."""
        return merge([each.layer for each in self.chain(name)])[0]

    def whole(self, name: str) -> dict[str, str]:
        """Port → the adapter it has under this profile."""
        ports = self.merged(name).get("ports", {})
        return {port: str(ports.get(port, {}).get("adapter") or default) for port, default in DEFAULTS.items()} | {
            port: str(table["adapter"]) for port, table in ports.items() if "adapter" in table
        }

    def explain(self, key: str, name: str | None) -> tuple[Explanation, ...]:
        """Who set a key (or every key of a table), with everything that has a say: the profile's files, the
        configuration, the environment and flags. Raises `ConfigError`, `UsageError` for a key nobody has heard of."""
        layers = self._layers if name is None or name == self.current else self._load(name)[1]
        merged, _ = merge(layers)
        built_in: dict[str, Any] = {"ports": {port: {"adapter": adapter} for port, adapter in DEFAULTS.items()}}
        known = flat(built_in) | flat(merged)
        wanted = settings_key(key)
        keys = [each for each in known if each == wanted or each.startswith(f"{wanted}.")]
        if not keys:
            written = [profile_key(each) for each in known]
            near = nearest(key, [*written, *dict.fromkeys(each.partition(".")[0] for each in written)])
            hint = f"; did you mean {near}?" if near else "; 'protea profile show' lists what is set"
            raise UsageError(f"nothing is set for {key!r}{hint}")
        return tuple(self._explained(each, known[each], layers, flat(built_in)) for each in sorted(keys))

    def diff(self, left: str, right: str) -> tuple[Difference, ...]:
        """Raises `ConfigError`."""
        return differences(self._completed(left), self._completed(right))

    def _completed(self, name: str) -> dict[str, Any]:
        merged = self.merged(name)
        ports = merged.get("ports", {})
        whole = {port: {"adapter": adapter, **ports.get(port, {})} for port, adapter in self.whole(name).items()}
        return {**merged, "ports": whole}

    def _explained(self, key: str, value: Any, layers: Sequence[Layer], built_in: Mapping[str, Any]) -> Explanation:
        said = [Said(built_in[key], BUILT_IN)] if key in built_in else []
        for layer in layers:
            for spelling, said_value in flat(layer.data).items():
                if without_plus(spelling) == key:
                    said.append(Said(said_value, layer.origin(spelling)))
        return Explanation(profile_key(key), value, tuple(said))

    def _load(self, profile: str | None) -> tuple[Settings, tuple[Layer, ...]]:
        launch = self._launch
        flags = {"profile": profile} if profile is not None else {}
        return load_layers(self._around, flags=flags, set=launch.set, bare=launch.bare, ports=CATALOGUE)
