"""Anthropic's Messages API, and servers that speak it.

Sources: docs.anthropic.com/en/api/messages, …/messages-streaming, …/build-with-claude/{prompt-caching,
extended-thinking,adaptive-thinking,effort,structured-outputs}.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from protea.adapters.models import _failures
from protea.adapters.models._encoding import decode, decode_as, encode, fitting_id
from protea.adapters.models._exchange import Pieces, tool_call
from protea.adapters.models._options import HttpOptions, asked_as
from protea.adapters.models._provider import HttpModel
from protea.adapters.models._schemas import closed, is_closable, told
from protea.domain.messages import (
    AssistantMessage,
    Content,
    Image,
    Message,
    Native,
    Other,
    Text,
    Thinking,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from protea.domain.reply import ModelRequest, Reply, ReplyPiece, Stop
from protea.domain.surroundings import Surroundings
from protea.domain.tools import ToolSpec
from protea.domain.usage import Usage

WIRE = "anthropic"
_MARK = b',"cache_control":{"type":"ephemeral"}'
_USUAL_OUTPUT = 32_000
_DEEP_OUTPUT = 64_000
"""Room for answers at the two highest efforts."""


class Options(HttpOptions, frozen=True, kw_only=True):
    provider: str = "anthropic"
    base_url: str = "https://api.anthropic.com"
    cache: bool = True
    """Whether breakpoints for prompt caching are set."""


def create(options: Options, *, surroundings: Surroundings) -> AnthropicModel:
    return AnthropicModel(options, surroundings)


class AnthropicModel(HttpModel[Options]):
    """A `Model`. Thinking goes back only to the model that thought it; blocks of other wires are translated."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        super().__init__(options, surroundings, _endpoint(options.base_url), images=True)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece]:
        request = asked_as(self._options, request)
        options = self._options
        own = {"anthropic-version": "2023-06-01"}
        if options.key:
            own["x-api-key"] = options.key
        assembly = _Assembly(options.provider, self._info.id)
        async with aclosing(self._exchanged(request, self.body(request), assembly, own)) as pieces:
            async for piece in pieces:
                yield piece

    # -- the request

    def body(self, request: ModelRequest) -> bytes:
        """The request's JSON. What changes from turn to turn stands behind the messages.

        Without its cache breakpoints, the body of a turn begins with that of the turn before, up to the end of its
        messages.
        """
        cache = self._options.cache
        parts = [b'{"model":', encode(self._options.model)]
        given = request.system if self._has_field(request) else told(request.system, request.schema)
        system = [part for part in given if part]
        if system:
            blocks = [encode({"type": "text", "text": part}) for part in system]
            if cache:
                blocks[-1] = _marked(blocks[-1])
                if len(blocks) > 1:
                    blocks[0] = _marked(blocks[0])
            parts += [b',"system":[', b",".join(blocks), b"]"]
        if request.tools:
            tools = [self._known.get(tool, _tool) for tool in request.tools]
            if cache and len(system) < 2:  # four breakpoints at most: two here and in the system prompt
                tools[-1] = _marked(tools[-1])
            parts += [b',"tools":[', b",".join(tools), b"]"]
        before, now = self._settled.turns(request.messages, self._messages)
        messages = before + now
        if cache and messages:
            # The end of this request, and the end of the one before: a reply with many calls can put more blocks
            # between the two than the twenty the API looks back over.
            for at in {len(messages) - 1, len(before) - 1 if before else len(messages) - 1}:
                messages[at] = _marked_turn(messages[at])
        parts += [b',"messages":[', b",".join(messages), b"]"]
        for name, value in self._volatile(request).items():
            parts += [b',"', name.encode(), b'":', encode(value)]
        parts.append(b"}")
        return b"".join(parts)

    def _volatile(self, request: ModelRequest) -> dict[str, Any]:
        thinking, output, room = _thinking(self._options.model, request, self._info.id)
        most = request.max_output or min(self._info.max_output or _usual_output(self._options.model), room)
        if thinking is not None and thinking["type"] == "enabled":
            if most <= 2048:
                thinking = None
            else:
                thinking["budget_tokens"] = max(1024, min(thinking["budget_tokens"], most - 1024))
        fields: dict[str, Any] = {"max_tokens": most, "stream": request.stream}
        if thinking is not None:
            fields["thinking"] = thinking
        if request.schema is not None and self._has_field(request):
            output["format"] = {"type": "json_schema", "schema": closed(request.schema)}
        if output:
            fields["output_config"] = output
        if stops := [text for text in request.stop_sequences if text.strip()]:
            fields["stop_sequences"] = stops
        return fields

    def _has_field(self, request: ModelRequest) -> bool:
        """Whether the schema goes in a field of its own."""
        return _has_schemas(self._options.model) and is_closable(request.schema)

    def _messages(self, messages: Sequence[Message]) -> list[bytes]:
        """One JSON object per turn of the wire. Results that follow one another are one turn, as the API wants them."""
        out: list[bytes] = []
        results: list[bytes] = []
        known = self._known

        def close_results() -> None:
            if results:
                out.append(b'{"role":"user","content":[' + b",".join(results) + b"]}")
                results.clear()

        for message in messages:
            if isinstance(message, ToolMessage):
                results.append(known.get(message, _result))
                continue
            close_results()
            if isinstance(message, AssistantMessage):
                data = known.get(message, self._assistant)
            else:
                data = known.get(message, _user)
            if data:
                out.append(data)
        close_results()
        return out

    def _assistant(self, message: AssistantMessage) -> bytes:
        own = message.model == self._info.id
        same_provider = message.model.partition("/")[0] == self._options.provider
        if message.native is not None and message.native.wire == WIRE and same_provider:
            blocks = [
                # A result goes by the id its call has on this wire.
                block | {"id": _id(block["id"])} if block.get("type") == "tool_use" else block
                for block in message.native.content
                if _may_return(block, own)
            ]
        else:
            blocks = [block for part in message.content if (block := _block_of(part, own)) is not None]
        return encode({"role": "assistant", "content": blocks}) if blocks else b""


