"""The port to keys. Swap class: warm."""

from __future__ import annotations

from typing import Protocol

from protea.domain.settings import ProviderSettings


class Secrets(Protocol):
    """Where one kind of source keeps the keys of providers.

    A key is asked for when it is needed and is never written anywhere: not to a log, an event or an error.
    """

    async def key(self, provider: str, settings: ProviderSettings) -> str | None:
        """The provider's key, without blanks around it; None where `settings` do not send us to this source.

        Raises `ConfigError`, telling what to do and not the key, where they do and there is none to be had.
        """
        ...
