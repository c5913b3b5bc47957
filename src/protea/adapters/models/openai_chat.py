"""OpenAI's Chat Completions and the many servers that speak it, their differences as rows of a table.

Sources: platform.openai.com/docs/api-reference/chat; openrouter.ai/docs (reasoning tokens, errors, streaming);
api-docs.deepseek.com (thinking mode); docs.mistral.ai/api; console.groq.com/docs; docs.x.ai; the llama.cpp and vLLM
server manuals.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from protea.adapters.models import _failures
from protea.adapters.models._encoding import decode_as, encode, fitting_id
from protea.adapters.models._exchange import Pieces, tool_call
from protea.adapters.models._options import HttpOptions, asked_as, endpoint
from protea.adapters.models._provider import HttpModel
from protea.adapters.models._schemas import is_strict, told
from protea.adapters.models._stops import StopSequences
from protea.domain.families import fitting_effort
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
from protea.domain.usage import Usage

if TYPE_CHECKING:
    from protea.adapters.models.openai_responses import ResponsesAssembly

WIRE = "openai-chat"


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server differs from what most of them do."""

    most: str = "max_tokens"
    """The field that limits the output."""
    effort: Literal["reasoning_effort", "reasoning", "thinking", "chat_template_kwargs", "none"] = "reasoning_effort"
    """How effort is asked for."""
    thoughts: str | None = None
    """The field thoughts go back in, beside the calls they led to; None where the server has no use for them."""
    cache_key: bool = False
    """Whether `prompt_cache_key` is known."""
    cache_mark: str | None = None
    """Models whose names begin so are cached only when asked: `cache_control` for the whole request."""
    stream_options: bool = True
    """Whether usage in a stream must be asked for, and the asking is not refused."""
    schemas: Literal["field", "both", "object", "words"] = "both"
    """How a schema is given: in `json_schema`; there and in the prompt, where servers pass over the field; in the
    prompt, with `json_object`; in the prompt alone, where the field is refused beside tools or in a stream."""
    key_header: str | None = None
    """Instead of `Authorization: Bearer`."""
    id_length: int = 256
    id_extra: str = "_-.:/|"
    """Characters of a call's id beside letters and digits. Kimi wants its `functions.name:0` back as it was."""
    id_exact: bool = False
    """Whether ids have exactly `id_length` characters."""
    bridge: str | None = None
    """Said by the assistant between a tool's result and a person's message, where those may not follow one another."""
    raw_arguments: bool = False
    """Whether arguments that are no JSON may go back as they were; most servers parse them again."""
    stops: int = 4
    """Stop sequences the server takes; the rest are looked for here."""
    stops_of_thinkers: bool = True
    """Whether models that think take them."""
    efforts_listed: bool = False
    """Whether effort is refused by models that list none."""


DIALECTS: dict[str, Dialect] = {
    "openai": Dialect(
        most="max_completion_tokens",
        cache_key=True,
        id_length=40,
        id_extra="_-",
        raw_arguments=True,
        schemas="field",
        stops_of_thinkers=False,
    ),
    "azure": Dialect(
        most="max_completion_tokens",
        key_header="api-key",
        id_length=40,
        id_extra="_-",
        raw_arguments=True,
        schemas="field",
        stops_of_thinkers=False,
    ),
    "openrouter": Dialect(effort="reasoning", thoughts="reasoning", cache_mark="anthropic/"),
    "groq": Dialect(most="max_completion_tokens", schemas="words"),
    "deepseek": Dialect(effort="thinking", thoughts="reasoning_content", schemas="object", stops=16),
    "mistral": Dialect(
        effort="none", stream_options=False, id_length=9, id_extra="", id_exact=True, bridge="OK.", schemas="field"
    ),
    "xai": Dialect(schemas="field", stops_of_thinkers=False, efforts_listed=True),
    "vllm": Dialect(schemas="field"),
    "llamacpp": Dialect(effort="chat_template_kwargs", thoughts="reasoning_content", schemas="field"),
    "ollama": Dialect(thoughts="reasoning"),
    "generic": Dialect(),
}


class Options(HttpOptions, frozen=True, kw_only=True):
    provider: str = "openai"
    base_url: str = "https://api.openai.com/v1"
    dialect: str = "generic"
    """A row of `DIALECTS`; an unknown name is `generic`."""


def create(options: Options, *, surroundings: Surroundings) -> OpenAIChatModel:
    return OpenAIChatModel(options, surroundings)