def _endpoint(base_url: str) -> str:
    base = base_url.strip().rstrip("/")
    for end in ("/messages", "/v1"):
        base = base.removesuffix(end)
    return base + "/v1/messages"


def _marked(block: bytes) -> bytes:
    return block[:-1] + _MARK + b"}"


def _marked_turn(turn: bytes) -> bytes:
    """A turn with a breakpoint on its last block; thinking cannot carry one, and only user turns end a request."""
    return turn[:-3] + _MARK + b"}]}" if turn.startswith(b'{"role":"user"') else turn


def _tool(tool: ToolSpec) -> bytes:
    return encode({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})


def _image(image: Image) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": image.data}}


def _user(message: UserMessage) -> bytes:
    blocks = [
        {"type": "text", "text": part.text} if isinstance(part, Text) else _image(part)
        for part in message.content
        if not isinstance(part, Text) or part.text.strip()  # the API refuses empty text
    ]
    return encode({"role": "user", "content": blocks}) if blocks else b""


def _result(message: ToolMessage) -> bytes:
    content: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text.strip() else []
    content += [_image(image) for image in message.images]
    if not content and message.is_error:
        content = [{"type": "text", "text": "(failed without a message)"}]
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": _id(message.call_id), "content": content}
    if message.is_error:
        block["is_error"] = True
    return encode(block)


def _id(call_id: str) -> str:
    return fitting_id(call_id, "_-", 128)


def _block_of(part: Content, own: bool) -> dict[str, Any] | None:
    match part:
        case Text(text):
            return {"type": "text", "text": text} if text.strip() else None
        case Thinking(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature} if own and signature else None
        case ToolCall(call_id, name):
            return {"type": "tool_use", "id": _id(call_id), "name": name, "input": _input(part)}
    return None


