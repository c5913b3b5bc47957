"""Reads what the person, the project, the environment and the command line say, and makes one `Settings` of it.

Called by the composition at every start, so a home whose `config.toml` holds only comments costs next to nothing: the
TOML parser is imported for files that say something.

    built in < ~/.protea/config.toml < .protea/config.toml (trusted only) < environment < flags

The profile stands right below the layer that names it, or below all of them where none does.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

import msgspec
from msgspec.structs import replace

from protea.adapters.settings._parsing import (
    Written,
    decoded,
    parse,
    read,
    read_bytes,
    rule_lines,
    says_something,
)
from protea.adapters.settings.profiles import END, Profiles
from protea.domain.errors import ConfigError
from protea.domain.log_levels import levels
from protea.domain.permission import Mode, RuleLayer
from protea.domain.profile import DEFAULT
from protea.domain.settings import (
    ALIASES,
    Layer,
    LogSettings,
    PermissionSettings,
    SandboxSettings,
    Settings,
    dotted,
    merge,
    rule_layer,
)
from protea.domain.spelling import nearest
from protea.domain.surroundings import Surroundings

NAME = "config.toml"
VARIABLES = {"PROTEA_MODEL": "model", "PROTEA_PROFILE": "profile", "PROTEA_LOG": "log.level"}
FLAGS = {"permissions.mode": "permission-mode", "sandbox.adapter": "sandbox"}
"""Keys whose flag is not simply their name."""


def load(
    surroundings: Surroundings,
    *,
    flags: Mapping[str, Any] | None = None,
    set: Sequence[str] = (),
    bare: bool = False,
    ports: Collection[str] = (),
) -> Settings:
    """The settings in force. `flags` maps dotted keys to values, `set` holds `KEY=VALUE`s; `ports` names the ports.

    Raises `ConfigError` with file, line and column for what cannot be understood. What can be passed over (an unknown
    key, an untrusted project, a home that cannot be written) is told in `warnings`.
    """
    return load_layers(surroundings, flags=flags, set=set, bare=bare, ports=ports)[0]


def load_layers(
    surroundings: Surroundings,
    *,
    flags: Mapping[str, Any] | None = None,
    set: Sequence[str] = (),
    bare: bool = False,
    ports: Collection[str] = (),
) -> tuple[Settings, tuple[Layer, ...]]:
    """The same, and the layers they were made of, the first to speak first."""
    reading = _Reading()
    trusted = True
    if not bare:
        _close_to_others(os.path.join(surroundings.user_home, ".protea"))
        reading.user(os.path.join(surroundings.protea_home, NAME))
        trusted = reading.project(surroundings)
        surroundings = replace(surroundings, looked_at=reading.looked_at)
    reading.environment(surroundings.environment)
    reading.flags(flags or {})
    for assignment in set:
        reading.assignment(assignment)
    reading.profile(Profiles(surroundings, trusted=trusted, bare=bare, ports=ports))
    return reading.result(trusted), tuple(reading.layers)


def user_file(surroundings: Surroundings) -> str:
    """Where the person's own settings are."""
    return os.path.join(surroundings.protea_home, NAME)


def project_file(surroundings: Surroundings) -> str:
    """Where the project's settings would be."""
    return os.path.join(surroundings.root, ".protea", NAME)


def read_value(settings: Settings, key: str) -> Any:
    """What is in force for a dotted key, as plain values. Raises `ConfigError` for a key that is none."""
    path = _path(key)
    value: Any = _builtins(settings)
    for depth, part in enumerate(path):
        if isinstance(value, dict) and part in value:
            value = value[part]
            continue
        _known_or_error(path)
        if depth < len(path) - 1:
            return None
        value = None
    return value


def entries(settings: Settings) -> list[tuple[str, Any, str]]:
    """(dotted key, value, who set it) of all that is set, then of what has a value built in."""
    found: list[tuple[str, Any, str]] = []

    def walk(table: dict[str, Any], at: tuple[str, ...]) -> None:
        for name, value in table.items():
            here = (*at, name)
            if isinstance(value, dict) and value:
                walk(value, here)
            elif value not in (None, [], {}):
                found.append((dotted(here), value, settings.origins.get(dotted(here), "built in")))

    walk(_builtins(settings), ())
    return sorted(found, key=lambda entry: (entry[2] == "built in", entry[0]))


