"""Keys from the system's keyring, here one in memory: a backend as the keyring package has many."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import keyring.backend
import keyring.errors
import pytest

from protea.adapters.secrets import configured
from protea.adapters.secrets.keyring import KeyringSecrets
from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.domain.surroundings import Surroundings
from protea.testing.contracts.secrets import SecretsContract


class Memory(keyring.backend.KeyringBackend):
    """A keyring in a table; locked, it fails as the desktop's does."""

    priority = 1  # type: ignore[assignment]  # keyring declares it as a property of the class

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("Failed to unlock\nthe collection!")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture(autouse=True)
def memory() -> Iterator[Memory]:
    before, backend = keyring.get_keyring(), Memory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


class TestKeyringSecrets(SecretsContract):
    def secrets(self, key: str) -> KeyringSecrets:
        keyring.set_password("protea", "acme", key)
        return KeyringSecrets()

    def pointing(self) -> ProviderSettings:
        return ProviderSettings(api_key_keyring="acme")

    def pointing_nowhere(self) -> ProviderSettings:
        return ProviderSettings(api_key_keyring="nobody")


async def test_another_service_may_be_named() -> None:
    keyring.set_password("work/ai", "acme", "sk-abc")
    assert await KeyringSecrets().key("acme", ProviderSettings(api_key_keyring="work/ai/acme")) == "sk-abc"


async def test_one_that_is_missing_is_told_with_the_command_that_puts_it_there() -> None:
    with pytest.raises(ConfigError, match="keyring set protea acme"):
        await KeyringSecrets().key("acme", ProviderSettings(api_key_keyring="acme"))


async def test_a_locked_keyring_is_told_in_a_line(memory: Memory) -> None:
    memory.locked = True
    with pytest.raises(ConfigError, match="cannot be used: Failed to unlock the collection!"):
        await KeyringSecrets().key("acme", ProviderSettings(api_key_keyring="acme"))


async def test_a_provider_s_settings_lead_to_it() -> None:
    keyring.set_password("protea", "acme", "sk-abc")
    around = Surroundings(cwd="/", root="/", user_home="/", protea_home="/", environment={"K": "another"})
    source = configured.create(configured.Options(), surroundings=around)
    assert await source.key("acme", ProviderSettings(api_key_keyring="acme", api_key_env="K")) == "sk-abc"
