"""Ollama's own chat API: JSON lines instead of events, calls that come whole, a context length that must be asked for.

Sources: docs.ollama.com/api/chat, …/capabilities/{thinking,tool-calling,structured-outputs,vision}, and the server's
`api/types.go` and `envconfig` (how `OLLAMA_HOST` is read).
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from protea.adapters.models import _failures
from protea.adapters.models._encoding import decode, decode_as, encode
from protea.adapters.models._exchange import Pieces, tool_call
from protea.adapters.models._options import HttpOptions, asked_as
from protea.adapters.models._provider import HttpModel
from protea.adapters.models._schemas import told
from protea.adapters.models._sse import EventReader, JsonLineReader
from protea.domain.messages import (
    AssistantMessage,
    Content,
    Image,
    Message,
    Native,
    Text,
    Thinking,
    ToolCall,
    ToolMessage,
    UserMessage,
    calls_of,
    text_of,
)
from protea.domain.reply import ModelRequest, Reply, ReplyPiece, Stop
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolSpec
from protea.domain.usage import ModelInfo, Usage

WIRE = "ollama"
_PORT = 11434


_USUAL_CONTEXT = 16_384
"""Tokens: room for the tools and some work, and not too much for the memory of a small machine."""


class Options(HttpOptions, frozen=True, kw_only=True):
    provider: str = "ollama"
    base_url: str = f"http://127.0.0.1:{_PORT}"
    """An address, or what `OLLAMA_HOST` may hold: a host, a host and port, or only `:port`."""
    num_ctx: int | None = None
    """Tokens of context to load the model with; None asks for what `info.context` says, or for 16,384.

    Left to itself the server takes a small default and drops the beginning of longer conversations silently.
    """
    keep_alive: str | int | None = None
    """How long the model stays loaded (`"30m"`, seconds, -1 for ever); None leaves it to the server."""


def create(options: Options, *, surroundings: Surroundings) -> OllamaModel:
    return OllamaModel(options, surroundings)


class OllamaModel(HttpModel[Options]):
    """A `Model`. Thoughts go back only to the model that had them; the server's template decides what it shows."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        super().__init__(options, surroundings, _endpoint(options.base_url))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece]:
        request = asked_as(self._options, request)
        options = self._options
        own = {"Authorization": f"Bearer {options.key}"} if options.key else {}
        assembly = OllamaAssembly(options.provider, self._info.id)
        # A body that comes whole may be spread over lines; `whole` also takes the lines of a stream nobody asked for.
        reader = JsonLineReader() if request.stream else EventReader()
        async with aclosing(self._exchanged(request, self.body(request), assembly, own, reader=reader)) as pieces:
            async for piece in pieces:
                yield piece

    # -- the request

    def body(self, request: ModelRequest) -> bytes:
        """The request's JSON: it begins with the bytes of the turn before, up to the end of that one's messages."""
        known = self._known
        parts = [b'{"model":', encode(self._options.model)]
        if request.tools:
            parts += [b',"tools":[', b",".join([known.get(tool, _tool) for tool in request.tools]), b"]"]
        messages: list[bytes] = []
        # With a grammar for the answer the server's model could call no tool.
        given = told(request.system, request.schema) if request.tools else request.system
        if system := "\n\n".join(part for part in given if part):
            messages.append(encode({"role": "system", "content": system}))
        before, now = self._settled.turns(request.messages, self._messages)
        messages += before + now
        parts += [b',"messages":[', b",".join(messages), b"]"]
        for name, value in self._volatile(request).items():
            parts += [b',"', name.encode(), b'":', encode(value)]
        parts.append(b"}")
        return b"".join(parts)

    def _messages(self, messages: Sequence[Message]) -> list[bytes]:
        return [data for message in messages if (data := self._known.get(message, self._message))]

    def _message(self, message: Message) -> bytes:
        match message:
            case UserMessage(content):
                texts = [part.text for part in content if isinstance(part, Text)]
                images = [part for part in content if isinstance(part, Image)]
                if not images and not any(texts):
                    return b""
                return encode({"role": "user", "content": "\n\n".join(texts)} | _images(images))
            case ToolMessage(call_id=call_id, name=name, text=text, images=given):
                said = {"role": "tool", "content": text or "(no output)", "tool_name": name, "tool_call_id": call_id}
                return encode(said | _images(list(given)))
            case AssistantMessage():
                return self._assistant(message)

    def _assistant(self, message: AssistantMessage) -> bytes:
        own = message.model == self._info.id
        if own and message.native is not None and message.native.wire == WIRE:
            return encode(message.native.content)
        thoughts = "".join(part.text for part in message.content if isinstance(part, Thinking)) if own else ""
        text, called = text_of(message.content), calls_of(message.content)
        if not (text or called or thoughts):
            return b""
        out: dict[str, Any] = {"role": "assistant", "content": text}
        if thoughts:
            out["thinking"] = thoughts
        if called:
            out["tool_calls"] = [
                {"id": call.id, "function": {"index": n, "name": call.name, "arguments": _arguments(call)}}
                for n, call in enumerate(called)
            ]
        return encode(out)

    def _volatile(self, request: ModelRequest) -> dict[str, Any]:
        fields: dict[str, Any] = {"stream": request.stream}
        if request.effort:
            fields["think"] = _think(self._options.model, self._info, request.effort.lower())
        if request.schema is not None and not request.tools:
            fields["format"] = request.schema
        settings: dict[str, Any] = {}
        settings["num_ctx"] = self._options.num_ctx or self._info.context or _USUAL_CONTEXT
        if request.max_output is not None:
            settings["num_predict"] = request.max_output
        if stops := [text for text in request.stop_sequences if text]:
            settings["stop"] = stops
        if settings:
            fields["options"] = settings
        if self._options.keep_alive is not None:
            fields["keep_alive"] = self._options.keep_alive
        return fields


