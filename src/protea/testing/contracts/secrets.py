"""What every `Secrets` keeps."""

from __future__ import annotations

from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings
from protea.ports.secrets import Secrets


class SecretsContract:
    """Subclasses make a source that holds `key`, and settings that send us to it, or to something it does not have."""

    def secrets(self, key: str) -> Secrets:
        raise NotImplementedError

    def pointing(self) -> ProviderSettings:
        """Settings by which the key of `secrets` is found."""
        raise NotImplementedError

    def pointing_nowhere(self) -> ProviderSettings:
        """Settings that send us to this source for something it does not have."""
        raise NotImplementedError

    async def test_a_key_comes_without_blanks_around_it(self) -> None:
        assert await self.secrets("  sk-abc 1  ").key("acme", self.pointing()) == "sk-abc 1"

    async def test_settings_that_name_another_source_are_left_to_it(self) -> None:
        assert await self.secrets("sk-abc").key("acme", ProviderSettings()) is None

    async def test_a_key_that_is_not_there_is_told_in_a_line(self) -> None:
        for source, settings in (
            (self.secrets("sk-abc"), self.pointing_nowhere()),
            (self.secrets("  "), self.pointing()),
        ):
            told = ""
            try:
                await source.key("acme", settings)
            except ConfigError as error:
                told = str(error)
            assert told
            assert "\n" not in told
            assert "sk-abc" not in told