def set_value(file: str, key: str, value: str) -> None:
    """Set one key in a file and keep all else as it is, comments too. `value` is TOML, or bare text.

    Raises `ConfigError` for a key or value that would not be accepted, or where the file has a form that cannot be
    changed this way; `StoreError` where it cannot be written.
    """
    from protea.adapters.settings._writing import alone

    path = _path(key)
    parsed = _assigned(path, value, f"config set {key}")
    _check(_nested(path, parsed), lambda _key, message: ConfigError(message), lambda _key, message: _refuse(message))
    with alone(file):
        _set(file, key, path, parsed)


def _set(file: str, key: str, path: tuple[str, ...], parsed: Any) -> None:
    import tomllib

    from protea.adapters.settings._writing import replace_file, with_value

    text = read(file) or ""
    before = parse(text, file)
    try:
        after = with_value(text, path, parsed)
        expected = _merged(before, _nested(path, parsed))
        if tomllib.loads(after) != expected:
            raise ValueError
    except ValueError:
        raise ConfigError(f"{key} cannot be set in the form this file has; change it by hand", file) from None
    replace_file(file, after)


def replace_file(path: str, text: str) -> None:
    """Write a file all at once. Raises `StoreError`."""
    from protea.adapters.settings import _writing

    _writing.replace_file(path, text)


def look_at(text: str, path: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """(what would be passed over, what is set by dotted key) of a file with this text. Raises `ConfigError`, as `load`
    does for the file."""
    reading = _Reading()
    if says_something(text):
        reading._file(path, text, trusted=True)
    settings = reading.result(True)
    return tuple(reading.warnings), {key: value for key, value, source in entries(settings) if source != "built in"}


def schema() -> dict[str, Any]:
    """JSON Schema of `config.toml`, for editors."""
    made = msgspec.json.schema(Settings)
    hidden = {"Settings": ("origins", "warnings", "trusted"), "PermissionSettings": ("layers",)}
    for struct, names in hidden.items():
        for name in names:
            del made["$defs"][struct]["properties"][name]
    del made["$defs"]["RuleLayer"]
    from protea.adapters.settings._describing import describe

    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **describe(made, Settings)}


