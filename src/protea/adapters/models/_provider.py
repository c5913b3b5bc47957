"""A model that is reached over HTTP: what is the same whatever its wire. An adapter adds what goes over it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

from protea.adapters.models._encoding import EncodedOnce, Settled
from protea.adapters.models._exchange import Ask, Assembly, exchange
from protea.adapters.models._options import HttpOptions, client_of, headers_of
from protea.adapters.models._sse import EventReader, JsonLineReader
from protea.domain.reply import ModelRequest, ReplyPiece
from protea.domain.surroundings import Surroundings
from protea.domain.usage import ModelInfo

OptionsOf = TypeVar("OptionsOf", bound=HttpOptions)


class HttpModel(Generic[OptionsOf]):
    """A `Model` but for `stream`."""

    def __init__(self, options: OptionsOf, around: Surroundings, url: str, *, images: bool | None = None) -> None:
        """`images`: whether models of this wire see them, where nothing is known of this one."""
        self._options = options
        self._client = client_of(options, around.environment)
        self._info = options.info or ModelInfo(f"{options.provider}/{options.model}", images=images)
        self._url = url
        self._known = EncodedOnce()
        self._settled = Settled()

    @property
    def info(self) -> ModelInfo:
        return self._info

    async def warm(self) -> None:
        """Open the connection ahead of the first request. Never fails: the request itself says it better."""
        await self._client.warm(self._url)

    async def aclose(self) -> None:
        await self._client.aclose()

    def _exchanged(
        self,
        request: ModelRequest,
        body: bytes,
        assembly: Assembly,
        own: dict[str, str],
        *,
        url: str | None = None,
        reader: EventReader | JsonLineReader | None = None,
    ) -> AsyncGenerator[ReplyPiece]:
        """What comes back for a body; `own` are the headers of this wire."""
        options = self._options
        headers = headers_of(options, own)
        ask = Ask(options.provider, url or self._url, headers, body, request.stream, options.key)
        return exchange(self._client, ask, assembly, reader or EventReader())
