"""Which sandbox is meant: `auto` becomes one, what cannot be had is refused. Called by `root` and by `cli`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.surroundings import Surroundings

Chosen = tuple[str, dict[str, Any]]
"""An adapter's name and its options."""

SHORT = ("network", "required", "image", "allow_domains")
"""What `[sandbox]` may say besides the adapter; it is said of whichever adapter it becomes."""


def settle(name: str, options: Mapping[str, Any], around: Surroundings, warn: Callable[[str], None]) -> Chosen:
    """The sandbox to make. Raises `ConfigError`."""
    options = dict(options)
    required = options.pop("required", False)
    if not isinstance(required, bool):
        raise ConfigError(f"sandbox.required is {required!r}; it must be true or false")
    if name == "auto":
        return _whichever(options, around, warn, required=required)
    if name == "none":
        if required:
            raise ConfigError("sandbox.required asks for walls, and the sandbox none has none; use auto or another")
        return name, _without_walls(options)
    if name != "docker":
        options.pop("image", None)
    return name, options


def stand(name: str, options: Mapping[str, Any], around: Surroundings) -> None:
    """Raises `ConfigError` where walls that were asked for by name cannot be built: nobody is to find that out by a
    command that did not run. Costs some milliseconds."""
    if name == "docker":
        from protea.adapters.sandbox import docker

        try:
            known = msgspec.convert(dict(options), docker.Options)
        except msgspec.ValidationError:
            return  # what is wrong with them is told with all else that is
        why = docker.obstacle(known, around)
    elif name == "bubblewrap":
        from protea.adapters.sandbox import bubblewrap

        why = bubblewrap.obstacle(around)
    else:
        return
    if why is not None:
        raise ConfigError(f"the {name} sandbox was asked for and cannot be had: {why}")


def bare(name: str, options: Mapping[str, Any]) -> Chosen:
    """The adapter and the options of its own that a choice stands for, as far as that is known without trying walls."""
    rest = {key: value for key, value in options.items() if key != "required" and (key != "image" or name == "docker")}
    if name == "none":
        return name, {key: value for key, value in rest.items() if key not in SHORT}
    if name != "auto":
        return name, rest
    from protea.adapters.sandbox import bubblewrap  # `auto` is asked for with the options of both

    return "bubblewrap", _known(rest, bubblewrap.Options)


def _whichever(options: dict[str, Any], around: Surroundings, warn: Callable[[str], None], *, required: bool) -> Chosen:
    # Only here is a sandbox tried before it is used, which costs some 15 ms: only so can there be a way back.
    from protea.adapters.sandbox import bubblewrap

    why = bubblewrap.obstacle(around)
    if why is None:
        return "bubblewrap", _known(options, bubblewrap.Options)
    from protea.adapters.sandbox import docker

    known = _known(options, docker.Options)
    also = docker.obstacle(msgspec.convert(known, docker.Options), around)
    if also is None:
        return "docker", known
    if required:
        raise ConfigError(f"no walls can be built, and sandbox.required asks for them: {why}. And docker: {also}")
    warn(f"commands run without walls, because {why}. And docker: {also}")
    return "none", _without_walls({key: value for key, value in options.items() if key != "network" or value is False})


def _known(options: Mapping[str, Any], of: type[msgspec.Struct]) -> dict[str, Any]:
    """`auto` is asked for with the options of both."""
    from protea.adapters.sandbox import bubblewrap, docker

    either = {*bubblewrap.Options.__struct_fields__, *docker.Options.__struct_fields__}
    return {key: value for key, value in options.items() if key in of.__struct_fields__ or key not in either}


def _without_walls(options: Mapping[str, Any]) -> dict[str, Any]:
    if options.get("network") is False or options.get("allow_domains"):
        raise ConfigError("sandbox none cannot keep commands from the network; use bubblewrap, or remove the setting")
    return {key: value for key, value in options.items() if key not in SHORT}
