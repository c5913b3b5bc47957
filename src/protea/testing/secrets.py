"""Keys that are handed in."""

from __future__ import annotations

from collections.abc import Mapping

from protea.domain.errors import ConfigError
from protea.domain.settings import ProviderSettings


class GivenSecrets:
    """Knows a key by the name in `api_key_env`, from a mapping; `asked` tells who asked, in order."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = keys
        self.asked: list[str] = []

    async def key(self, provider: str, settings: ProviderSettings) -> str | None:
        self.asked.append(provider)
        if settings.api_key_env is None:
            return None
        key = self._keys.get(settings.api_key_env, "").strip()
        if not key:
            raise ConfigError(f"no key for {provider}: nobody handed in {settings.api_key_env}")
        return key
