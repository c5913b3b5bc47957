"""Which sandbox is meant: `auto` becomes one, what is not built is refused. Called by `root` and by `cli`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protea.domain.errors import ConfigError
from protea.domain.surroundings import Surroundings

Chosen = tuple[str, dict[str, Any]]
"""An adapter's name and its options."""


def settle(name: str, options: Mapping[str, Any], around: Surroundings, warn: Callable[[str], None]) -> Chosen:
    """The sandbox to make. Raises `ConfigError`."""
    if name == "docker":
        raise ConfigError("the docker sandbox is not built yet; use --sandbox bubblewrap, auto or none")
    if name == "auto":
        # Only here is bubblewrap tried before it is used, which costs some 15 ms: only so can there be a way back.
        from protea.adapters.sandbox.bubblewrap import obstacle

        why = obstacle(around)
        if why is None:
            return "bubblewrap", dict(options)
        warn(f"commands run without walls, because {why}")
        name, options = "none", {key: value for key, value in options.items() if key != "network" or value is False}
    if name == "none" and "network" in options:
        if options["network"] is False:
            raise ConfigError(
                "sandbox none cannot keep commands from the network; use bubblewrap, or remove the setting"
            )
        options = {key: value for key, value in options.items() if key != "network"}
    return name, dict(options)
