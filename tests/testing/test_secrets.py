from __future__ import annotations

from protea.domain.settings import ProviderSettings
from protea.testing.contracts.secrets import SecretsContract
from protea.testing.secrets import GivenSecrets


class TestGivenSecrets(SecretsContract):
    def secrets(self, key: str) -> GivenSecrets:
        return GivenSecrets({"ACME_API_KEY": key})

    def pointing(self) -> ProviderSettings:
        return ProviderSettings(api_key_env="ACME_API_KEY")

    def pointing_nowhere(self) -> ProviderSettings:
        return ProviderSettings(api_key_env="OTHER_API_KEY")


async def test_who_asked_is_known() -> None:
    secrets = GivenSecrets({"A": "a"})
    await secrets.key("one", ProviderSettings(api_key_env="A"))
    await secrets.key("two", ProviderSettings())
    assert secrets.asked == ["one", "two"]
