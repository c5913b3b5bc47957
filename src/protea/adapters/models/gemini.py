"""Google's Gemini API, and the same wire at Vertex AI.

Sources: ai.google.dev/api/generate-content, ai.google.dev/gemini-api/docs/{function-calling,thinking,
thought-signatures,structured-output}, docs.cloud.google.com/vertex-ai (generateContent, thinking, streamed arguments).
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import msgspec

from protea.adapters.models import _failures
from protea.adapters.models._encoding import decode, decode_as, encode
from protea.adapters.models._exchange import Pieces
from protea.adapters.models._gemini_schemas import openapi
from protea.adapters.models._options import HttpOptions, asked_as
from protea.adapters.models._provider import HttpModel
from protea.adapters.models._schemas import told
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
from protea.domain.usage import ModelInfo, Usage

WIRE = "gemini"
_MADE_UP = "gem_"
"""How ids begin that were given to calls which came without one; they never go on the wire."""
_NO_PROOF = "skip_thought_signature_validator"
"""What the manual gives for calls another model made: from Gemini 3 on, a call without a signature is refused."""


class Options(HttpOptions, frozen=True, kw_only=True):
    provider: str = "gemini"
    base_url: str = "https://generativelanguage.googleapis.com"
    """With or without the version. For Vertex AI: `https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/
    locations/LOCATION`, and a token (`gcloud auth print-access-token`) as the key."""


def create(options: Options, *, surroundings: Surroundings) -> GeminiModel:
    return GeminiModel(options, surroundings)


class GeminiModel(HttpModel[Options]):
    """A `Model`. Thoughts, signatures and unknown parts go back only to the model they came from."""

    def __init__(self, options: Options, surroundings: Surroundings) -> None:
        super().__init__(options, surroundings, _endpoint(options.base_url, options.model), images=True)
        self._version = _version(options.model)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece]:
        request = asked_as(self._options, request)
        options = self._options
        url = _method(self._url, stream=request.stream)
        assembly = GeminiAssembly(options.provider, self._info.id)
        async with aclosing(
            self._exchanged(request, self.body(request), assembly, _key_header(options), url=url)
        ) as pieces:
            async for piece in pieces:
                yield piece

    # -- the request

    def body(self, request: ModelRequest) -> bytes:
        """The request's JSON: it begins with the bytes of the turn before, up to the end of that one's contents.

        That is what implicit caching wants: no breakpoints are set on this wire.
        """
        parts = [b"{"]
        given = request.system if self._has_field(request) else told(request.system, request.schema)
        if system := [{"text": text} for text in given if text]:
            parts += [b'"systemInstruction":', encode({"parts": system}), b","]
        if request.tools:
            tools = [self._known.get(tool, _tool) for tool in request.tools]
            parts += [b'"tools":[{"functionDeclarations":[', b",".join(tools), b"]}],"]
        before, now = self._settled.turns(request.messages, self._contents)
        parts += [b'"contents":[', b",".join(before + now), b"]"]
        parts += [b',"generationConfig":', encode(self._settings(request)), b"}"]
        return b"".join(parts)

    def _settings(self, request: ModelRequest) -> dict[str, Any]:
        settings: dict[str, Any] = {}
        if request.max_output is not None:
            settings["maxOutputTokens"] = request.max_output
        if request.effort and (thinking := _thinking(self._options.model, self._info, request.effort.lower())):
            settings["thinkingConfig"] = thinking
        if stops := [text for text in request.stop_sequences if text][:5]:
            settings["stopSequences"] = stops
        if request.schema is not None and self._has_field(request):
            settings["responseMimeType"] = "application/json"
            if self._version is None or self._version >= (2, 5):
                settings["responseJsonSchema"] = _without_mark(request.schema)
            elif (said := openapi(request.schema)) is not None:
                settings["responseSchema"] = said
        return settings

    def _has_field(self, request: ModelRequest) -> bool:
        """Whether the schema goes in a field of its own: before Gemini 3 one beside tools is refused."""
        return self._version is None or self._version >= (3, 0) or not request.tools

    def _contents(self, messages: Sequence[Message]) -> list[bytes]:
        """One JSON object per turn of the wire: the results of a reply are one, and so are two replies in a row."""
        known, kind = self._known, ""
        out: list[bytes] = []
        parts: list[bytes] = []
        images: list[bytes] = []  # where results hold only text, their images follow the last of them
        ids: set[str] = set()

        def close() -> None:
            if kind:
                role = b"model" if kind == "model" else b"user"
                out.append(b'{"role":"%b","parts":[%b]}' % (role, b",".join(parts + images)))
                parts.clear()
                images.clear()

        for message in messages:
            if isinstance(message, ToolMessage):
                following = "results"
                data = known.get(message, self._named_result if message.call_id in ids else self._result)
            elif isinstance(message, AssistantMessage):
                following, data = "model", known.get(message, self._assistant)
                ids |= self._wire_ids(message)
            else:
                following, data = "user", known.get(message, _user)
            if not data:
                continue
            if following != kind or kind == "user":
                close()
                kind = following
            parts.append(data)
            if isinstance(message, ToolMessage) and message.images and not self._images_in_results():
                images.append(known.get(message.images, _images))
        close()
        return out

    def _wire_ids(self, message: AssistantMessage) -> set[str]:
        """The ids this wire itself gave: the results must name them. Others have never been on it."""
        if message.model.partition("/")[0] != self._options.provider:
            return set()
        return {p.id for p in message.content if isinstance(p, ToolCall) and not p.id.startswith(_MADE_UP)}

    def _images_in_results(self) -> bool:
        return self._version is not None and self._version >= (3, 0)

    def _named_result(self, message: ToolMessage) -> bytes:
        return encode({"functionResponse": {"id": message.call_id} | self._response(message)})

    def _result(self, message: ToolMessage) -> bytes:
        return encode({"functionResponse": self._response(message)})

    def _response(self, message: ToolMessage) -> dict[str, Any]:
        said: dict[str, Any] = {"name": message.name}
        said["response"] = {"error" if message.is_error else "output": message.text}
        if message.images and self._images_in_results():
            said["parts"] = [_image(image) for image in message.images]
        return said

    def _assistant(self, message: AssistantMessage) -> bytes:
        own = message.model == self._info.id
        native = message.native
        if own and native is not None and native.wire == WIRE:
            parts = native.content
        else:
            ids = self._wire_ids(message)
            parts = [said for part in message.content if (said := _part_of(part, own, ids)) is not None]
        if self._version is not None and self._version >= (3, 0):
            parts = _with_proof(parts)
        return b",".join([encode(part) for part in parts])


def _endpoint(base_url: str, model: str) -> str:
    """Where `model` is at `base_url`, without the method; a query of `base_url` stays at the end."""
    base, mark, query = base_url.strip().partition("?")
    base = base.rstrip("/")
    name = model.strip("/")
    host, _, path = base.partition("://")[2].partition("/")
    vertex = "/projects/" in f"/{path}/" or "aiplatform." in host
    if not path:
        base += "/v1" if vertex else "/v1beta"
    elif not vertex and not re.search(r"/v\d[a-z0-9]*(/|$)", "/" + path):
        base += "/v1beta"
    if name.startswith("projects/"):  # a tuned model's endpoint, named in full
        base = base.partition("/projects/")[0] + "/" + name
    elif vertex:
        name = name.removeprefix("publishers/google/").removeprefix("models/")
        base = base.removesuffix("/models").removesuffix("/publishers/google") + f"/publishers/google/models/{name}"
    else:
        base = base.removesuffix("/models") + "/" + (name if "/" in name else f"models/{name}")
    return base + mark + query


def _method(url: str, *, stream: bool) -> str:
    base, _, query = url.partition("?")
    if not stream:
        return f"{base}:generateContent" + (f"?{query}" if query else "")
    return f"{base}:streamGenerateContent?alt=sse" + (f"&{query}" if query else "")


def _key_header(options: Options) -> dict[str, str]:
    """A key of the API, or a token of Google Cloud: the two are told apart by how they begin, at Vertex AI by keys."""
    if not options.key:
        return {}
    vertex = "aiplatform." in options.base_url.partition("://")[2].partition("/")[0]
    if options.key.startswith("ya29.") or (vertex and not options.key.startswith(("AIza", "AQ."))):
        return {"Authorization": f"Bearer {options.key}"}
    return {"x-goog-api-key": options.key}


def _tool(tool: ToolSpec) -> bytes:
    said: dict[str, Any] = {"name": tool.name, "description": tool.description}
    parameters = openapi(tool.parameters)
    if parameters is not None:
        said["parameters"] = parameters
    else:
        said["parametersJsonSchema"] = _without_mark(tool.parameters)
    return encode(said)


def _without_mark(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "$schema"}


def _image(image: Image) -> dict[str, Any]:
    return {"inlineData": {"mimeType": image.media_type, "data": image.data}}


def _images(images: tuple[Image, ...]) -> bytes:
    return b",".join([encode(_image(image)) for image in images])


def _user(message: UserMessage) -> bytes:
    parts = [
        {"text": part.text} if isinstance(part, Text) else _image(part)
        for part in message.content
        if not isinstance(part, Text) or part.text
    ]
    return b",".join([encode(part) for part in parts])


def _part_of(part: Content, own: bool, ids: set[str]) -> dict[str, Any] | None:
    """`part` as it goes back. Signatures are this model's or nobody's; an empty text may carry one."""
    said: dict[str, Any]
    match part:
        case Text(text, signature):
            said = {"text": text}
            if not text and not (own and signature):
                return None
        case Thinking(text, signature):
            if not own:
                return None
            said = {"text": text, "thought": True}
        case ToolCall(id=call_id, name=name, signature=signature):
            call: dict[str, Any] = {"id": call_id} if call_id in ids else {}
            said = {"functionCall": call | {"name": name, "args": _arguments(part)}}
        case Other(data=data):
            return data if own and data else None
    if own and signature:
        said["thoughtSignature"] = signature
    return said


def _arguments(call: ToolCall) -> dict[str, Any]:
    # The wire wants an object; what was none goes back inside one.
    return (
        {"INVALID_JSON": call.arguments_text or ""} if isinstance(call.arguments, msgspec.UnsetType) else call.arguments
    )


def _with_proof(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`parts` as Gemini 3 takes them: their first call signed, with the manual's stand-in where nothing is."""
    first = next((n for n, part in enumerate(parts) if "functionCall" in part), None)
    if first is None or any("thoughtSignature" in part for part in parts):
        return parts
    return [*parts[:first], parts[first] | {"thoughtSignature": _NO_PROOF}, *parts[first + 1 :]]


