"""What Gemini refuses.

Source: ai.google.dev/api/generate-content, …/gemini-api/docs/{function-calling,thought-signatures}.
The sentences are as public bug reports quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import Ledger

_FIELDS = frozenset({
    "contents", "tools", "toolConfig", "tool_config", "safetySettings", "safety_settings", "systemInstruction",
    "system_instruction", "generationConfig", "generation_config", "cachedContent", "cached_content", "model",
    "serviceTier", "store",
})  # fmt: skip

_SCHEMA = frozenset({
    "type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required",
    "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering",
    "default", "items", "minimum", "maximum",
})  # fmt: skip

_PASSES = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")


def _signs(model: str) -> bool:
    found = re.match(r"gemini-(\d+)", model)
    return found is not None and int(found.group(1)) >= 3


def refuse(body: Any, headers: Mapping[str, str], ledger: Ledger, model: str) -> Trouble | None:
    if not (headers.get("x-goog-api-key") or headers.get("authorization")):
        text = "Method doesn't allow unregistered callers (callers without established identity)."
        return Trouble(status=403, reason="permission", message=text)
    wrong = next(_wrongs(body, ledger, model), None)
    return None if wrong is None else Trouble(status=400, reason="invalid_request", message=wrong)


def _unknown(name: str, where: str = "") -> str:
    return f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'


def _wrongs(body: Any, ledger: Ledger, model: str) -> Iterator[str]:
    if not isinstance(body, dict):
        yield "Invalid JSON payload received. Unexpected end of string."
        return
    for name in body:
        if name not in _FIELDS:
            yield _unknown(name)
    for at, tool in enumerate(body.get("tools") or ()):
        for place, declared in enumerate(tool.get("functionDeclarations") or tool.get("function_declarations") or ()):
            where = f"tools[{at}].function_declarations[{place}]"
            if not re.fullmatch(r"[a-zA-Z_][\w.:-]{0,63}", declared.get("name", ""), re.ASCII):
                yield f"* GenerateContentRequest.{where}.name: Invalid function name."
            for given in ("parameters", "parametersJsonSchema"):
                schema = declared.get(given, {"type": "object"})
                if not isinstance(schema, dict) or str(schema.get("type", "object")).lower() != "object":
                    yield (
                        f"* GenerateContentRequest.{where}.{given}: functionDeclaration `{given}` schema should be of "
                        "type OBJECT"
                    )
            yield from _wrong_schema(declared.get("parameters"), f"{where}.parameters")
            if "parameters" in declared and "parametersJsonSchema" in declared:
                yield f"* GenerateContentRequest.{where}: parameters and parametersJsonSchema are mutually exclusive"
    yield from _wrong_contents(body.get("contents"), ledger, model)


def _wrong_schema(schema: Any, where: str) -> Iterator[str]:
    """`parameters` takes a part of OpenAPI's schema; `parametersJsonSchema` takes all of JSON Schema."""
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        if name not in _SCHEMA:
            yield _unknown(name, f" at '{where}'")
        elif name == "properties":
            for inner, each in value.items():
                yield from _wrong_schema(each, f"{where}.properties[{inner}].value")
        elif name == "items":
            yield from _wrong_schema(value, f"{where}.items")


_DATA = frozenset({
    "text", "inlineData", "inline_data", "fileData", "functionCall", "functionResponse", "executableCode",
    "codeExecutionResult", "toolCall", "toolResponse",
})  # fmt: skip
_PART = _DATA | {"thought", "thoughtSignature", "thought_signature", "videoMetadata", "mediaResolution", "partMetadata"}


def _wrong_contents(contents: Any, ledger: Ledger, model: str) -> Iterator[str]:
    if not isinstance(contents, list) or not contents:
        yield "* GenerateContentRequest.contents: contents is not specified"
        return
    open_calls = 0
    began = max((n for n, c in enumerate(contents) if _is_prompt(c)), default=-1)
    for place, content in enumerate(contents):
        where = f"GenerateContentRequest.contents[{place}]"
        role, parts = content.get("role", "user"), content.get("parts")
        if role not in ("user", "model", "function"):
            yield "Please use a valid role: user, model."
        if not isinstance(parts, list) or not parts:
            yield f"* {where}.parts: contents.parts must not be empty."
            continue
        for at, part in enumerate(parts):
            yield from _wrong_part(f"{where}.parts[{at}]", part, ledger)
        calls = [part for part in parts if "functionCall" in part]
        results = [part for part in parts if "functionResponse" in part]
        if open_calls and len(results) != open_calls:
            yield (
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn."
            )
        if results and not open_calls:
            yield "Please ensure that function response turn comes immediately after a function call turn."
        if calls and (place == 0 or contents[place - 1].get("role") == "model"):
            yield (
                "Please ensure that function call turn comes immediately after a user turn or after a function "
                "response turn."
            )
        open_calls = len(calls)
        if calls and place > began and _signs(model) and "thoughtSignature" not in calls[0]:
            name = calls[0]["functionCall"].get("name")
            yield (
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                f"work correctly. Additional data, function call `{name}`, position {place + 1}."
            )
    if open_calls:
        yield "Please ensure that function call turn is followed by a function response turn."


def _is_prompt(content: Any) -> bool:
    parts = content.get("parts") or ()
    return content.get("role", "user") == "user" and any("text" in part for part in parts)


def _wrong_part(where: str, part: dict[str, Any], ledger: Ledger) -> Iterator[str]:
    for name in part:
        if name not in _PART:
            yield _unknown(name, f" at '{where}'")
    if not _DATA & set(part):
        yield f"* {where}.data: required oneof field 'data' must have one initialized field"
    signature = part.get("thoughtSignature")
    signed = part["functionCall"].get("name", "") if "functionCall" in part else ""
    if signature is not None and signature not in _PASSES and not ledger.knows("gemini", signed, signature):
        yield "Thought signature is not valid."
    if "functionCall" in part and not isinstance(part["functionCall"].get("args", {}), dict):
        yield f"Invalid value at '{where}.function_call.args' (type.googleapis.com/google.protobuf.Struct)"
    if "functionResponse" in part and not isinstance(part["functionResponse"].get("response"), dict):
        yield f"Invalid value at '{where}.function_response.response' (type.googleapis.com/google.protobuf.Struct)"
