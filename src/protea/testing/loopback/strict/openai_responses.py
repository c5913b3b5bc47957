"""What OpenAI refuses in Responses, as it is without its own memory (`store: false`).

Source: platform.openai.com/docs/api-reference/responses/create, …/guides/reasoning.
The sentences are as public bug reports quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import Ledger
from protea.testing.loopback.strict.openai_chat import wrong_schema

_FIELDS = frozenset({
    "model", "input", "instructions", "tools", "tool_choice", "stream", "stream_options", "max_output_tokens",
    "max_tool_calls", "temperature", "top_p", "top_logprobs", "store", "include", "reasoning", "text",
    "parallel_tool_calls", "previous_response_id", "conversation", "metadata", "truncation", "user", "service_tier",
    "prompt", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "background",
})  # fmt: skip


def refuse(body: Any, headers: Mapping[str, str], ledger: Ledger, model: str) -> Trouble | None:
    if not (headers.get("authorization", "").startswith("Bearer ") or headers.get("api-key")):
        return Trouble(status=401, reason="auth", message="Missing bearer or basic authentication in header")
    return next(_wrongs(body, ledger), None)


def _bad(message: str, param: str | None = None, code: str | None = None) -> Trouble:
    return Trouble(status=400, reason="invalid_request", message=message, code=code, param=param)


def _wrongs(body: Any, ledger: Ledger) -> Iterator[Trouble]:
    if not isinstance(body, dict):
        yield _bad("We could not parse the JSON body of your request.")
        return
    for name in body:
        if name not in _FIELDS:
            yield _bad(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if not body.get("model"):
        yield _bad("Missing required parameter: 'model'.", "model", "missing_required_parameter")
    if isinstance(body.get("max_output_tokens"), int) and body["max_output_tokens"] < 16:
        text = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got"
        yield _bad(f"{text} {body['max_output_tokens']} instead.", "max_output_tokens", "integer_below_min_value")
    for place, tool in enumerate(body.get("tools") or ()):
        if tool.get("type") != "function":
            continue
        where, name = f"tools[{place}].name", tool.get("name", "")
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            text = "string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            yield _bad(f"Invalid '{where}': {text}", where, "invalid_value")
        if (wrong := wrong_schema(name, tool.get("parameters"))) is not None:
            yield _bad(wrong, f"tools[{place}].parameters", "invalid_function_parameters")
    given = body.get("input")
    if isinstance(given, str) and given:
        return
    if not isinstance(given, list) or not given:
        yield _bad("Missing required parameter: 'input'.", "input", "missing_required_parameter")
        return
    yield from _wrong_items(given, ledger, stored=body.get("store") is not False)
    yield from _wrong_pairs(given)


def _wrong_items(items: list[Any], ledger: Ledger, *, stored: bool) -> Iterator[Trouble]:
    ids = [item["id"] for item in items if item.get("id")]
    for one in ids:
        if ids.count(one) > 1:
            text = f"Duplicate item found with id {one}. Remove duplicate items from your input and try again."
            yield _bad(text, "input")
    for place, item in enumerate(items):
        where, kind = f"input[{place}]", item.get("type", "message")
        before = items[place - 1] if place else {}
        following = items[place + 1] if place + 1 < len(items) else {}
        if kind == "message":
            yield from _wrong_message(where, item)
        if kind == "reasoning":
            sealed = item.get("encrypted_content")
            if not sealed and not stored:
                yield Trouble(
                    status=404,
                    reason="invalid_request",
                    message=f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is set "
                    "to false. Try again with `store` set to true, or remove this item from your input.",
                    param="input",
                )
            elif sealed and not ledger.knows("openai-responses", _summary(item), sealed):
                text = f"The encrypted content {str(sealed)[:8]}... could not be verified."
                yield _bad(text, None, "invalid_encrypted_content")
            answered = following.get("type") in ("function_call", "reasoning") or following.get("role") == "assistant"
            if not answered:
                text = f"Item '{item.get('id')}' of type 'reasoning' was provided without its required following item."
                yield _bad(text, "input")
        elif (needed := ledger.needs(item.get("id") or "")) is not None and before.get("id") != needed:
            text = (
                f"Item '{item['id']}' of type '{kind}' was provided without its required 'reasoning' item: '{needed}'."
            )
            yield _bad(text, "input")
        if kind in ("function_call", "function_call_output"):
            one = item.get("call_id")
            if not isinstance(one, str) or not one:
                yield _bad(f"Missing required parameter: '{where}.call_id'.", f"{where}.call_id")
            elif len(one) > 64:
                text = (
                    f"Invalid '{where}.call_id': string too long. Expected a string with maximum length 64, but got a"
                )
                yield _bad(
                    f"{text} string with length {len(one)} instead.", f"{where}.call_id", "string_above_max_length"
                )
        if kind == "function_call" and not isinstance(item.get("arguments"), str):
            yield _bad(
                f"Invalid type for '{where}.arguments': expected a string.", f"{where}.arguments", "invalid_type"
            )


def _summary(item: dict[str, Any]) -> str:
    return "".join(part.get("text", "") for part in item.get("summary") or ())


def _wrong_message(where: str, item: dict[str, Any]) -> Iterator[Trouble]:
    role, content = item.get("role"), item.get("content")
    if role not in ("user", "assistant", "system", "developer"):
        yield _bad(
            f"Invalid value: '{role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.", where
        )
    if not isinstance(content, str | list):
        yield _bad(f"Missing required parameter: '{where}.content'.", f"{where}.content")
    allowed = ("output_text", "refusal") if role == "assistant" else ("input_text", "input_image", "input_file")
    for at, part in enumerate(content if isinstance(content, list) else ()):
        if part.get("type") not in allowed:
            text = f"Invalid value: '{part.get('type')}'. Supported values are: {', '.join(map(repr, allowed))}."
            yield _bad(text, f"{where}.content[{at}]", "invalid_value")


def _wrong_pairs(items: list[Any]) -> Iterator[Trouble]:
    calls = [item.get("call_id") for item in items if item.get("type") == "function_call"]
    results = [item.get("call_id") for item in items if item.get("type") == "function_call_output"]
    for one in calls:
        if one not in results:
            yield _bad(f"No tool output found for function call {one}.", "input")
        if calls.count(one) > 1:
            yield _bad(f"Duplicate item found with call_id {one}. Remove duplicate items from your input.", "input")
    seen: set[Any] = set()
    for item in items:
        if item.get("type") == "function_call":
            seen.add(item.get("call_id"))
        elif item.get("type") == "function_call_output" and item.get("call_id") not in seen:
            yield _bad(f"No tool call found for function call output with call_id {item.get('call_id')}.", "input")