def _input(call: ToolCall) -> dict[str, Any]:
    # The wire wants an object. This is the form its manual gives for text that was none.
    return (
        {"INVALID_JSON": call.arguments_text or ""} if isinstance(call.arguments, msgspec.UnsetType) else call.arguments
    )


def _may_return(block: dict[str, Any], own: bool) -> bool:
    kind = block.get("type")
    if kind in ("thinking", "redacted_thinking"):
        return own
    return kind != "text" or bool(str(block.get("text", "")).strip())


# -- what models can do


def _version(model: str) -> tuple[int, int] | None:
    """(4, 6) of `claude-sonnet-4-6`, (3, 7) of `claude-3-7-sonnet-20250219`; None for what is no Claude."""
    words = model.lower().rpartition("/")[2].replace("@", "-").replace(".", "-").split("-")
    if "claude" not in words:
        return None
    numbers = [int(word) for word in words[words.index("claude") :] if word.isdigit() and len(word) < 3]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0) if numbers else None


def _usual_output(model: str) -> int:
    version = _version(model)
    if version is None or version >= (3, 7):
        return _DEEP_OUTPUT if version is None or version >= (4, 5) else _USUAL_OUTPUT
    return 8192 if version >= (3, 5) else 4096


def _has_schemas(model: str) -> bool:
    version = _version(model)
    return version is None or version >= (4, 5)


_BUDGETS = {"minimal": 1024, "low": 4096, "medium": 10_000, "high": 24_000, "xhigh": 48_000, "max": 60_000}


def _thinking(model: str, request: ModelRequest, own: str) -> tuple[dict[str, Any] | None, dict[str, Any], int]:
    """The `thinking` and `output_config` fields for the effort asked, and how much output that wants room for."""
    effort = (request.effort or "").lower()
    room = _DEEP_OUTPUT if effort in ("xhigh", "max") else _USUAL_OUTPUT
    if not effort or effort in ("none", "off"):
        return None, {}, room
    version = _version(model)
    if version is not None and version >= (4, 6):
        thinking: dict[str, Any] = {"type": "adaptive"}
        if version >= (4, 7):  # these leave their thoughts out unless asked
            thinking["display"] = "summarized"
        level = {"minimal": "low", "xhigh": "xhigh" if version >= (4, 7) else "high"}.get(effort, effort)
        return thinking, {"effort": level}, room
    if version is not None and version < (3, 7):
        return None, {}, room
    if _in_a_tool_loop_without_thoughts(request.messages, own):
        return None, {}, room
    return {"type": "enabled", "budget_tokens": _BUDGETS.get(effort, _BUDGETS["high"])}, {}, room


def _in_a_tool_loop_without_thoughts(messages: tuple[Message, ...], own: str) -> bool:
    """Whether the calls being answered go out without thinking: with a budget the API then refuses the request.

    Thoughts of another model, or without a signature, are not sent.
    """
    for message in reversed(messages):
        if isinstance(message, AssistantMessage):
            first = message.content[0] if message.content else None
            kept = isinstance(first, Other) and first.kind == "redacted_thinking"
            kept = kept or (isinstance(first, Thinking) and first.signature is not None)
            return not kept or message.model != own
        if not isinstance(message, ToolMessage):
            return False
    return False


# -- the answer


