"""OpenAI's Responses API, without its server-side memory: conversations are sent whole, reasoning encrypted.

Sources: platform.openai.com/docs/api-reference/responses, …/responses-streaming, …/guides/reasoning (keeping reasoning
items in context), …/guides/prompt-caching.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from protea.adapters.models import _failures
from protea.adapters.models._encoding import decode, decode_as, encode, fitting_id
from protea.adapters.models._exchange import Pieces, tool_call
from protea.adapters.models._options import HttpOptions, asked_as, endpoint
from protea.adapters.models._provider import HttpModel
from protea.adapters.models._schemas import is_strict
from protea.adapters.models._stops import StopSequences
from protea.domain.families import fitting_effort
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

WIRE = "openai-responses"


class Options(HttpOptions, frozen=True, kw_only=True):
    provider: str = "openai"
    base_url: str = "https://api.openai.com/v1"
    summaries: bool = True
    """Whether summaries of the thinking are asked for where an effort is; OpenAI wants a verified account for them."""


def create(options: Options, *, surroundings: Surroundings) -> OpenAIResponsesModel:
    return OpenAIResponsesModel(options, surroundings)


class OpenAIResponsesModel(HttpModel[Options]):
    """A `Model`. Output items go back whole and in order to the model they came from."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        super().__init__(options, surroundings, endpoint(options.base_url, "responses"), images=True)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece]:
        request = asked_as(self._options, request)
        options = self._options
        own = {"Authorization": f"Bearer {options.key}"} if options.key else {}
        assembly = ResponsesAssembly(options.provider, self._info.id)
        stops = StopSequences(request.stop_sequences)
        async with aclosing(self._exchanged(request, self.body(request), assembly, own)) as pieces:
            async for piece in pieces:
                for given in stops.pass_on(piece):
                    yield given

    # -- the request

    def body(self, request: ModelRequest) -> bytes:
        """The request's JSON: it begins with the bytes of the turn before, up to the end of that one's input."""
        known = self._known
        parts = [b'{"model":', encode(self._options.model)]
        if system := "\n\n".join(part for part in request.system if part):
            parts += [b',"instructions":', encode(system)]
        if request.tools:
            parts += [b',"tools":[', b",".join([known.get(tool, _tool) for tool in request.tools]), b"]"]
        before, now = self._settled.turns(request.messages, self._input)
        parts += [b',"input":[', b",".join(before + now), b"]"]
        for name, value in self._volatile(request).items():
            parts += [b',"', name.encode(), b'":', encode(value)]
        parts.append(b"}")
        return b"".join(parts)

    def _input(self, messages: Sequence[Message]) -> list[bytes]:
        return [data for message in messages if (data := self._known.get(message, self._items))]

    def _items(self, message: Message) -> bytes:
        match message:
            case UserMessage(content):
                items: list[dict[str, Any]] = [{"role": "user", "content": [_input_part(part) for part in content]}]
            case ToolMessage(call_id=call_id, text=text, images=images):
                output: Any = text or "(no output)"
                if images:
                    output = [{"type": "input_text", "text": output}, *map(_input_part, images)]
                items = [{"type": "function_call_output", "call_id": _id(call_id), "output": output}]
            case AssistantMessage():
                items = self._assistant(message)
        return b",".join(map(encode, items))

    def _assistant(self, message: AssistantMessage) -> list[dict[str, Any]]:
        native = message.native
        if native is not None and native.wire == WIRE and message.model == self._info.id:
            # A result goes by the id its call has on this wire.
            items = [
                item | {"call_id": _id(item["call_id"])} if item.get("type") == "function_call" else item
                for item in native.content
            ]
            # Reasoning must be followed by what it led to; a reply cut off while thinking has nothing there.
            while items and items[-1].get("type") == "reasoning":
                items.pop()
            return items
        items = []
        for part in message.content:
            if isinstance(part, Text) and part.text:
                items.append({"role": "assistant", "content": part.text})
            elif isinstance(part, ToolCall):
                text = part.arguments_text or ""
                if not isinstance(part.arguments, msgspec.UnsetType):
                    text = encode(part.arguments).decode()
                items.append({"type": "function_call", "call_id": _id(part.id), "name": part.name, "arguments": text})
        return items

    def _volatile(self, request: ModelRequest) -> dict[str, Any]:
        fields: dict[str, Any] = {"stream": request.stream, "store": False}
        if self._info.thinking is not False:  # models that do not think refuse both
            fields["include"] = ["reasoning.encrypted_content"]
        if request.effort and (effort := fitting_effort(request.effort.lower(), self._info)):
            effort = "xhigh" if effort == "max" else effort
            fields["reasoning"] = {"effort": effort}
            if self._options.summaries and effort != "none":
                fields["reasoning"]["summary"] = "auto"
        if request.max_output is not None:
            fields["max_output_tokens"] = max(16, request.max_output)  # the API takes no less
        if request.schema is not None:
            fields["text"] = {
                "format": {"type": "json_schema", "name": "answer", "schema": request.schema}
                | {"strict": is_strict(request.schema)}
            }
        if request.cache_key:
            fields["prompt_cache_key"] = request.cache_key[:64]
        return fields


def _id(call_id: str) -> str:
    return fitting_id(call_id, "_-", 64)


def _tool(tool: ToolSpec) -> bytes:
    fields = {"type": "function", "name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return encode(fields | {"strict": False})  # left out it means true, and the API then rewrites the schema


def _input_part(part: Text | Image) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "input_text", "text": part.text}
    return {"type": "input_image", "image_url": f"data:{part.media_type};base64,{part.data}"}