class _Reading:
    """The layers as they are found, and what was noticed on the way."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.rules: list[RuleLayer] = []
        self.warnings: list[str] = []
        self.looked_at: Mapping[str, str] | None = None
        self.own = ""
        """The project's own file."""

    def user(self, path: str) -> None:
        try:
            text = read(path)
        except ConfigError as error:
            home = os.path.dirname(path)
            if os.path.isdir(home) and os.access(home, os.X_OK):
                raise
            raise ConfigError(f"{str(error).partition('; mend')[0]}; set PROTEA_HOME to another folder") from None
        if text is None:
            problem = _first_run(path)
            if problem:
                self.warnings.append(problem)
        elif says_something(text):
            self._file(path, text, trusted=True)

    def project(self, surroundings: Surroundings) -> bool:
        """Returns whether the project's own configuration is trusted (also where it has none)."""
        folder = os.path.join(surroundings.root, ".protea")
        if os.path.realpath(folder) == os.path.realpath(surroundings.protea_home):
            return True
        from protea.adapters.settings.trust import HOOKS, PROFILES, TOOLS, WATCHED, is_trusted, looked_at

        if not os.path.lexists(os.path.join(surroundings.protea_home, "trusted.toml")) and not any(
            os.path.lexists(os.path.join(surroundings.root, name)) for name in (*WATCHED, PROFILES, TOOLS, HOOKS)
        ):
            return surroundings.trusted  # nobody was ever trusted, and there is nothing to trust
        trusted = surroundings.trusted
        if not trusted and is_trusted(surroundings.protea_home, surroundings.root):
            trusted, self.looked_at = True, looked_at(surroundings.protea_home, surroundings.root)
        path = self.own = os.path.join(folder, NAME)
        before = len(self.warnings)
        try:
            data = read_bytes(path)
            # It may have been changed since it was looked at a moment ago: what counts are the bytes that are used.
            if data is not None and not replace(surroundings, looked_at=self.looked_at).vouches(path, data):
                trusted, self.looked_at = False, None
            text = decoded(data, path) if data is not None else None
            if text is not None and says_something(text):
                if not trusted:
                    self.warnings.append(_why_not_used(path, data or b"", surroundings))
                self._file(path, text, trusted=trusted)
        except ConfigError as error:
            if trusted:
                raise
            # What nobody has trusted must not keep anybody from working either.
            problem = str(error).partition("; mend that")[0]
            self.warnings[before:] = [f"{problem} (it is not used: this project has not been trusted)"]
        return trusted

    def environment(self, environment: Mapping[str, str]) -> None:
        said = {name: key for name, key in VARIABLES.items() if environment.get(name, "").strip()}
        if said:
            data: dict[str, Any] = {}
            for name, key in said.items():
                data = _merged(data, _nested(tuple(key.split(".")), environment[name].strip()))
            self._named("environment", data, {key: f"environment {name}" for name, key in said.items()})

    def flags(self, flags: Mapping[str, Any]) -> None:
        data: dict[str, Any] = {}
        for key, value in flags.items():
            data = _merged(data, _nested(tuple(key.split(".")), value))
        if data:
            self._named("flags", data, {key: f"flag --{FLAGS.get(key, key)}" for key in flags})

    def assignment(self, text: str) -> None:
        key, equals, value = text.partition("=")
        path = _parts(key)
        if not equals or path is None:
            raise ConfigError(f"--set takes KEY=VALUE, like --set limits.max_turns=20, not {text[:60]!r}")
        path = tuple(ALIASES.get(dotted(path), "").split(".")) if dotted(path) in ALIASES else path
        try:
            _known_or_error(path)
        except ConfigError as error:
            raise ConfigError(f"--set: {error}") from None
        data = _nested(path, _assigned(path, value, "--set"))
        self._named("flags", data, {dotted(path): "flag --set"})

    def profile(self, profiles: Profiles) -> None:
        """Put the profile and its parents right below the layer that names it."""
        naming = next((layer for layer in reversed(self.layers) if layer.data.get("profile")), None)
        name = DEFAULT if naming is None else naming.data["profile"]
        if naming is not None and naming.source != self.own and name.endswith(END):
            profiles.chosen = os.path.join(profiles.cwd, name)
        try:
            chain = profiles.chain(name)
        except ConfigError as error:
            if naming is None or error.file is not None:
                raise
            raise ConfigError(f"{naming.origin('profile')}: {error}") from None
        # The flags are several layers (each --set is one): below all of those that come from there.
        at = next((at for at, layer in enumerate(self.layers) if naming and layer.source == naming.source), 0)
        self.layers[at:at] = [each.layer for each in chain if each.data]
        self.rules += [rules for each in chain if (rules := rule_layer(each.layer, each.rule_lines)) is not None]

    def result(self, trusted: bool) -> Settings:
        merged, origins = merge(self.layers)
        if "providers" in merged:
            self._incomplete(merged["providers"])
        merged.setdefault("profile", DEFAULT)
        settings = _settings(merged)
        permissions: PermissionSettings = replace(settings.permissions, layers=tuple(self.rules))
        return replace(
            settings, permissions=permissions, origins=origins, warnings=tuple(self.warnings), trusted=trusted
        )

    def _incomplete(self, providers: dict[str, dict[str, Any]]) -> None:
        """A provider of one's own that cannot be asked, because nobody knows where or how."""
        from protea.domain.providers import PROVIDERS

        for name, table in providers.items():
            missing = [key for key in ("api", "base_url") if not table.get(key)]
            if name not in PROVIDERS and missing:
                key = dotted(("providers", name))
                layer = next(each for each in self.layers if name in each.data.get("providers", {}))
                self.warnings.append(f"{layer.origin(key)}: {key} cannot be used without {' and '.join(missing)}")

    def _file(self, path: str, text: str, *, trusted: bool) -> None:
        data = _renamed(parse(text, path))
        written = Written(path, text)

        def warn(key: str, message: str) -> None:
            self.warnings.append(written.warning(key, message))

        if not trusted:
            # Anyone may forbid: what an untrusted project asks to be asked or denied is kept.
            table = data.get("permissions")
            kept = {name: table[name] for name in ("ask", "deny") if name in table} if isinstance(table, dict) else {}
            data = {"permissions": kept} if kept else {}
        layer = Layer(
            source=path,
            data=_check(data, written.fail, warn),
            lines={key: place.line for key, place in written.where.items()},
        )
        self._add(layer, rule_lines(text, written.places))

    def _named(self, source: str, data: dict[str, Any], named: dict[str, str]) -> None:
        layer = Layer(source=source, data=data, named=named)

        def fail(key: str, message: str) -> ConfigError:
            return ConfigError(f"{layer.origin(key)}: {message}")

        def warn(key: str, message: str) -> None:
            self.warnings.append(f"{layer.origin(key)}: {message}")

        self._add(Layer(source=source, data=_check(data, fail, warn), named=named), {})

    def _add(self, layer: Layer, rule_lines: Mapping[str, int]) -> None:
        if layer.data:
            self.layers.append(replace(layer, data=_with_ports(layer.data)))
        rules = rule_layer(layer, rule_lines)
        if rules is not None:
            self.rules.append(rules)