class _Delta(msgspec.Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    citation: Any = None
    stop_reason: str | None = None
    stop_details: Any = None


class _Event(msgspec.Struct):
    type: str = ""
    index: int = -1
    delta: _Delta | None = None
    message: msgspec.Raw = msgspec.Raw(b"")
    content_block: msgspec.Raw = msgspec.Raw(b"")
    usage: msgspec.Raw = msgspec.Raw(b"")


_EVENT = msgspec.json.Decoder(_Event)

_STOPS: dict[str, Stop] = {
    "end_turn": "end_turn",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "refusal": "refusal",
    "pause_turn": "pause",
    "compaction": "pause",
}


_BEGUN_BY = {"text_delta": "text", "thinking_delta": "thinking"}
"""Blocks that some compatible servers never begin, and what they are."""


class _Block:
    """A content block while its deltas come."""

    __slots__ = ("citations", "data", "json", "signature", "text")

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.text: list[str] = []
        self.json: list[str] = []
        self.signature: list[str] = []
        self.citations: list[Any] = []


class _Assembly:
    def __init__(self, provider: str, model: str) -> None:
        self.ended = False
        self.over = False
        self._provider, self._model = provider, model
        self._pieces = Pieces()
        self._blocks: dict[int, _Block] = {}
        self._usage: dict[str, Any] = {}
        self._stop: str | None = None
        self._details: Any = None
        self.take = self._pieces.take

    def feed(self, data: bytes) -> None:
        if data == b"[DONE]":  # some servers that speak this wire add OpenAI's end to it
            return
        event = decode_as(_EVENT, data)
        delta = event.delta
        match event.type:
            case "content_block_delta" if delta is not None:
                self._delta(event.index, delta, data)
            case "content_block_start":
                self._start_block(event.index, decode(bytes(event.content_block)))
            case "message_delta":
                if delta is not None:
                    self._stop = delta.stop_reason or self._stop
                    self._details = delta.stop_details or self._details
                self._saw_usage(event.usage)
            case "message_start":
                self._message(decode(bytes(event.message)))
            case "message_stop":
                self.ended = self.over = True
            case "error":
                body = decode(data)
                raise _failures.of_error(body, {}, provider=self._provider)
            case _:
                if event.type == "" and (error := _failures.error_in(data)) is not None:
                    raise _failures.of_error(error, {}, provider=self._provider)
                # ping, content_block_stop, and what is to come

    def whole(self, body: bytes) -> None:
        message = decode(body)
        if not isinstance(message, dict) or not isinstance(message.get("content"), list):
            raise _failures.malformed(self._provider, "the reply is not a message", retryable=False)
        self._message(message)
        self.ended = self.over = True
        self._pieces.take()  # a whole reply comes in one piece

    def _message(self, message: dict[str, Any]) -> None:
        """A message that may be whole already: after a programmatic call's result nothing follows but message_stop."""
        for index, block in enumerate(message.get("content") or ()):
            self._start_block(index, block)
        self._stop = message.get("stop_reason") or self._stop
        self._details = message.get("stop_details") or self._details
        self._usage |= {k: v for k, v in (message.get("usage") or {}).items() if v is not None}
        self._pieces.usage(_usage(self._usage))

    def _saw_usage(self, raw: msgspec.Raw) -> None:
        # The figures of message_delta are totals that replace the earlier ones; those left out stay.
        usage = decode(bytes(raw)) if raw else None
        if isinstance(usage, dict):
            self._usage |= {k: v for k, v in usage.items() if v is not None}
            self._pieces.usage(_usage(self._usage))

    def _start_block(self, index: int, data: dict[str, Any]) -> None:
        self._blocks[index] = _Block(data)
        match data:
            case {"type": "text", "text": str(text)} if text:
                self._pieces.text(text)
            case {"type": "thinking", "thinking": str(text)} if text:
                self._pieces.thinking(text)

    def _delta(self, index: int, delta: _Delta, data: bytes) -> None:
        block = self._blocks.get(index)
        if block is None:
            kind = _BEGUN_BY.get(delta.type)
            if kind is None:
                raise _failures.malformed(self._provider, f"a delta came for block {index}, which never began")
            block = self._blocks[index] = _Block({"type": kind})
        match delta.type:
            case "text_delta":
                if delta.text:
                    block.text.append(delta.text)
                    self._pieces.text(delta.text)
            case "thinking_delta":
                if delta.thinking:
                    block.text.append(delta.thinking)
                    self._pieces.thinking(delta.thinking)
            case "input_json_delta":
                if delta.partial_json:
                    block.json.append(delta.partial_json)
            case "signature_delta":
                block.signature.append(delta.signature or "")
            case "citations_delta":
                block.citations.append(delta.citation)
            case _:
                _add(block.data, decode(data)["delta"])

    def reply(self) -> Reply:
        cut = self._stop in ("max_tokens", "model_context_window_exceeded")
        content: list[Content] = []
        native: list[dict[str, Any]] = []
        plain = True
        last = max(self._blocks, default=-1)
        for index, block in sorted(self._blocks.items()):
            data, part = _finished(block, cut and index == last)
            native.append(data)
            if part is not None:
                content.append(part)
            plain = plain and _is_plain(data)
        stop = _STOPS.get(self._stop or "", "other")
        if stop == "end_turn" and any(isinstance(part, ToolCall) for part in content):
            stop = "tool_calls"
        return Reply(
            tuple(content),
            stop,
            _usage(self._usage),
            self._model,
            None if plain else Native(WIRE, native),
            _explanation(self._details),
            self._stop,
        )


def _add(data: dict[str, Any], delta: dict[str, Any]) -> None:
    """Apply a delta of a kind not known here (`compaction_delta` …): texts and lists grow, other values replace."""
    for name, value in delta.items():
        if name == "type":
            continue
        held = data.get(name)
        both = (isinstance(held, str) and isinstance(value, str)) or (
            isinstance(held, list) and isinstance(value, list)
        )
        data[name] = held + value if both else value


def _finished(block: _Block, cut: bool) -> tuple[dict[str, Any], Content | None]:
    """The block as it goes back, and what it is in neutral words; None for an empty text."""
    data = dict(block.data)
    kind = data.get("type", "")
    if kind == "text":
        data["text"] = (data.get("text") or "") + "".join(block.text)
        if block.citations:
            data["citations"] = [*(data.get("citations") or ()), *block.citations]
        return data, Text(data["text"]) if data["text"] else None
    if kind == "thinking":
        data["thinking"] = (data.get("thinking") or "") + "".join(block.text)
        data["signature"] = (data.get("signature") or "") + "".join(block.signature)
        return data, Thinking(data["thinking"], data["signature"] or None)
    if kind == "tool_use":
        call = _call(data, "".join(block.json), cut)
        data["input"] = _input(call)
        return data, call
    if block.json:
        text = "".join(block.json)
        try:
            data["input"] = decode(text)
        except ValueError:
            data["input"] = {"INVALID_JSON": text}
    return data, Other(kind, data)


def _call(data: dict[str, Any], text: str, cut: bool) -> ToolCall:
    call_id, name, given = data["id"], data.get("name") or "", data.get("input")
    if not text and isinstance(given, dict) and (given or not cut):
        return ToolCall(call_id, name, given)
    return tool_call(call_id, name, text, cut=cut)


_PLAIN: dict[str, frozenset[str]] = {
    "text": frozenset({"type", "text"}),
    "thinking": frozenset({"type", "thinking", "signature"}),
    "tool_use": frozenset({"type", "id", "name", "input"}),
}


def _is_plain(data: dict[str, Any]) -> bool:
    """Whether the neutral part of a block says all of it."""
    keys = _PLAIN.get(data.get("type", ""))
    return keys is not None and all(name in keys or value in (None, [], {}) for name, value in data.items())


def _explanation(details: Any) -> str | None:
    if isinstance(details, dict):
        text = details.get("explanation") or details.get("message") or details.get("category")
        return text if isinstance(text, str) else None
    return None


def _usage(raw: dict[str, Any]) -> Usage:
    """`input_tokens` leaves both cache figures out; `output_tokens` has the thinking in it."""
    read, written = _count(raw, "cache_read_input_tokens"), _count(raw, "cache_creation_input_tokens")
    details = raw.get("output_tokens_details")
    return Usage(
        _count(raw, "input_tokens") + read + written,
        _count(raw, "output_tokens"),
        read,
        written,
        _count(details, "thinking_tokens") if isinstance(details, dict) else 0,
    )


def _count(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return int(value) if isinstance(value, (int, float)) else 0
