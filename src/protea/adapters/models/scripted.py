"""A model that plays a script from a file: for demonstrations, for trying settings out, for tests from outside.

    [model]
    adapter = "scripted"
    script = "replies.toml"

The file is TOML, or JSON where its name ends in `.json`, and holds a `Script`:

    after = "fail"
    [[replies]]
    tool_calls = [{ name = "Read", arguments = { path = "README.md" } }]
    [[replies]]
    text = "It is about forms."
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from protea.domain.errors import ConfigError, ModelError
from protea.domain.messages import AssistantMessage
from protea.domain.reply import ModelRequest, ReplyPiece
from protea.domain.script import Script, at, pieces_of, reply_of
from protea.domain.surroundings import Surroundings
from protea.domain.usage import ModelInfo
from protea.ports.clock import Clock


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    script: str
    """The file; a relative name is looked for in the session's folder."""
    model: str = "script"
    info: ModelInfo | None = None


def create(options: Options, *, clock: Clock, surroundings: Surroundings) -> ScriptedModel:
    path = os.path.join(surroundings.cwd, options.script)
    return ScriptedModel(load(path), clock, options.info or ModelInfo(f"scripted/{options.model}"))


def load(path: str) -> Script:
    """The script of a file. Raises `ConfigError`, with its line where the file is not TOML."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ConfigError(f"the script cannot be read: {error.strerror or error}", path) from error
    try:
        return msgspec.convert(_value(data, path), Script)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error), path) from error
    except ValueError as error:
        raise ConfigError(f"this is not {'JSON' if path.endswith('.json') else 'TOML'}: {error}", path) from error


def _value(data: bytes, path: str) -> Any:
    if path.endswith(".json"):
        return msgspec.json.decode(data)
    return msgspec.toml.decode(data)


class ScriptedModel:
    """A `Model`. Which reply comes next is told by the conversation: one for each reply of this model in it.

    So a session that is resumed goes on where it was, and two sessions do not disturb each other.
    """

    def __init__(self, script: Script, clock: Clock, info: ModelInfo) -> None:
        self._script = script
        self._clock = clock
        self._info = info

    @property
    def info(self) -> ModelInfo:
        return self._info

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece, None]:
        name = self._info.id
        number = sum(isinstance(m, AssistantMessage) and m.model == name for m in request.messages)
        reply = at(self._script, number)
        if reply is None:
            what = f"the script has {len(self._script.replies)} replies, and this is request {number + 1}"
            raise ModelError.of("invalid_request", what, provider="scripted")
        if reply.delay:
            await self._clock.sleep(reply.delay)
        if request.stream or reply.error is not None:
            for piece in pieces_of(reply):
                yield piece
        if reply.error is not None:
            raise ModelError(reply.error)
        yield reply_of(reply, number, name)

    async def warm(self) -> None:
        """Nothing is opened ahead."""

    async def aclose(self) -> None:
        """Nothing is open."""