# -- what models can do


def _version(model: str) -> tuple[int, int] | None:
    """(2, 5) of `gemini-2.5-flash`; the newest for an alias (`gemini-flash-latest`); None for what is no Gemini."""
    name = model.lower().rpartition("/")[2]
    if not name.startswith("gemini"):
        return None
    found = re.match(r"gemini-(\d+)(?:\.(\d+))?(?:-|$)", name)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


_BUDGETS = {"minimal": 512, "low": 2048, "medium": 8192, "high": 24_576, "xhigh": 24_576, "max": 24_576}
_OFF = ("none", "off")


def _thinking(model: str, info: ModelInfo, effort: str) -> dict[str, Any] | None:
    """`thinkingConfig` for `effort`: a level from Gemini 3 on, a budget of tokens at 2.5, nothing before."""
    version, name = _version(model), model.lower()
    if version is not None and version < (2, 5):
        return None
    if version is not None and version < (3, 0):
        pro = "pro" in name
        if effort in _OFF:
            return {"thinkingBudget": 128} if pro else {"thinkingBudget": 0}  # Pro cannot stop thinking
        budget = 32_768 if pro and effort in ("xhigh", "max") else _BUDGETS.get(effort, -1)
        return {"includeThoughts": True, "thinkingBudget": budget}
    level = effort if effort in info.efforts else _level(name, version or (99, 0), effort)
    return {"thinkingLevel": level} if effort in _OFF else {"includeThoughts": True, "thinkingLevel": level}


