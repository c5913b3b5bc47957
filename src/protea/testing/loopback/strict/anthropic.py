"""What Anthropic refuses.

Source: docs.anthropic.com/en/api/messages, …/build-with-claude/{tool-use,extended-thinking}.
The sentences are as public bug reports quote them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from protea.testing.loopback.faults import Trouble
from protea.testing.loopback.seal import Ledger

_FIELDS = frozenset({
    "model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "temperature", "top_p", "top_k",
    "stop_sequences", "thinking", "metadata", "service_tier", "container", "context_management", "mcp_servers",
    "output_config", "inference_geo", "cache_control", "speed",
})  # fmt: skip

_BLOCKS = frozenset({
    "text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use",
    "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
    "bash_code_execution_tool_result", "search_result", "mcp_tool_use", "text_editor_code_execution_tool_result",
    "tool_search_tool_result", "mcp_tool_result", "container_upload", "compaction", "advisor_tool_result",
    "tool_reference",
})  # fmt: skip


def refuse(body: Any, headers: Mapping[str, str], ledger: Ledger, model: str) -> Trouble | None:
    if not (headers.get("x-api-key") or headers.get("authorization")):
        return Trouble(status=401, reason="auth", message="x-api-key header is required")
    if not headers.get("anthropic-version"):
        return _bad("anthropic-version: header is required")
    return next((_bad(wrong) for wrong in _wrongs(body, ledger)), None)


def _bad(message: str) -> Trouble:
    return Trouble(status=400, reason="invalid_request", message=message)


def _wrongs(body: Any, ledger: Ledger) -> Iterator[str]:
    if not isinstance(body, dict):
        yield "The request body is not valid JSON"
        return
    for name in body:
        if name not in _FIELDS:
            yield f"{name}: Extra inputs are not permitted"
    for name in ("model", "messages", "max_tokens"):
        if name not in body:
            yield f"{name}: Field required"
    if isinstance(body.get("max_tokens"), int) and body["max_tokens"] < 1:
        yield "max_tokens: must be greater than or equal to 1"
    for stop in body.get("stop_sequences") or ():
        if not stop.strip():
            yield "stop_sequences: each stop sequence must contain non-whitespace"
    yield from _wrong_thinking(body)
    yield from _wrong_tools(body.get("tools"))
    yield from _wrong_messages(body.get("messages"), ledger)
    yield from _wrong_start(body)
    marks = _marks(body)
    if marks > 4:
        yield f"A maximum of 4 blocks with cache_control may be provided. Found {marks}."


def _marks(value: Any) -> int:
    if isinstance(value, dict):
        own = "cache_control" in value and value["cache_control"] is not None
        return own + sum(_marks(item) for name, item in value.items() if name not in ("input", "input_schema"))
    return sum(map(_marks, value)) if isinstance(value, list) else 0


def _wrong_thinking(body: dict[str, Any]) -> Iterator[str]:
    thinking = body.get("thinking")
    if isinstance(thinking, dict) and thinking.get("type") == "enabled":
        budget = thinking.get("budget_tokens")
        if not isinstance(budget, int):
            yield "thinking.enabled.budget_tokens: Field required"
        elif budget < 1024:
            yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        elif body.get("max_tokens", 0) <= budget:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`"
        if body.get("temperature") not in (None, 1, 1.0):
            yield "`temperature` may only be set to 1 when thinking is enabled"


def _wrong_tools(tools: Any) -> Iterator[str]:
    names = []
    for place, tool in enumerate(tools or ()):
        if tool.get("type", "custom") != "custom":
            continue
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", tool.get("name", "")):
            yield f"tools.{place}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        schema = tool.get("input_schema")
        if not isinstance(schema, dict) or schema.get("type") != "object":
            yield f"tools.{place}.custom.input_schema.type: Field required"
        names.append(tool.get("name"))
    if len(set(names)) != len(names):
        yield "tools: Tool names must be unique."


def _wrong_results(place: int, blocks: list[Any], waiting: list[str]) -> Iterator[str]:
    """What is wrong with the results in one message, where the calls of the one before are `waiting`."""
    leading = [block.get("tool_use_id") for block in takewhile(_is_result, blocks)]
    unanswered = [one for one in waiting if one not in leading]
    if unanswered:
        yield _unanswered(place - 1, unanswered)
    results = [block.get("tool_use_id") for block in blocks if _is_result(block)]
    for at, one in enumerate(results):
        if one not in waiting:
            yield (
                f"messages.{place}.content.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {one}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        elif results.count(one) > 1:
            yield (
                f"messages.{place}.content.{at}: each tool_use must have a single result. Found multiple "
                f"`tool_result` blocks with id: {one}"
            )


def _unanswered(place: int, calls: list[str]) -> str:
    return (
        f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: "
        f"{', '.join(calls)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _is_result(block: Any) -> bool:
    return bool(block.get("type") == "tool_result")


def _wrong_messages(messages: Any, ledger: Ledger) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "messages: at least one message is required"
        return
    if messages[0].get("role") != "user":
        yield 'messages: first message must use the "user" role'
    waiting: list[str] = []
    taken: set[str] = set()
    for place, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        if role not in ("user", "assistant"):
            yield f"messages.{place}.role: Input should be 'user' or 'assistant'"
        extra = set(message) - {"role", "content"}
        if extra:
            yield f"messages.{place}.{min(extra)}: Extra inputs are not permitted"
        last = place == len(messages) - 1
        if not content and not (last and role == "assistant"):
            yield (
                f"messages.{place}: all messages must have non-empty content except for the optional final assistant "
                "message"
            )
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) and content else content or []
        yield from _wrong_blocks(place, blocks, ledger)
        if role == "user" and any(block.get("type") == "tool_use" for block in blocks):
            yield f"messages.{place}: `tool_use` blocks can only be in `assistant` messages"
        if role == "assistant" and any(map(_is_result, blocks)):
            yield f"messages.{place}: `tool_result` blocks can only be in `user` messages"
        yield from _wrong_results(place, blocks, waiting)
        waiting = [block.get("id", "") for block in blocks if block.get("type") == "tool_use"]
        if taken & set(waiting) or len(set(waiting)) != len(waiting):
            yield f"messages.{place}.content: `tool_use` ids must be unique"
        taken |= set(waiting)
    if waiting:
        yield _unanswered(len(messages) - 1, waiting)
    final = messages[-1]
    if (
        final.get("role") == "assistant"
        and isinstance(final.get("content"), str)
        and final["content"] != final["content"].rstrip()
    ):
        yield "messages: final assistant content cannot end with trailing whitespace"


_NEEDED = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "image": ("source",),
}
_KNOWN = {
    "text": {"type", "text", "citations", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
    "image": {"type", "source", "cache_control"},
}


def _wrong_blocks(place: int, blocks: list[dict[str, Any]], ledger: Ledger) -> Iterator[str]:
    for at, block in enumerate(blocks):
        where, kind = f"messages.{place}.content.{at}", block.get("type")
        if kind not in _BLOCKS:
            yield f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags"
            continue
        for name in _NEEDED.get(kind, ()):
            if name not in block:
                yield f"{where}.{kind}.{name}: Field required"
                return
        for name in sorted(set(block) - _KNOWN.get(kind, set(block))):
            yield f"{where}.{kind}.{name}: Extra inputs are not permitted"
        yield from _wrong_block(where, kind, block, ledger)
    if blocks and blocks[-1].get("type") in ("thinking", "redacted_thinking"):
        yield f"messages.{place}: The final block in an assistant message cannot be `{blocks[-1]['type']}`."


def _wrong_block(where: str, kind: str, block: dict[str, Any], ledger: Ledger) -> Iterator[str]:
    match kind:
        case "text":
            if block["text"] == "":
                yield "messages: text content blocks must be non-empty"
            elif not block["text"].strip():
                yield "messages: text content blocks must contain non-whitespace text"
        case "thinking":
            if not ledger.knows("anthropic", block["thinking"], block["signature"]):
                yield f"{where}: Invalid `signature` in `thinking` block"
        case "tool_use":
            if not re.fullmatch(r"[a-zA-Z0-9_-]+", str(block["id"])):
                yield f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
            if not isinstance(block["input"], dict):
                yield f"{where}.tool_use.input: Input should be a valid dictionary"
        case "tool_result":
            content = block.get("content")
            for inner in content if isinstance(content, list) else ():
                if inner.get("type") == "text" and not inner.get("text", "").strip():
                    yield "messages: text content blocks must be non-empty"
            if block.get("is_error") and not content:
                yield f"{where}.tool_result: content cannot be empty if `is_error` is true"
        case "image":
            kinds = ("image/jpeg", "image/png", "image/gif", "image/webp")
            source = block["source"]
            if source.get("type") == "base64" and source.get("media_type") not in kinds:
                yield f"{where}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', …"


def _wrong_start(body: dict[str, Any]) -> Iterator[str]:
    """With a thinking budget, the reply whose calls are being answered must begin with its thoughts."""
    thinking, messages = body.get("thinking"), body.get("messages")
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled" or not isinstance(messages, list):
        return
    if len(messages) < 2 or not isinstance(messages[-1].get("content"), list):
        return
    answers = any(block.get("type") == "tool_result" for block in messages[-1]["content"])
    said = messages[-2].get("content")
    if answers and isinstance(said, list) and said and said[0].get("type") not in ("thinking", "redacted_thinking"):
        yield (
            f"messages.{len(messages) - 2}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{said[0].get('type')}`. When `thinking` is enabled, a final `assistant` message must start with a "
            "thinking block (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
        )