class OpenAIChatModel(HttpModel[Options]):
    """A `Model`. `reasoning_details` go back unchanged to the model they came from; other wires' are left out."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        base = options.base_url
        if options.dialect == "azure":
            base = _azure(base, surroundings.environment).replace("{model}", options.model)
        super().__init__(options, surroundings, endpoint(base, "chat/completions"))
        self._dialect = DIALECTS.get(options.dialect, DIALECTS["generic"])

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece]:
        request = asked_as(self._options, request)
        options, own = self._options, {}
        if options.key:
            header = self._dialect.key_header
            token = options.key.startswith("eyJ")  # of Entra ID, which goes where tokens go
            own = {header: options.key} if header and not token else {"Authorization": f"Bearer {options.key}"}
        assembly = ChatAssembly(options.provider, self._info.id)
        stops = StopSequences(request.stop_sequences[self._dialect.stops if self._takes_stops() else 0 :])
        async with aclosing(self._exchanged(request, self.body(request), assembly, own)) as pieces:
            async for piece in pieces:
                for given in stops.pass_on(piece):
                    yield given

    # -- the request

    def _takes_stops(self) -> bool:
        return self._dialect.stops_of_thinkers or self._info.thinking is False

    def body(self, request: ModelRequest) -> bytes:
        """The request's JSON: it begins with the bytes of the turn before, up to the end of that one's messages."""
        known = self._known
        parts = [b'{"model":', encode(self._options.model)]
        if request.tools:
            parts += [b',"tools":[', b",".join([known.get(tool, _tool) for tool in request.tools]), b"]"]
        messages: list[bytes] = []
        given = request.system if self._dialect.schemas == "field" else told(request.system, request.schema)
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
        known = self._known
        out: list[bytes] = []
        images: list[bytes] = []  # a tool's message holds text only; its images follow the last result
        after_result = False
        for message in messages:
            if not isinstance(message, ToolMessage) and images:
                out += images
                images = []
            if after_result and self._dialect.bridge is not None and isinstance(message, UserMessage):
                out.append(encode({"role": "assistant", "content": self._dialect.bridge}))
            after_result = isinstance(message, ToolMessage)
            data = known.get(message, self._message)
            if data:
                out.append(data)
            if isinstance(message, ToolMessage) and message.images:
                images.append(known.get(message.images, _images))
        return out + images

    def _message(self, message: Message) -> bytes:
        match message:
            case UserMessage(content):
                return _user(content)
            case ToolMessage(call_id=call_id, text=text):
                shown = text or "(no output)"
                return encode({"role": "tool", "tool_call_id": self._id(call_id), "content": shown})
            case AssistantMessage():
                return encode(self._assistant(message))

    def _assistant(self, message: AssistantMessage) -> dict[str, Any]:
        native = message.native
        if native is not None and native.wire == WIRE and message.model == self._info.id:
            said: dict[str, Any] = native.content
            if calls := said.get("tool_calls"):  # a result goes by the id its call has on this wire
                said = said | {"tool_calls": [call | {"id": self._id(call["id"])} for call in calls]}
            return said
        called = calls_of(message.content)
        out: dict[str, Any] = {"role": "assistant", "content": text_of(message.content)}
        if called:
            out["content"] = out["content"] or None
            out["tool_calls"] = [
                {
                    "id": self._id(call.id),
                    "type": "function",
                    "function": {"name": call.name, "arguments": self._arguments(call)},
                }
                for call in called
            ]
            field = self._dialect.thoughts
            if field is not None and message.model == self._info.id:
                thoughts = "".join(part.text for part in message.content if isinstance(part, Thinking))
                if thoughts:
                    out[field] = thoughts
        return out

    def _arguments(self, call: ToolCall) -> str:
        if isinstance(call.arguments, msgspec.UnsetType):
            text = call.arguments_text or ""
            return text if self._dialect.raw_arguments else encode({"INVALID_JSON": text}).decode()
        return encode(call.arguments).decode()

    def _id(self, call_id: str) -> str:
        dialect = self._dialect
        if dialect.id_exact and len(call_id) != dialect.id_length:
            call_id += "…"  # not of the wire's length, so it cannot stay
        return fitting_id(call_id, dialect.id_extra, dialect.id_length)

    def _volatile(self, request: ModelRequest) -> dict[str, Any]:
        dialect = self._dialect
        fields: dict[str, Any] = {"stream": request.stream}
        if request.stream and dialect.stream_options:
            fields["stream_options"] = {"include_usage": True}
        if request.max_output is not None:
            fields[dialect.most] = request.max_output
        effort = fitting_effort(request.effort.lower(), self._info) if request.effort else None
        if effort and (self._info.efforts or not dialect.efforts_listed):
            fields |= _effort(dialect, effort)
        if self._takes_stops() and (stops := [text for text in request.stop_sequences if text][: dialect.stops]):
            fields["stop"] = stops
        if request.schema is not None and dialect.schemas != "words":
            fields["response_format"] = _response_format(dialect, request.schema)
        if dialect.cache_key and request.cache_key:
            fields["prompt_cache_key"] = request.cache_key[:64]
        if dialect.cache_mark and self._options.model.startswith(dialect.cache_mark):
            fields["cache_control"] = {"type": "ephemeral"}
        return fields


def _azure(url: str, environment: Mapping[str, str]) -> str:
    """A resource's address made whole: the version 1 API, or a deployment's address where an `api-version` is named."""
    base, mark, query = url.strip().partition("?")
    base = base.rstrip("/")
    version = environment.get("AZURE_OPENAI_API_VERSION") or environment.get("OPENAI_API_VERSION") or ""
    if base.endswith(("/openai/v1", "/v1")) or "/deployments/" in base or "/chat/completions" in base:
        pass
    elif mark or version:
        base = base.removesuffix("/openai") + "/openai/deployments/{model}"
    else:
        base = base.removesuffix("/openai") + "/openai/v1"
    if "/deployments/" in base and "api-version=" not in query and version:
        query, mark = "&".join(filter(None, (query, f"api-version={version}"))), "?"
    return base + mark + query


def _effort(dialect: Dialect, effort: str) -> dict[str, Any]:
    match dialect.effort:
        case "reasoning_effort":
            return {"reasoning_effort": {"max": "xhigh", "off": "none"}.get(effort, effort)}
        case "reasoning":
            return {"reasoning": {"effort": {"max": "xhigh", "off": "none"}.get(effort, effort)}}
        case "thinking":
            return {"thinking": {"type": "disabled" if effort in ("none", "off") else "enabled"}}
        case "chat_template_kwargs":
            if effort in ("none", "off"):
                return {"chat_template_kwargs": {"enable_thinking": False}}
            return {"chat_template_kwargs": {"reasoning_effort": effort}}
        case "none":
            return {}


def _response_format(dialect: Dialect, schema: dict[str, Any]) -> dict[str, Any]:
    if dialect.schemas == "object":
        return {"type": "json_object"}
    named: dict[str, Any] = {"name": "answer", "schema": schema}
    if is_strict(schema):
        named["strict"] = True
    return {"type": "json_schema", "json_schema": named}


def _tool(tool: ToolSpec) -> bytes:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return encode({"type": "function", "function": function})


def _image(image: Image) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{image.data}"}}


def _user(content: tuple[Text | Image, ...]) -> bytes:
    if len(content) == 1 and isinstance(content[0], Text):
        return encode({"role": "user", "content": content[0].text})
    parts = [{"type": "text", "text": part.text} if isinstance(part, Text) else _image(part) for part in content]
    return encode({"role": "user", "content": parts}) if parts else b""


def _images(images: tuple[Image, ...]) -> bytes:
    parts = [{"type": "text", "text": "Images the tool gave:"}, *map(_image, images)]
    return encode({"role": "user", "content": parts})


# -- the answer


class _Delta(msgspec.Struct):
    content: str | list[Any] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: Any = None
    tool_calls: list[dict[str, Any]] | None = None
    function_call: dict[str, Any] | None = None
    """How calls were said before there could be several."""


class _Choice(msgspec.Struct):
    index: int | None = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    """Kimi says it here."""


class _Groq(msgspec.Struct):
    usage: dict[str, Any] | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None
    object: str | None = None
    type: str | None = None
    x_groq: _Groq | None = None


_CHUNK = msgspec.json.Decoder(_Chunk)

_STOPS: dict[str, Stop] = {
    "stop": "end_turn",
    "eos": "end_turn",
    "end_turn": "end_turn",
    "complete": "end_turn",
    "eos_token": "end_turn",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "stop_sequence": "stop_sequence",
    "content_filter": "content_filter",
    "refusal": "refusal",
}

_FAILED_STOPS = {"error": "server_error", "insufficient_system_resource": "overloaded_error"}


class _Call:
    __slots__ = ("arguments", "extra", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []
        self.extra: dict[str, Any] = {}
        """Fields beside the usual: some servers want them back (Gemini's `extra_content`)."""


class ChatAssembly:
    """A reply put together from chunks, or from one body."""

    def __init__(self, provider: str, model: str) -> None:
        self.ended = False
        self.over = False
        self._provider, self._model = provider, model
        self._pieces = Pieces()
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._refusal: list[str] = []
        self._calls: list[_Call] = []
        self._open: dict[Any, _Call] = {}
        self._usage: dict[str, Any] = {}
        self._stop: str | None = None
        self._began = False
        self._other: ResponsesAssembly | None = None
        self.take = self._pieces.take

    def feed(self, data: bytes) -> None:
        if self._other is not None:
            self._responses(self._other.feed, data)
            return
        if data == b"[DONE]":
            # A server may leave finish_reason out and yet end properly.
            self.ended = self.ended or self._began
            self.over = True
            return
        chunk = decode_as(_CHUNK, data)
        if chunk.type is not None and chunk.type.startswith("response.") and not self._began:
            self._responses(self._other_wire().feed, data)
            return
        self._chunk(chunk, data)

    def _other_wire(self) -> ResponsesAssembly:
        """An address does not say which of OpenAI's two wires lies behind it; what it answers does."""
        from protea.adapters.models.openai_responses import ResponsesAssembly  # nearly never needed here

        self._other = ResponsesAssembly(self._provider, self._model)
        self.take = self._other.take
        return self._other

    def _responses(self, take: Callable[[bytes], None], data: bytes) -> None:
        take(data)
        if self._other is not None:
            self.ended, self.over = self._other.ended, self._other.over

    def whole(self, body: bytes) -> None:
        chunk = decode_as(_CHUNK, body)
        if chunk.object == "response":
            self._responses(self._other_wire().whole, body)
            return
        if not chunk.choices or chunk.choices[0].message is None:
            raise _failures.malformed(self._provider, "the reply holds no message", retryable=False)
        self._chunk(chunk, body)
        self.ended = self.over = True
        self._pieces.take()  # a whole reply comes in one piece

    def _chunk(self, chunk: _Chunk, data: bytes) -> None:
        if chunk.error or chunk.object == "error":
            error = _failures.error_in(data)
            raise _failures.of_error(
                error if error is not None else msgspec.json.decode(data), {}, provider=self._provider
            )
        for choice in chunk.choices or ():
            if choice.index:
                continue
            self._began = True
            delta = choice.delta or choice.message
            if delta is not None:
                self._delta(delta)
            if choice.finish_reason:
                if choice.finish_reason in _FAILED_STOPS:
                    error = {"type": _FAILED_STOPS[choice.finish_reason], "message": "the reply broke off"}
                    raise _failures.of_error(error, {}, provider=self._provider)
                self._stop = choice.finish_reason
                self.ended = True
        usage = chunk.usage or (chunk.x_groq.usage if chunk.x_groq is not None else None)
        usage = usage or next((choice.usage for choice in chunk.choices or () if choice.usage), None)
        if usage:
            self._usage = usage
            self._pieces.usage(_usage(usage))

    def _delta(self, delta: _Delta) -> None:
        content = delta.content
        if content:
            if isinstance(content, str):
                self._text.append(content)
                self._pieces.text(content)
            else:
                self._parts(content)
        # One text under two names, or once plain and once in details: it is shown once.
        thought = delta.reasoning_content or delta.reasoning
        if thought and isinstance(thought, str):
            self._think(thought)
        if delta.reasoning_details:
            if not thought:
                for detail in delta.reasoning_details:
                    self._think(detail.get("text") or detail.get("summary"))
            self._details += delta.reasoning_details
        if delta.refusal and isinstance(delta.refusal, str):
            self._refusal.append(delta.refusal)
        if delta.tool_calls:
            for item in delta.tool_calls:
                self._call(item)
        if delta.function_call:
            self._call({"index": "function_call", "function": delta.function_call})

    def _think(self, text: Any) -> None:
        if text and isinstance(text, str):
            self._thoughts.append(text)
            self._pieces.thinking(text)

    def _parts(self, parts: list[Any]) -> None:
        """Content as a list: Mistral's thinking, and servers that repeat the request's form."""
        for part in parts:
            if not isinstance(part, dict):
                continue
            if part.get("type") == "thinking":
                inner = part.get("thinking")
                for piece in inner if isinstance(inner, list) else [{"text": inner}]:
                    self._think(piece.get("text"))
            elif isinstance(part.get("text"), str):
                self._text.append(part["text"])
                self._pieces.text(part["text"])

    def _call(self, item: dict[str, Any]) -> None:
        """`index` is a key, not a place: it may begin at 1, be missing, or be 0 for every call."""
        custom = item.get("custom") or {}  # a tool whose input is free text
        function = item.get("function") or {"name": custom.get("name"), "arguments": custom.get("input")}
        key, call_id, name = item.get("index"), item.get("id") or "", function.get("name") or ""
        call = self._open.get(key) if key is not None or not call_id else None
        if call is None and key is None and not call_id and not name and self._calls:
            call = self._calls[-1]
        if call is None or (call_id and call.id and call_id != call.id and name):
            call = _Call()
            self._calls.append(call)
        self._open[key] = call
        call.id = call.id or call_id
        call.name = call.name or name
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            call.arguments.append(arguments)
        elif arguments is not None:
            call.arguments.append(encode(arguments).decode())
        for field, value in item.items():
            if field not in ("index", "id", "type", "function", "custom") and value is not None:
                call.extra[field] = value

    def reply(self) -> Reply:
        if self._other is not None:
            return self._other.reply()
        cut = _STOPS.get((self._stop or "").lower()) == "length"
        content: list[Content] = []
        if self._thoughts:
            content.append(Thinking("".join(self._thoughts)))
        if self._text:
            content.append(Text("".join(self._text)))
        calls = self._finished_calls(cut)
        content += calls
        stop = _STOPS.get((self._stop or "").lower(), "other")
        if calls and stop in ("end_turn", "other"):
            stop = "tool_calls"
        refusal = "".join(self._refusal)
        if refusal and stop in ("end_turn", "other"):
            stop = "refusal"
        return Reply(
            tuple(content),
            stop,
            _usage(self._usage),
            self._model,
            self._native(calls),
            refusal or None,
            self._stop,
        )

    def _finished_calls(self, cut: bool) -> list[ToolCall]:
        taken: set[str] = set()
        out = []
        for call in self._calls:
            if not call.id or call.id in taken:
                call.id = "call_" + os.urandom(12).hex()
            taken.add(call.id)
            out.append(tool_call(call.id, call.name, "".join(call.arguments), cut=cut and call is self._calls[-1]))
        return out

    def _native(self, calls: list[ToolCall]) -> Native | None:
        """The message as it goes back, where the neutral parts do not say all of it."""
        if not self._details and not any(call.extra for call in self._calls):
            return None
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._text) or None}
        if self._calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": _arguments_again(neutral, "".join(call.arguments))},
                }
                | call.extra
                for call, neutral in zip(self._calls, calls, strict=True)
            ]
        elif message["content"] is None:
            message["content"] = ""
        if self._details:
            message["reasoning_details"] = joined_details(self._details)
        return Native(WIRE, message)