def _level(name: str, version: tuple[int, int], effort: str) -> str:
    if effort in (*_OFF, "minimal"):  # there is no off, and later models dropped `minimal` again
        return "minimal" if "flash" in name and version < (3, 6) else "low"
    if effort == "medium" and "pro" in name and version == (3, 0):
        return "high"
    return effort if effort in ("low", "medium") else "high"


# -- the answer


class _Content(msgspec.Struct):
    parts: list[dict[str, Any]] | None = None


class _Candidate(msgspec.Struct):
    content: _Content | None = None
    finishReason: str | None = None
    finishMessage: str | None = None
    index: int | None = 0
    safetyRatings: Any = None


class _Feedback(msgspec.Struct):
    blockReason: str | None = None
    blockReasonMessage: str | None = None
    safetyRatings: Any = None


class _Figures(msgspec.Struct):
    promptTokenCount: int | None = None
    candidatesTokenCount: int | None = None
    thoughtsTokenCount: int | None = None
    toolUsePromptTokenCount: int | None = None
    cachedContentTokenCount: int | None = None
    totalTokenCount: int | None = None


class _Chunk(msgspec.Struct):
    candidates: list[_Candidate] | None = None
    promptFeedback: _Feedback | None = None
    usageMetadata: _Figures | None = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)

