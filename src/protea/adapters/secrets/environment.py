"""Keys from the environment Protea was started with."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.domain.surroundings import Surroundings


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


def create(options: Options, *, surroundings: Surroundings) -> EnvironmentSecrets:
    return EnvironmentSecrets(surroundings.environment)


class EnvironmentSecrets:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def key(self, provider: str, settings: ProviderSettings) -> str | None:
        if settings.api_key_env is None:
            return None
        key = self._environment.get(settings.api_key_env, "").strip()
        if not key:
            raise ConfigError(f"no key for {provider}: set {settings.api_key_env}, as [providers.{provider}] says")
        return key
