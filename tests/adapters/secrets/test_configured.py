"""Keys from wherever the settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.secrets import configured
from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.domain.surroundings import Surroundings
from protea.testing.contracts.secrets import SecretsContract


def secrets(home: Path, **environment: str) -> configured.ConfiguredSecrets:
    surroundings = Surroundings(
        cwd=str(home), root=str(home), user_home=str(home), protea_home=str(home), environment=environment
    )
    return configured.create(configured.Options(), surroundings=surroundings)


class TestConfiguredSecrets(SecretsContract):
    @pytest.fixture(autouse=True)
    def _home(self, tmp_path: Path) -> None:
        self.home = tmp_path

    def secrets(self, key: str) -> configured.ConfiguredSecrets:
        return secrets(self.home, ACME_API_KEY=key)

    def pointing(self) -> ProviderSettings:
        return ProviderSettings(api_key_env="ACME_API_KEY")

    def pointing_nowhere(self) -> ProviderSettings:
        return ProviderSettings(api_key_env="OTHER_API_KEY")


async def test_a_command_is_asked_before_a_file_and_that_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file")
    (tmp_path / "key").chmod(0o600)
    source = secrets(tmp_path, KEY="from the environment", PATH="/usr/bin:/bin")
    by = {"api_key_env": "KEY", "api_key_file": "~/key", "api_key_command": ("echo", "from the command")}
    asked = [
        await source.key("acme", ProviderSettings(**{name: by[name] for name in names}))  # type: ignore[arg-type]  # a table
        for names in (["api_key_env"], ["api_key_env", "api_key_file"], [*by])
    ]
    assert asked == ["from the environment", "from the file", "from the command"]


async def test_the_source_that_is_named_answers_alone(tmp_path: Path) -> None:
    source = secrets(tmp_path, KEY="from the environment")
    with pytest.raises(ConfigError, match="cannot be read"):
        await source.key("acme", ProviderSettings(api_key_env="KEY", api_key_file="missing"))