_STOPS: dict[str, Stop] = {
    "STOP": "end_turn",
    "MAX_TOKENS": "length",
    "MALFORMED_FUNCTION_CALL": "malformed_tool_call",
    "UNEXPECTED_TOOL_CALL": "malformed_tool_call",
    "TOO_MANY_TOOL_CALLS": "malformed_tool_call",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}

_BESIDE = frozenset({"thought", "thoughtSignature"})
_PLAIN_TEXT = frozenset({"text"}) | _BESIDE
_PLAIN_CALL = frozenset({"functionCall", "thoughtSignature"})
_PLAIN_FUNCTION = frozenset({"id", "name", "args"})


class _Held:
    """A part while its neighbours come: texts of one kind without a signature are one."""

    __slots__ = ("call", "data", "texts")

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.texts: list[str] | None = None
        self.call: _Arguments | None = None
        """Arguments that come in pieces."""


class GeminiAssembly:
    """A reply put together from chunks, or from one body."""

    def __init__(self, provider: str, model: str) -> None:
        self.ended = False
        self.over = False
        self._provider, self._model = provider, model
        self._pieces = Pieces()
        self._parts: list[_Held] = []
        self._growing: _Held | None = None
        """The text the next one of its kind joins."""
        self._calling: _Held | None = None
        """The call whose arguments are still coming."""
        self._figures: dict[str, int] = {}
        self._counted = False
        self._stop: str | None = None
        self._blocked = False
        self._detail: str | None = None

    def take(self) -> list[ReplyPiece]:
        if self._counted:  # figures come with every chunk; the newest are enough
            self._counted = False
            self._pieces.usage(_usage(self._figures))
        return self._pieces.take()

    def feed(self, data: bytes) -> None:
        if data == b"[DONE]":  # what proxies add to it
            self.over = self.ended
            return
        self._chunk(decode_as(_CHUNK, data), data)

    def whole(self, body: bytes) -> None:
        value = decode(body)
        # Without `alt=sse`, which a proxy may lose, a stream is an array of its chunks.
        for chunk in value if isinstance(value, list) else [value]:
            if not isinstance(chunk, dict) or not chunk.keys() & _CHUNK_FIELDS:
                raise _failures.malformed(self._provider, "the reply holds no candidates", retryable=False)
            self._chunk(msgspec.convert(chunk, _Chunk), encode(chunk) if chunk.get("error") else b"")
        self.take()  # a whole reply comes in one piece

    def _chunk(self, chunk: _Chunk, data: bytes) -> None:
        if chunk.error:
            raise _failures.of_error(decode(data), {}, provider=self._provider)
        if chunk.usageMetadata is not None:
            self._count(chunk.usageMetadata)
        for candidate in chunk.candidates or ():
            if candidate.index:
                continue
            if candidate.content is not None:
                for part in candidate.content.parts or ():
                    self._part(part)
            if candidate.finishReason and candidate.finishReason != "FINISH_REASON_UNSPECIFIED":
                self._stop = candidate.finishReason
                if self._stop != "STOP":
                    self._detail = candidate.finishMessage or _harms(candidate.safetyRatings)
                self.ended = True
        feedback = chunk.promptFeedback
        if feedback is not None and feedback.blockReason:
            self._blocked = self.ended = True
            self._detail = feedback.blockReasonMessage or _harms(feedback.safetyRatings) or feedback.blockReason

    def _count(self, figures: _Figures) -> None:
        # Each chunk says them anew; those it leaves out stay.
        for name in _Figures.__struct_fields__:
            value = getattr(figures, name)
            if value is not None and self._figures.get(name) != value:
                self._figures[name] = value
                self._counted = True

    def _part(self, part: dict[str, Any]) -> None:
        text = part.get("text")
        if isinstance(text, str):
            self._text(part, text)
            return
        self._growing = None
        function = part.get("functionCall")
        if isinstance(function, dict):
            self._call(part, function)
        elif part.keys() - _BESIDE:
            self._parts.append(_Held(part))
        elif part.get("thoughtSignature"):  # a signature alone
            self._text(part | {"text": ""}, "")

    def _text(self, part: dict[str, Any], text: str) -> None:
        thought = part.get("thought") is True
        if text:
            (self._pieces.thinking if thought else self._pieces.text)(text)
        plain = not part.get("thoughtSignature") and part.keys() <= _PLAIN_TEXT
        if not plain:
            self._growing = None
            self._parts.append(_Held(part))
            return
        held = self._growing
        if held is None or held.texts is None or (held.data.get("thought") is True) != thought:
            if not text:
                return
            held = self._growing = _Held(part)
            held.texts = []
            self._parts.append(held)
        if held.texts is not None:
            held.texts.append(text)

    def _call(self, part: dict[str, Any], function: dict[str, Any]) -> None:
        held = self._calling
        if held is None or function.get("name"):
            if not function.get("name"):
                return
            held = _Held(part)
            self._parts.append(held)
            if function.get("partialArgs") is None and not function.get("willContinue"):
                return
            held.call = _Arguments()
            self._calling = held
        if held.call is not None:
            for piece in function.get("partialArgs") or ():
                held.call.take(piece)
        if not function.get("willContinue"):
            if held.call is not None:
                held.call.whole = True
            self._calling = None

    def reply(self) -> Reply:
        content: list[Content] = []
        native: list[dict[str, Any]] = []
        plain = True
        taken: set[str] = set()
        for held in self._parts:
            data = _finished(held)
            native.append(data)
            part, alike = _neutral(held, data, taken)
            content.append(part)
            plain = plain and alike
        stop: Stop = "content_filter" if self._blocked else _STOPS.get(self._stop or "", "other")
        if stop == "end_turn" and any(isinstance(part, ToolCall) for part in content):
            stop = "tool_calls"
        return Reply(
            tuple(content),
            stop,
            _usage(self._figures),
            self._model,
            None if plain else Native(WIRE, native),
            self._detail,
            self._stop,
        )


