"""Keys from the system's keyring: the desktop's (Secret Service, KWallet), macOS's Keychain, or another."""

from __future__ import annotations

import asyncio

import keyring
import keyring.errors
import msgspec

from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings

SERVICE = "protea"
"""Under which a key is looked for where the setting names only what it is called."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """None."""


def create(options: Options) -> KeyringSecrets:
    return KeyringSecrets()


class KeyringSecrets:
    """A keyring that is locked asks for its password itself; nobody else waits meanwhile."""

    async def key(self, provider: str, settings: ProviderSettings) -> str | None:
        if settings.api_key_keyring is None:
            return None
        service, slash, name = settings.api_key_keyring.rpartition("/")
        place = (service if slash else SERVICE, name)
        try:
            key = await asyncio.to_thread(keyring.get_password, *place)
        except keyring.errors.KeyringError as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise ConfigError(f"api_key_keyring: the system's keyring cannot be used: {said}") from error
        if not (key or "").strip():
            mend = f"`keyring set {place[0]} {name}` puts it there"
            raise ConfigError(f"api_key_keyring: the keyring holds no {name!r} of {place[0]!r}; {mend}")
        return (key or "").strip()
