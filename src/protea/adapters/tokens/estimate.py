"""Tokens as a share of the bytes that each model's own figures correct, reply by reply."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from protea.adapters.tokens._sizes import of_message, of_request
from protea.domain.messages import Message
from protea.domain.reply import ModelRequest
from protea.domain.usage import Usage

LEAST, MOST = 1.0, 12.0
"""Bytes a token can reasonably have. What lies beyond comes of something else: a gateway that hides its figures."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bytes_per_token: Annotated[float, msgspec.Meta(gt=0)] = 4.0
    """Until the first figure of a model has come."""


class EstimatedTokens:
    def __init__(self, options: Options) -> None:
        self._first = options.bytes_per_token
        self._shares: dict[str, float] = {}
        self._told: dict[str, tuple[ModelRequest, int]] = {}
        """The latest figure of each model. It is looked at when somebody counts: most runs never do."""

    def message(self, message: Message, model: str) -> int:
        return max(1, math.ceil(of_message(message) / self._share(model)))

    def request(self, request: ModelRequest, model: str) -> int:
        return max(1, math.ceil(of_request(request) / self._share(model)))

    def learn(self, request: ModelRequest, model: str, usage: Usage) -> None:
        if usage.input > 0:
            self._told[model] = (request, usage.input)

    def _share(self, model: str) -> float:
        told = self._told.pop(model, None)
        if told is not None:
            request, tokens = told
            self._shares[model] = min(MOST, max(LEAST, of_request(request) / tokens))
        return self._shares.get(model, self._first)


def create(options: Options) -> EstimatedTokens:
    return EstimatedTokens(options)
