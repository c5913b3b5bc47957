from __future__ import annotations

from protea.adapters.secrets import environment
from protea.domain.settings import ProviderSettings
from protea.testing.contracts.secrets import SecretsContract


class TestEnvironmentSecrets(SecretsContract):
    def secrets(self, key: str) -> environment.EnvironmentSecrets:
        return environment.EnvironmentSecrets({"ACME_API_KEY": key})

    def pointing(self) -> ProviderSettings:
        return ProviderSettings(api_key_env="ACME_API_KEY")

    def pointing_nowhere(self) -> ProviderSettings:
        return ProviderSettings(api_key_env="OTHER_API_KEY")
