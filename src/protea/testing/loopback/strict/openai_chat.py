"""What OpenAI refuses in Chat Completions.

Source: platform.openai.com/docs/api-reference/chat/create.
The sentences are as public bug reports quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import Ledger

_FIELDS = frozenset({
    "model", "messages", "tools", "tool_choice", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "temperature", "top_p", "n", "stop", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs",
    "top_logprobs", "user", "seed", "response_format", "parallel_tool_calls", "service_tier", "metadata", "store",
    "reasoning_effort", "prediction", "audio", "modalities", "web_search_options", "prompt_cache_key",
    "safety_identifier", "verbosity", "functions", "function_call", "prompt_cache_retention",
})  # fmt: skip

_COMPATIBLE = frozenset({
    "reasoning", "thinking", "chat_template_kwargs", "cache_control", "usage", "provider", "models", "transforms",
})  # fmt: skip


def refuse(body: Any, headers: Mapping[str, str], ledger: Ledger, model: str) -> Trouble | None:
    if not (headers.get("authorization", "").startswith("Bearer ") or headers.get("api-key")):
        return Trouble(status=401, reason="auth", message="You didn't provide an API key.")
    return next(_wrongs(body), None)


def _bad(message: str, param: str | None = None, code: str | None = None) -> Trouble:
    return Trouble(status=400, reason="invalid_request", message=message, code=code, param=param)


def _wrongs(body: Any) -> Iterator[Trouble]:
    if not isinstance(body, dict):
        yield _bad("We could not parse the JSON body of your request.")
        return
    for name in body:
        if name not in _FIELDS | _COMPATIBLE:
            yield _bad(f"Unrecognized request argument supplied: {name}")
    if not body.get("model"):
        yield _bad("you must provide a model parameter", "model")
    if "stream_options" in body and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        yield _bad(message, "stream_options")
    if isinstance(body.get("stop"), list) and len(body["stop"]) > 4:
        yield _bad("Invalid 'stop': array too long. Expected an array with maximum length 4.", "stop")
    if "max_tokens" in body and "max_completion_tokens" in body:
        yield _bad("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
    yield from _wrong_tools(body.get("tools"))
    yield from _wrong_messages(body.get("messages"))


def _wrong_tools(tools: Any) -> Iterator[Trouble]:
    if tools == []:
        yield _bad("Invalid 'tools': empty array. Expected an array with minimum length 1.", "tools")
    for place, tool in enumerate(tools or ()):
        name = (tool.get("function") or {}).get("name", "")
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            where = f"tools[{place}].function.name"
            yield _bad(f"Invalid '{where}': string does not match pattern. Expected '^[a-zA-Z0-9_-]+$'.", where)
        if (
            wrong := wrong_schema(name, (tool.get("function") or {}).get("parameters", {"type": "object"}))
        ) is not None:
            yield _bad(wrong, f"tools[{place}].function.parameters", "invalid_function_parameters")


def wrong_schema(name: str, schema: Any) -> str | None:
    """What is wrong with a function's parameters; the Responses API says the same."""
    kind = schema.get("type") if isinstance(schema, dict) else schema
    if isinstance(schema, dict) and kind == "object":
        return None
    given = f'"{kind}"' if isinstance(kind, str) else "None"
    wanted = "schema must be a JSON Schema of 'type: \"object\"'"
    return f"Invalid schema for function '{name}': {wanted}, got 'type: {given}'."


_ROLES = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {
        "role", "content", "name", "refusal", "audio", "tool_calls", "function_call", "annotations",
        "reasoning", "reasoning_content", "reasoning_details",
    },
    "tool": {"role", "content", "tool_call_id"},
}  # fmt: skip


def _wrong_messages(messages: Any) -> Iterator[Trouble]:
    if not isinstance(messages, list) or not messages:
        yield _bad("Invalid 'messages': empty array. Expected an array with minimum length 1.", "messages")
        return
    waiting: list[str] = []
    for place, message in enumerate(messages):
        where, role = f"messages[{place}]", message.get("role")
        if role not in _ROLES:
            yield _bad(
                f"Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user' …", f"{where}.role"
            )
            continue
        for name in sorted(set(message) - _ROLES[role]):
            yield _bad(f"Additional properties are not allowed ('{name}' was unexpected) - 'messages.{place}'")
        if role == "tool":
            one = message.get("tool_call_id")
            if one not in waiting:
                text = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                yield _bad(f"Invalid parameter: {text}", f"{where}.role")
            else:
                waiting.remove(one)
            if not isinstance(message.get("content"), str | list):
                yield _bad("Invalid value for 'content': expected a string, got null.", f"{where}.content")
            continue
        if waiting:
            yield _unanswered(waiting, where)
        waiting = []
        yield from _wrong_content(where, role, message)
        if role == "assistant" and "tool_calls" in message:
            yield from _wrong_calls(where, message["tool_calls"])
            waiting = [call.get("id", "") for call in message["tool_calls"] or ()]
            if len(set(waiting)) != len(waiting):
                yield _bad(f"Invalid '{where}.tool_calls': duplicate tool call ids.", f"{where}.tool_calls")
    if waiting:
        yield _unanswered(waiting, f"messages[{len(messages)}]")


def _unanswered(waiting: list[str], where: str) -> Trouble:
    return _bad(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {', '.join(waiting)}",
        f"{where}.role",
    )


def _wrong_content(where: str, role: str, message: dict[str, Any]) -> Iterator[Trouble]:
    content = message.get("content")
    if content is None and not (role == "assistant" and (message.get("tool_calls") or message.get("refusal"))):
        yield _bad("Invalid value for 'content': expected a string, got null.", f"{where}.content")
    if content == []:
        yield _bad(
            f"Invalid '{where}.content': empty array. Expected an array with minimum length 1.", f"{where}.content"
        )
    for at, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type")
        allowed = ("text", "image_url", "input_audio", "file") if role == "user" else ("text", "refusal")
        if kind not in allowed:
            yield _bad(
                f"Invalid value: '{kind}'. Supported values are: {', '.join(allowed)}.", f"{where}.content[{at}]"
            )


def _wrong_calls(where: str, calls: Any) -> Iterator[Trouble]:
    if not isinstance(calls, list) or not calls:
        text = "empty array. Expected an array with minimum length 1, but got an empty array instead."
        yield _bad(f"Invalid '{where}.tool_calls': {text}", f"{where}.tool_calls")
        return
    for at, call in enumerate(calls):
        each, function = f"{where}.tool_calls[{at}]", call.get("function") or {}
        one = call.get("id")
        if not isinstance(one, str) or not one:
            yield _bad(f"Missing required parameter: '{each}.id'.", f"{each}.id")
        elif len(one) > 40:
            text = (
                f"Invalid '{each}.id': string too long. Expected a string with maximum length 40, but got a string with"
            )
            yield _bad(f"{text} length {len(one)} instead.", f"{each}.id", "string_above_max_length")
        if call.get("type") != "function":
            yield _bad(f"Missing required parameter: '{each}.type'.", f"{each}.type")
        if not isinstance(function.get("arguments"), str):
            text = f"Invalid type for '{each}.function.arguments': expected a string, but got an object instead."
            yield _bad(text, f"{each}.function.arguments", "invalid_type")
