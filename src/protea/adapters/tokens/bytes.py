"""Tokens as a fixed share of the bytes: nothing is learned, so the same conversation is always counted alike."""

from __future__ import annotations

import math
from typing import Annotated

import msgspec

from protea.adapters.tokens._sizes import of_message, of_request
from protea.domain.messages import Message
from protea.domain.reply import ModelRequest
from protea.domain.usage import Usage


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bytes_per_token: Annotated[float, msgspec.Meta(gt=0)] = 4.0


class ByteTokens:
    def __init__(self, options: Options) -> None:
        self._share = options.bytes_per_token

    def message(self, message: Message, model: str) -> int:
        return max(1, math.ceil(of_message(message) / self._share))

    def request(self, request: ModelRequest, model: str) -> int:
        return max(1, math.ceil(of_request(request) / self._share))

    def learn(self, request: ModelRequest, model: str, usage: Usage) -> None:
        """It does not."""


def create(options: Options) -> ByteTokens:
    return ByteTokens(options)
