"""The port to a language model. Swap class: hot."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from protea.domain.reply import ModelRequest, ReplyPiece
from protea.domain.usage import ModelInfo


class Model(Protocol):
    """One model of one provider.

    Promises: nothing is sent before the stream is iterated. Pieces come as they arrive; the last is exactly one
    `Reply`, yielded only after the wire's own end mark was seen. Anything else ends in `ModelError`, whose `failure`
    says whether the same request may work later. It does not retry. Closing the iterator (or cancelling) ends the
    request at once. It keeps no conversation: two calls know nothing of each other.
    """

    @property
    def info(self) -> ModelInfo:
        """What is known of the model; `info.id` is `provider/model`."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece, None]:
        """Ask. With `request.stream` false the reply comes in one piece, but by the same generator."""
        ...

    async def warm(self) -> None:
        """Do ahead what the first request will need (TLS, a connection). Never fails: the request says it better."""
        ...

    async def aclose(self) -> None:
        """Close connections. The model is not used afterwards."""
        ...
