"""From a port and a name to an adapter: import, check its options, hand it what it asks for by parameter name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import msgspec

from protea.composition.catalogue import CATALOGUE
from protea.domain.errors import ConfigError
from protea.domain.spelling import nearest


class Resolver:
    """Creates adapters, each port at most once, others on demand as parameters ask for them."""

    def __init__(self, chosen: Mapping[str, tuple[str, Mapping[str, Any]]], given: Mapping[str, Any]) -> None:
        self._chosen = chosen
        """Port → (adapter, options)."""
        self._made: dict[str, Any] = dict(given)
        self._making: list[str] = []

    def get(self, port: str) -> Any:
        """The adapter that fills `port`. Raises `ConfigError` for a wrong name, option or a circle of needs."""
        if port in self._made:
            return self._made[port]
        if port in self._making:
            raise ConfigError(f"the ports {' → '.join([*self._making, port])} need each other in a circle")
        if port not in self._chosen:
            raise ConfigError(f"nothing fills the port {port}; add [ports.{port}] with an adapter")
        self._making.append(port)
        try:
            name, options = self._chosen[port]
            self._made[port] = self.make(port, name, options)
        finally:
            self._making.pop()
        return self._made[port]

    def make(self, port: str, name: str, options: Mapping[str, Any]) -> Any:
        """A new adapter of that name; what its `create` names is got from here."""
        module = load(port, name)
        try:
            values = msgspec.convert(dict(options), module.Options)
        except msgspec.ValidationError as error:
            known = ", ".join(module.Options.__struct_fields__) or "none"
            raise ConfigError(f"[ports.{port}] adapter {name}: {error}; its options are: {known}") from error
        code = module.create.__code__
        wanted = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        return module.create(values, **{parameter: self.get(parameter) for parameter in wanted})


def load(port: str, name: str) -> ModuleType:
    """The module of an adapter. Raises `ConfigError` for an unknown name or a missing package."""
    names = CATALOGUE.get(port)
    if names is None:
        raise ConfigError(f"there is no port {port}; there are {', '.join(CATALOGUE)}")
    if name not in names:
        near = nearest(name, names)
        hint = f"; did you mean {near}?" if near else f"; there are {', '.join(names)}"
        raise ConfigError(f"the port {port} has no adapter {name}{hint}")
    try:
        return import_module(names[name])
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "protea":
            raise
        raise ConfigError(
            f"the adapter {name} of {port} needs the package {error.name}: pip install 'protea[all]'"
        ) from error