def _arguments_again(call: ToolCall, text: str) -> str:
    if isinstance(call.arguments, msgspec.UnsetType):
        return encode({"INVALID_JSON": text}).decode()
    return text if text.strip() else "{}"


def joined_details(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """OpenRouter's `reasoning_details` from their pieces: neighbours of one type and index are one item.

    Texts and summaries grow, other fields (a signature, which comes alone in the last piece) are set. Encrypted items
    are whole each.
    """
    out: list[dict[str, Any]] = []
    for piece in pieces:
        last = out[-1] if out else {}
        same = (
            bool(out)
            and last.get("type") == piece.get("type") != "reasoning.encrypted"
            and last.get("index") == piece.get("index")
            and not (last.get("id") and piece.get("id") and last["id"] != piece["id"])
        )
        if not same:
            out.append(dict(piece))
            continue
        for name, value in piece.items():
            if name in ("text", "summary") and isinstance(value, str):
                last[name] = (last.get(name) or "") + value
            elif value is not None:
                last[name] = value
    return out


def _usage(raw: dict[str, Any]) -> Usage:
    """`prompt_tokens` has the cached in it, `completion_tokens` the reasoning (not at xAI, as the total shows)."""
    into, out = _count(raw, "prompt_tokens"), _count(raw, "completion_tokens")
    prompt, completion = raw.get("prompt_tokens_details") or {}, raw.get("completion_tokens_details") or {}
    reasoning = _count(completion, "reasoning_tokens") or _count(raw, "reasoning_tokens")
    if reasoning and _count(raw, "total_tokens") == into + out + reasoning:
        out += reasoning
    return Usage(
        into,
        out,
        _count(prompt, "cached_tokens") or _count(raw, "prompt_cache_hit_tokens") or _count(raw, "cached_tokens"),
        _count(prompt, "cache_write_tokens"),
        reasoning,
    )


def _count(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return int(value) if isinstance(value, (int, float)) else 0