# -- the answer


class _Event(msgspec.Struct):
    type: str = ""
    delta: Any = None
    output_index: int = -1
    item: msgspec.Raw = msgspec.Raw(b"")
    response: msgspec.Raw = msgspec.Raw(b"")


class _Response(msgspec.Struct):
    """The whole of it. Its echo of instructions and tools is not read."""

    status: str | None = None
    error: Any = None
    incomplete_details: Any = None
    output: list[dict[str, Any]] | None = None
    usage: dict[str, Any] | None = None


_EVENT = msgspec.json.Decoder(_Event)
_RESPONSE = msgspec.json.Decoder(_Response)

_INCOMPLETE: dict[str, Stop] = {"max_output_tokens": "length", "content_filter": "content_filter"}


class ResponsesAssembly:
    """A reply put together from events, or from one body."""

    def __init__(self, provider: str, model: str) -> None:
        self.ended = False
        self.over = False
        self._provider, self._model = provider, model
        self._pieces = Pieces()
        self._items: dict[int, dict[str, Any]] = {}
        self._text: list[str] = []
        self._response = _Response()
        self.take = self._pieces.take

    def feed(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.over = True
            return
        event = decode_as(_EVENT, data)
        match event.type:
            case "response.output_text.delta" if isinstance(event.delta, str):
                self._text.append(event.delta)
                self._pieces.text(event.delta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                if isinstance(event.delta, str) and event.delta:
                    self._pieces.thinking(event.delta)
            case "response.output_item.done":
                # By place and not by id: some proxies change an item's id between its events.
                self._items[event.output_index] = decode(bytes(event.item))
            case "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled":
                self._end(decode_as(_RESPONSE, bytes(event.response)), data)
            case "error":
                raise _failures.of_error(decode(data), {}, provider=self._provider)
            case "":
                if (error := _failures.error_in(data)) is not None:
                    raise _failures.of_error(error, {}, provider=self._provider)
            case _:
                pass  # what tells progress, and what is to come

    def whole(self, body: bytes) -> None:
        response = decode_as(_RESPONSE, body)
        if response.output is None:
            raise _failures.malformed(self._provider, "the reply is not a response", retryable=False)
        self._end(response, body)
        self._pieces.take()  # a whole reply comes in one piece

    def _end(self, response: _Response, data: bytes) -> None:
        status = response.status or "completed"
        if response.error or status in ("failed", "cancelled"):
            error = response.error or {"type": "server_error", "message": f"the response {status}"}
            raise _failures.of_error(error, {}, provider=self._provider)
        if status not in ("completed", "incomplete"):
            raise _failures.malformed(self._provider, f"the response ended as {status!r}")
        self._response = response
        if response.usage:
            self._pieces.usage(_usage(response.usage))
        self.ended = self.over = True

    def reply(self) -> Reply:
        response = self._response
        # Some back ends end with an empty output although its items were streamed.
        items = [item for _, item in sorted(self._items.items())]
        if len(response.output or ()) >= len(items):
            items = response.output or []
        details = response.incomplete_details
        reason = details.get("reason") if isinstance(details, dict) else None
        incomplete = response.status == "incomplete"
        content: list[Content] = []
        refusals: list[str] = []
        for item in items:
            content += self._parts(item, refusals, cut=incomplete and item is items[-1])
        if not any(isinstance(part, Text) for part in content) and self._text and not items:
            content.append(Text("".join(self._text)))
        stop: Stop = "end_turn"
        if incomplete:
            stop = _INCOMPLETE.get(reason or "", "other")
        elif any(isinstance(part, ToolCall) for part in content):
            stop = "tool_calls"
        elif refusals:
            stop = "refusal"
        return Reply(
            tuple(content),
            stop,
            _usage(response.usage or {}),
            self._model,
            # The manual has the items of a reply go back as they came, their ids and all.
            Native(WIRE, items) if items else None,
            "".join(refusals) or reason,
            response.status,
        )

    def _parts(self, item: dict[str, Any], refusals: list[str], *, cut: bool) -> list[Content]:
        match item.get("type"):
            case "message":
                texts = []
                for part in item.get("content") or ():
                    if part.get("type") == "refusal":
                        refusals.append(part.get("refusal") or "")
                    elif part.get("text"):
                        texts.append(part["text"])
                return [Text("".join(texts))] if texts else []
            case "reasoning":
                parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
                text = "".join(part.get("text") or "" for part in parts)
                return [Thinking(text)] if text else []
            case "function_call":
                call_id = item.setdefault("call_id", item.get("id") or "call_" + os.urandom(12).hex())
                unfinished = cut or item.get("status") == "incomplete"
                return [tool_call(call_id, item.get("name") or "", item.get("arguments") or "", cut=unfinished)]
            case kind:
                return [Other(str(kind), item)]


def _usage(raw: dict[str, Any]) -> Usage:
    """`input_tokens` has the cached in it, `output_tokens` the reasoning."""
    into, out = raw.get("input_tokens_details") or {}, raw.get("output_tokens_details") or {}
    return Usage(
        _count(raw, "input_tokens"),
        _count(raw, "output_tokens"),
        _count(into, "cached_tokens"),
        _count(into, "cache_write_tokens"),
        _count(out, "reasoning_tokens"),
    )


def _count(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return int(value) if isinstance(value, (int, float)) else 0
