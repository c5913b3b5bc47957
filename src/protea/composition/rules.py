"""Gathers permission rules from flags, settings and rules files. Called by `root`."""

from __future__ import annotations

import os

import msgspec
from msgspec.structs import replace

from protea.composition.launch import Launch
from protea.domain.errors import ConfigError, UsageError
from protea.domain.permission import Mode, RuleLayer
from protea.domain.settings import Settings
from protea.domain.surroundings import Surroundings


class RulesInForce(msgspec.Struct, frozen=True):
    """What the engine of a run is made with."""

    layers: tuple[RuleLayer, ...]
    """Only layers that hold a rule."""
    mode: Mode | None
    """The mode they ask for: settings before rules files, a trusted project's before the person's own."""


def read_rules(
    launch: Launch, settings: Settings, surroundings: Surroundings, *, foreign_tools: bool = False
) -> RulesInForce:
    """Raises `ConfigError` for a file that is there and cannot be used: it never means "no rules".

    One of a project that is not trusted is the exception: it could stop a person from working, so it is told and left.
    A rule for a tool nobody knows is an error in a flag and a warning in a file, unless there are `foreign_tools`.
    """
    flags = RuleLayer(source="flags", allow=launch.allow, ask=launch.ask, deny=launch.deny)
    strange = "" if surroundings.trusted else os.path.join(surroundings.root, ".protea") + os.sep
    layers: list[RuleLayer] = [flags]
    for each in settings.permissions.layers:
        layers.append(_usable(each, launch) if strange and each.source.startswith(strange) else each)
    mode: Mode | None = None
    if not launch.bare:
        for folder, own in (
            (surroundings.protea_home, True),
            (os.path.join(surroundings.root, ".protea"), surroundings.trusted),
        ):
            layer, asked = _of_file(os.path.join(folder, "permissions.toml"), surroundings, launch, own=own)
            if layer is not None:
                layers.append(layer)
            mode = asked or mode
    said = tuple(each for each in layers if each.allow or each.ask or each.deny)
    if said:
        if not foreign_tools:
            _check_tools(said, launch)
        _tell_odd(said, surroundings, launch)
    return RulesInForce(said, settings.permissions.mode or mode)


def _of_file(
    path: str, surroundings: Surroundings, launch: Launch, *, own: bool
) -> tuple[RuleLayer | None, Mode | None]:
    """The rules of a file and the mode it asks for, as far as they count. `own`: it may allow, too."""
    try:
        layer, mode, raw = _read(path)
    except ConfigError as error:
        if own:
            raise
        # What nobody has trusted must not keep anybody from working either.
        launch.warn(f"{error} (it is not used: this project has not been trusted)")
        return None, None
    if layer is None:
        return None, None
    if own and not surroundings.vouches(path, raw):
        # It was changed since: what it allows now nobody has looked at.
        own = False
        launch.warn(f"{path} is not used: it is not as you trusted it; `protea trust` shows what is different")
    # Anyone may forbid; only those who are trusted may allow, or choose the mode.
    return (layer, mode) if own else (replace(layer, allow=()), None)


def _check_tools(layers: tuple[RuleLayer, ...], launch: Launch) -> None:
    """A misspelt name in a rule that forbids would forbid nothing, and nobody would know."""
    from protea.domain.permission.rules import is_known, meant, parse_layers  # see `_usable`

    for rule in parse_layers(layers):
        name = rule.text.strip().partition("(")[0]
        if is_known(name):
            continue
        near = meant(name)
        problem = f"there is no tool {name!r} for the rule {rule.text}" + (f"; did you mean {near}?" if near else "")
        if rule.source == "flags":
            raise UsageError(problem)
        launch.warn(f"{rule.source}: {problem}")


def _tell_odd(layers: tuple[RuleLayer, ...], surroundings: Surroundings, launch: Launch) -> None:
    """What a rule says and its writer cannot mean."""
    from protea.adapters.permission.rules import warnings  # see `_usable`

    for odd in warnings(layers, surroundings):
        launch.warn(f"{'' if odd.source == 'flags' else f'{odd.source}: '}the rule {odd.rule}: {odd.why}")


def _usable(layer: RuleLayer, launch: Launch) -> RuleLayer:
    """A layer of a project nobody has trusted; without its rules where one of them cannot be read."""
    from protea.domain.permission.rules import parse_layers  # most projects have no rules

    try:
        parse_layers((layer,))
    except ConfigError as error:
        launch.warn(f"{error} (its rules are not used: this project has not been trusted)")
        return RuleLayer(source=layer.source)
    return layer


def _read(path: str) -> tuple[RuleLayer | None, Mode | None, bytes]:
    if not os.path.lexists(path):
        return None, None, b""
    from protea.adapters.permission.rules import read_rules_file  # most people have no such file at first

    found = read_rules_file(path)
    return (found.layer, found.mode, found.raw) if found is not None else (None, None, b"")