_CHUNK_FIELDS = frozenset(_Chunk.__struct_fields__)


_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class _Arguments:
    """Arguments as Vertex AI streams them: values for places (`$.files[0].path`), texts in pieces."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}
        self.whole = False
        self._open: str | None = None
        """The place whose text goes on."""

    def take(self, piece: dict[str, Any]) -> None:
        path = piece["jsonPath"]
        steps = _steps(path)
        holder: Any = self.value
        for step, following in pairwise(steps):
            holder = _within(holder, step, [] if isinstance(following, int) else {})
        kind = next((name for name in _VALUES if name in piece), None)
        if kind is None:
            raise ValueError(f"no value for {path}")
        value = None if kind == "nullValue" else piece[kind]
        if kind == "stringValue" and self._open == path:
            value = _within(holder, steps[-1], "") + value
        if isinstance(holder, list) and steps[-1] == len(holder):
            holder.append(value)
        else:
            holder[steps[-1]] = value
        self._open = path if kind == "stringValue" and piece.get("willContinue") else None


def _within(holder: Any, step: str | int, empty: Any) -> Any:
    if isinstance(holder, list):
        if step == len(holder):
            holder.append(empty)
        return holder[step]  # type: ignore[index]  # a name in a list is not this wire: TypeError says so
    return holder.setdefault(step, empty)


_STEP = r"\.([^.\[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|\"([^\"]*)\")\]"


def _steps(path: str) -> list[str | int]:
    """The places of a JSON path, outermost first. Raises ValueError for what is none."""
    found = list(re.finditer(_STEP, path))
    if not found or "$" + "".join(match[0] for match in found) != path:
        raise ValueError(f"not a path: {path!r}")
    return [int(match[2]) if match[2] else next(g for g in match.groups() if g is not None) for match in found]


def _finished(held: _Held) -> dict[str, Any]:
    """The part as it goes back."""
    if held.texts is not None:
        return held.data | {"text": "".join(held.texts)}
    if held.call is not None:
        function = {
            name: value
            for name, value in held.data["functionCall"].items()
            if name not in ("partialArgs", "willContinue")
        }
        return held.data | {"functionCall": function | {"args": held.call.value}}
    return held.data


def _neutral(held: _Held, data: dict[str, Any], taken: set[str]) -> tuple[Content, bool]:
    """What a part is in neutral words, and whether those say all of it. `taken` has the ids already given."""
    signature = data.get("thoughtSignature")
    if isinstance(text := data.get("text"), str):
        plain = data.keys() <= _PLAIN_TEXT
        return (Thinking(text, signature) if data.get("thought") is True else Text(text, signature)), plain
    function = data.get("functionCall")
    if not isinstance(function, dict):
        return Other(next(name for name in data if name not in _BESIDE), data), True
    wire_id = function.get("id")
    given = isinstance(wire_id, str) and bool(wire_id) and wire_id not in taken
    call_id = str(wire_id) if given else _MADE_UP + os.urandom(12).hex()
    taken.add(call_id)
    arguments = function.get("args")
    plain = data.keys() <= _PLAIN_CALL and function.keys() <= _PLAIN_FUNCTION and (given or "id" not in function)
    if arguments is None and held.call is None:
        arguments = {}
    if isinstance(arguments, dict) and (held.call is None or held.call.whole):
        return ToolCall(call_id, function["name"], arguments, signature=signature), plain
    written = encode(arguments).decode()
    return ToolCall(call_id, function["name"], arguments_text=written, signature=signature), plain


def _harms(ratings: Any) -> str | None:
    """Which filters a text was blocked by, where the API says only that."""
    if not isinstance(ratings, list):
        return None
    names = [str(r.get("category")) for r in ratings if isinstance(r, dict) and r.get("blocked")]
    return ", ".join(names) or None


def _usage(figures: dict[str, int]) -> Usage:
    """The prompt's count has the cached in it, not what tools of the server's own read; the answer's lacks thoughts."""
    answer, thoughts = figures.get("candidatesTokenCount", 0), figures.get("thoughtsTokenCount", 0)
    tools, prompt = figures.get("toolUsePromptTokenCount", 0), figures.get("promptTokenCount")
    if prompt is None:
        prompt = max(0, figures.get("totalTokenCount", 0) - answer - thoughts - tools)
    return Usage(prompt + tools, answer + thoughts, figures.get("cachedContentTokenCount", 0), 0, thoughts)
