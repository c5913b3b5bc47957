"""Keys from wherever the provider's own settings say: a command, a file, the keyring, the environment, in order."""

from __future__ import annotations

import msgspec

from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.domain.surroundings import Surroundings
from protea.ports.secrets import Secrets


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


def create(options: Options, *, surroundings: Surroundings) -> ConfiguredSecrets:
    return ConfiguredSecrets(surroundings)


class ConfiguredSecrets:
    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._command: Secrets | None = None

    async def key(self, provider: str, settings: ProviderSettings) -> str | None:
        # Each is imported when a provider names it: most runs need the environment alone, many not even that.
        if settings.api_key_command is not None:
            from protea.adapters.secrets import command

            # Kept, since it remembers what its commands have printed.
            self._command = self._command or command.create(command.Options(), surroundings=self._surroundings)
            return await self._command.key(provider, settings)
        if settings.api_key_file is not None:
            from protea.adapters.secrets import file

            return await file.create(file.Options(), surroundings=self._surroundings).key(provider, settings)
        if settings.api_key_keyring is not None:
            try:
                from protea.adapters.secrets import keyring
            except ModuleNotFoundError as error:
                raise ConfigError(
                    f"api_key_keyring of {provider} needs the extra keyring: pip install 'protea[keyring]'"
                ) from error
            return await keyring.create(keyring.Options()).key(provider, settings)
        from protea.adapters.secrets import environment

        return await environment.create(environment.Options(), surroundings=self._surroundings).key(provider, settings)