def _why_not_used(path: str, data: bytes, surroundings: Surroundings) -> str:
    from protea.adapters.settings.trust import looked_at

    known = looked_at(surroundings.protea_home, surroundings.root)
    if known is None:
        return f"{path} is not used: this project has not been trusted; `protea trust` does that"
    name = os.path.relpath(path, surroundings.root)
    what = "this project" if replace(surroundings, looked_at=known).vouches(path, data) else "it"
    return f"{name} is not used: {what} is not as you trusted it; `protea trust` shows what is different"


def _with_ports(data: dict[str, Any]) -> dict[str, Any]:
    """`[sandbox]` is short for `[ports.sandbox]`, and so are `[instructions]` and `[hooks]`."""
    for port in ("sandbox", "instructions", "hooks"):
        table = {name: value for name, value in data.get(port, {}).items() if value is not None}
        if table:
            ports = data.get("ports", {})
            own = ports.get(port, {})
            if port == "hooks":  # those of a moment add up
                both = {name for name in table if isinstance(table[name], list) and isinstance(own.get(name), list)}
                own = {**own, **{name: [*table[name], *own[name]] for name in both}}
            data = {**data, "ports": {**ports, port: {**table, **own}}}
    return data


_TEXTS = frozenset({"model", "effort", "profile"})
_TABLES: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "log": ("level", LogSettings),
    "permissions": ("mode", PermissionSettings),
    "sandbox": ("adapter", SandboxSettings),
}


def _simple(data: Mapping[str, Any]) -> bool:
    """Whether it is only what most runs are given by flag or variable. Looking into types costs more than the rest of
    a start takes here, so these are known without."""
    return all(
        isinstance(value, str)
        if name in _TEXTS
        else (name == "ports" and _simple_ports(value)) or (name in _TABLES and _simple_table(name, value))
        for name, value in data.items()
    )


def _simple_ports(table: Any) -> bool:
    return isinstance(table, dict) and all(isinstance(options, dict) for options in table.values())


def _simple_table(name: str, table: Any) -> bool:
    key = _TABLES[name][0]
    if not isinstance(table, dict) or [*table] != [key] or not isinstance(table[key], str):
        return False
    return name != "permissions" or table[key] in get_args(Mode)


def _settings(data: dict[str, Any]) -> Settings:
    if not _simple(data):
        return msgspec.convert(data, Settings)
    given: dict[str, Any] = {
        name: _TABLES[name][1](**value) if name in _TABLES else value for name, value in data.items()
    }
    return Settings(**given)


def _check(data: dict[str, Any], fail: Any, warn: Any) -> dict[str, Any]:
    if not data:
        return data
    checked = data
    if not _simple(data):
        from protea.adapters.settings._checking import check

        checked = check(data, fail, warn)
    level = checked.get("log", {}).get("level")
    if level is not None:
        try:
            levels(level)
        except ValueError as error:
            raise fail("log.level", f"log.level: {error}") from None
    return checked


