"""Finds and reads profiles: those of the project (trusted only), of the person, and the packaged ones.

The packaged ones lie in `protea/profiles/*.toml` and, as they are when read, in `packaged.json` beside them: reading
TOML costs more than all the rest of a start takes here. `compiled` makes that file; a test keeps it in step.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from protea.adapters.settings._parsing import Written, decoded, parse, read, read_bytes, rule_lines
from protea.domain.errors import ConfigError
from protea.domain.profile import Profile, chain, in_settings, settings_key
from protea.domain.spelling import nearest
from protea.domain.surroundings import Surroundings

PACKAGED = os.path.join(os.path.abspath(__file__).rpartition("/adapters/")[0], "profiles")
END = ".toml"


class Profiles:
    """The profiles that can be chosen here. Nothing is read before it is asked for."""

    def __init__(self, surroundings: Surroundings, *, trusted: bool, bare: bool, ports: Collection[str]) -> None:
        self._around = surroundings
        self.cwd = surroundings.cwd
        self.chosen = ""
        """The file that a person has named themselves: they have looked at it."""
        self._ports = ports
        own = os.path.join(surroundings.root, ".protea", "profiles")
        self._untrusted = own if not trusted and not bare else ""
        person = os.path.join(surroundings.protea_home, "profiles")
        folders = [] if bare else [own, person] if trusted else [person]
        self._folders = [*dict.fromkeys(folders), PACKAGED]

    def chain(self, name: str) -> list[Profile]:
        """A profile and all that it extends, the outermost parent first. Raises `ConfigError`."""
        return chain(name, self.read)

    def read(self, name: str, hiding: Profile | None = None) -> Profile:
        """The profile of a name (or the path of a file); with `hiding`, the one which that one of its name hides.

        Raises `ConfigError` for a name that is none, naming the nearest, and for a file with a mistake in it.
        """
        if name.endswith(END) or os.sep in name:
            path = os.path.join(self.cwd, name)
            found = self._file(os.path.basename(name).removesuffix(END), path)
            if found is None:
                raise ConfigError(f"there is no profile {name}: that is no file")
            return found
        for folder in self._folders[self._below(hiding) :]:
            found = _packaged().get(name) if folder == PACKAGED else self._file(name, os.path.join(folder, name + END))
            if found is not None:
                return found
        raise ConfigError(self._unknown(name, hiding))

    def names(self) -> list[tuple[str, str]]:
        """(name, path) of all that can be chosen, each once, by name."""
        found = {name: path for folder in reversed(self._folders) for name, path in _listed(folder)}
        return sorted(found.items())

    def _below(self, hiding: Profile | None) -> int:
        if hiding is None:
            return 0
        folder = os.path.dirname(hiding.source)
        return self._folders.index(folder) + 1 if folder in self._folders else 0

    def _file(self, name: str, path: str) -> Profile | None:
        if not name.replace("-", "").replace("_", "").isalnum():
            return None  # no file of ours is called so, and nobody is led elsewhere by it
        data = read_bytes(path)
        if data is None:
            return None
        if path != self.chosen and not self._around.vouches(os.path.normpath(path), data):
            raise ConfigError("it is not as you trusted it; `protea trust` shows what is different", path)
        return _profile(name, path, decoded(data, path), self._ports)

    def _unknown(self, name: str, hiding: Profile | None) -> str:
        if hiding is not None:
            return f"the profile {name} extends itself, and hides no other of that name"
        if self._untrusted and os.path.lexists(os.path.join(self._untrusted, name + END)):
            return f"the profile {name!r} is this project's, which has not been trusted; `protea trust` does that"
        known = [known for known, _ in self.names()]
        near = nearest(name, known)
        return f"there is no profile {name!r}" + (
            f"; did you mean {near}?" if near else f"; there are {', '.join(known)}"
        )


def compiled(ports: Collection[str]) -> bytes:
    """What `packaged.json` holds."""
    found = {}
    for name, path in _listed(PACKAGED):
        made: dict[str, Any] = msgspec.to_builtins(_profile(name, path, read(path) or "", ports))
        found[name] = {key: value for key, value in made.items() if key != "source" and value not in (None, {}, "")}
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def _packaged() -> dict[str, Profile]:
    with open(os.path.join(PACKAGED, "packaged.json"), "rb") as file:
        found = msgspec.json.decode(file.read())
    return {name: Profile(source=os.path.join(PACKAGED, name + END), **fields) for name, fields in found.items()}


def _listed(folder: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if name.endswith(END) and not name.startswith("."):
            yield name.removesuffix(END), os.path.join(folder, name)


def _profile(name: str, path: str, text: str, ports: Collection[str]) -> Profile:
    table = parse(text, path)
    written = Written(path, text)  # the packaged ones come without
    where, fail = written.where, written.fail

    def refuse(key: str, message: str) -> None:
        raise fail(_as_written(key, where), message.replace(" is not a setting, so it is passed over", " is no key"))

    for key in ("extends", "about"):
        if not isinstance(table.get(key, ""), str):
            raise fail(key, f"{key} must be text")
    data = in_settings(table, ports, fail)
    if data:
        from protea.adapters.settings._checking import check  # the packaged ones were checked when they were compiled

        plain: dict[str, Any] = _without_marks({**data, "ports": {}} if "ports" in data else data)
        check(plain, lambda key, message: fail(_as_written(key, where), message), refuse)
    return Profile(
        name=name,
        source=path,
        about=table.get("about", ""),
        extends=table.get("extends"),
        data=data,
        lines={_in_settings(key): place.line for key, place in where.items()},
        rule_lines=rule_lines(text, written.places),
    )


def _in_settings(key: str) -> str:
    return settings_key(key) if key not in ("extends", "about") else key


def _as_written(key: str, where: Collection[str]) -> str:
    """`permissions.mode` may stand there as `mode`, and `fallback` as `"fallback+"`."""
    return next((each for each in where if _in_settings(each).replace('"', "").removesuffix("+") == key), key)


def _without_marks(data: dict[str, Any]) -> dict[str, Any]:
    """The same without the `+` of keys that add to a list."""
    return {
        name.removesuffix("+"): _without_marks(value) if isinstance(value, dict) else value
        for name, value in data.items()
    }