def _endpoint(base_url: str) -> str:
    """Where to ask: what `OLLAMA_HOST` may leave out is filled in, an address to listen on is made one to call."""
    base, mark, query = base_url.strip().partition("?")
    base = base.rstrip("/")
    if "://" not in base:
        host, slash, path = base.partition("/")
        if host.count(":") > 1 and not host.startswith("["):
            host = f"[{host}]"  # a bare IPv6 address
        elif host.startswith(":"):
            host = "127.0.0.1" + host
        if ":" not in host.rpartition("]")[2]:
            host += f":{_PORT}"
        base = f"http://{host}{slash}{path}"
    for listening, calling in (("://0.0.0.0", "://127.0.0.1"), ("://[::]", "://[::1]")):
        base = base.replace(listening, calling, 1)
    for end in ("/chat", "/api", "/v1"):
        base = base.removesuffix(end)
    return base + "/api/chat" + mark + query


def _think(model: str, info: ModelInfo, effort: str) -> bool | str:
    """Most models know only on and off; gpt-oss, and those whose row lists efforts, take a level."""
    if effort in ("none", "off"):
        return False
    if effort in info.efforts:
        return effort
    if "gpt-oss" in model or info.efforts:
        return {"minimal": "low", "low": "low", "medium": "medium"}.get(effort, "high")
    return True


def _tool(tool: ToolSpec) -> bytes:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return encode({"type": "function", "function": function})


def _images(images: list[Image]) -> dict[str, Any]:
    return {"images": [image.data for image in images]} if images else {}


def _arguments(call: ToolCall) -> dict[str, Any]:
    # The wire wants an object; what was none goes back inside one.
    return (
        {"INVALID_JSON": call.arguments_text or ""} if isinstance(call.arguments, msgspec.UnsetType) else call.arguments
    )


# -- the answer


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class _Line(msgspec.Struct):
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    error: Any = None


_LINE = msgspec.json.Decoder(_Line)

_STOPS: dict[str, Stop] = {"stop": "end_turn", "": "end_turn", "length": "length"}


class OllamaAssembly:
    """A reply put together from lines, or from one body."""

    def __init__(self, provider: str, model: str) -> None:
        self.ended = False
        self.over = False
        self._provider, self._model = provider, model
        self._pieces = Pieces()
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._usage = Usage()
        self._stop: str | None = None
        self.take = self._pieces.take

    def feed(self, data: bytes) -> None:
        if data.startswith((b"[", b'"')) and (error := _failures.error_in(data)) is not None:
            raise _failures.of_error(error, {}, provider=self._provider)
        line = decode_as(_LINE, data)
        if line.error:
            raise _failures.of_error(decode(data), {}, provider=self._provider)
        message = line.message
        if message is not None:
            # A thought comes before the text it led to, also where one line has both.
            if message.thinking:
                self._thoughts.append(message.thinking)
                self._pieces.thinking(message.thinking)
            if message.content:
                self._text.append(message.content)
                self._pieces.text(message.content)
            if message.tool_calls:
                self._calls += message.tool_calls
        if line.done:
            self._stop = line.done_reason
            # The count of the prompt is left out where all of it was still in the server's cache.
            self._usage = Usage(line.prompt_eval_count or 0, line.eval_count or 0)
            self._pieces.usage(self._usage)
            self.ended = self.over = True

    def whole(self, body: bytes) -> None:
        try:
            value = decode(body)
        except ValueError:
            reader = JsonLineReader()
            for line in [*reader.feed(body), *reader.finish()]:
                self.feed(line)
        else:
            if not isinstance(value, dict) or "message" not in value:
                raise _failures.malformed(self._provider, "the reply holds no message", retryable=False)
            self.feed(body)
        self._pieces.take()  # a whole reply comes in one piece

    def reply(self) -> Reply:
        content: list[Content] = []
        if self._thoughts:
            content.append(Thinking("".join(self._thoughts)))
        if self._text:
            content.append(Text("".join(self._text)))
        calls = self._finished_calls()
        content += calls
        stop = _STOPS.get(self._stop or "", "other")
        if calls and stop == "end_turn":
            stop = "tool_calls"
        return Reply(tuple(content), stop, self._usage, self._model, self._native(calls), None, self._stop)

    def _finished_calls(self) -> list[ToolCall]:
        taken: set[str] = set()
        out = []
        for item in self._calls:
            call_id, function = item.get("id"), item.get("function") or {}
            if not isinstance(call_id, str) or not call_id or call_id in taken:
                call_id = "call_" + os.urandom(12).hex()  # older servers send none
            taken.add(call_id)
            arguments = function.get("arguments")
            text = arguments if isinstance(arguments, str) else encode(arguments or {}).decode()
            out.append(tool_call(call_id, function.get("name") or "", text))
        return out

    def _native(self, calls: list[ToolCall]) -> Native | None:
        """The message as it goes back, where its calls hold more than the neutral parts say."""
        extras = [{name: value for name, value in item.items() if name not in _PLAIN} for item in self._calls]
        if not any(extras):
            return None
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._text)}
        if self._thoughts:
            message["thinking"] = "".join(self._thoughts)
        message["tool_calls"] = [
            {"id": call.id, "function": {"index": n, "name": call.name, "arguments": _arguments(call)}} | extra
            for n, (call, extra) in enumerate(zip(calls, extras, strict=True))
        ]
        return Native(WIRE, message)


_PLAIN = frozenset({"id", "type", "function"})