def _first_run(path: str) -> str | None:
    """Write the commented file. Returns why it could not be written, for a person."""
    from protea.adapters.settings._template import TEMPLATE  # once in the life of a home

    passing = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            file.write(TEMPLATE)
        try:
            os.link(passing, path)  # unlike a rename it does not replace what another process has just made
        except FileExistsError:
            pass
        finally:
            os.unlink(passing)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return (
            f"{os.path.dirname(path)} cannot be written to ({reason}): settings and sessions of this run are not kept"
        )
    return None


def _close_to_others(home: str) -> None:
    """Conversations lie there. Only what is ours and at the usual place: PROTEA_HOME may be any folder."""
    try:
        status = os.lstat(home)
        if stat.S_ISDIR(status.st_mode) and status.st_mode & 0o077 and status.st_uid == os.getuid():
            os.chmod(home, 0o700)
    except OSError:
        return  # there is none, or it cannot be changed


def _renamed(data: dict[str, Any]) -> dict[str, Any]:
    for old, new in ALIASES.items():
        if old in data:
            data = dict(data)
            value = data.pop(old)
            data = _merged(_nested(tuple(new.split(".")), value), data)
    return data


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    return below | {
        name: _merged(below[name], value) if isinstance(value, dict) and isinstance(below.get(name), dict) else value
        for name, value in above.items()
    }


def _nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for part in reversed(path):
        value = {part: value}
    result: dict[str, Any] = value
    return result


def _assigned(path: tuple[str, ...], text: str, who: str) -> Any:
    """The value a person typed: TOML where it is, and where TOML is what the key takes; else the text itself."""
    from protea.adapters.settings._checking import accepts

    text = text.strip()
    parsed: Any = {"true": True, "false": False}.get(text)
    if parsed is None:
        import tomllib

        try:
            parsed = tomllib.loads(f"value = {text}\n")["value"] if text and "\n" not in text else text
        except (tomllib.TOMLDecodeError, RecursionError):
            if text[0] in "[{\"'":
                raise ConfigError(f"{who}: {text[:60]} is not a TOML value: a bracket or quote is missing") from None
            parsed = text
    kind = accepts(path)
    if kind is not None and parsed != text and not isinstance(parsed, str):
        try:
            msgspec.convert(parsed, kind)
        except msgspec.ValidationError:
            try:
                return msgspec.convert(text, kind)
            except msgspec.ValidationError:
                return parsed
    return parsed


def _parts(key: str) -> tuple[str, ...] | None:
    from protea.domain.toml_places import split_key  # most runs name no key

    return split_key(key)


def _path(key: str) -> tuple[str, ...]:
    path = _parts(ALIASES.get(key, key))
    if path is None:
        raise ConfigError(f"{key!r} is not a key: write it like limits.max_turns")
    return path


def _known_or_error(path: tuple[str, ...]) -> None:
    from importlib.util import find_spec  # a start needs neither

    from protea.adapters.settings._checking import accepts, names

    if accepts(path) is None:
        for depth in range(len(path)):
            if accepts(path[: depth + 1]) is None:
                near = nearest(path[depth], names(path[:depth]))
                # A profile has a table for each port; `config.toml` has them all in one.
                port = path[0].isidentifier() and find_spec(f"protea.ports.{path[0]}") is not None
                meant = (*path[:depth], near) if near else ("ports", *path) if port else ()
                hint = f"; did you mean {dotted(meant)}?" if meant else "; `protea config schema` tells all there are"
                raise ConfigError(f"{dotted(path)} is not a setting{hint}")


def _refuse(message: str) -> None:
    raise ConfigError(message.replace(", so it is passed over", ""))


def _builtins(settings: Settings) -> dict[str, Any]:
    plain = {name: getattr(settings, name) for name in Settings.__struct_fields__}
    for name in ("origins", "warnings", "trusted"):
        del plain[name]
    plain["permissions"] = replace(settings.permissions, layers=())
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(plain))
    made["log"] = {"level": settings.log.level, "format": settings.log.format}
    return made
