"""What the real servers refuse in a request, as checks of its JSON. Used by the tests of switching models.

Each rule is one that a provider answers with 400; sources are its manual or the message it gives.
"""

from __future__ import annotations

import re
from typing import Any


def anthropic(sent: dict[str, Any], *, thinking_model: str | None = None) -> list[str]:
    """Messages API: roles, pairs of calls and results, empty texts, thinking, breakpoints."""
    wrong: list[str] = []
    turns = sent["messages"]
    if sent.get("max_tokens", 0) < 1:
        wrong.append("max_tokens: must be at least 1")
    if not turns or turns[0]["role"] != "user":
        wrong.append("messages: the first must be of the user")
    if str(sent).count("cache_control") > 4:
        wrong.append("a maximum of 4 blocks with cache_control")
    thinking = sent.get("thinking") or {}
    if thinking.get("type") == "enabled" and thinking["budget_tokens"] >= sent["max_tokens"]:
        wrong.append("max_tokens must be greater than thinking.budget_tokens")
    for at, turn in enumerate(turns):
        here = f"messages.{at}"
        if not turn["content"]:
            wrong.append(f"{here}: content must be non-empty")
        uses = [b["id"] for b in turn["content"] if b["type"] == "tool_use"]
        following = turns[at + 1]["content"] if at + 1 < len(turns) else []
        results = [b["tool_use_id"] for b in following if b["type"] == "tool_result"]
        if uses and sorted(uses) != sorted(results):
            wrong.append(f"{here}: tool_use without its tool_result immediately after: {uses} {results}")
        if not uses and results:
            wrong.append(f"messages.{at + 1}: tool_result without its tool_use: {results}")
        for block in turn["content"]:
            wrong += [f"{here}: {problem}" for problem in _anthropic_block(turn["role"], block)]
    return wrong


def _anthropic_block(role: str, block: dict[str, Any]) -> list[str]:
    match block["type"]:
        case "text":
            return [] if block["text"].strip() else ["text content blocks must be non-empty"]
        case "thinking" | "redacted_thinking":
            proof = block.get("signature") or block.get("data")
            return [] if role == "assistant" and proof else ["thinking without a signature"]
        case "tool_use":
            wrong = [] if re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]) else [f"tool_use.id: {block['id']!r}"]
            return wrong + ([] if isinstance(block["input"], dict) else ["tool_use.input: must be an object"])
        case "tool_result":
            empty = block.get("is_error") and not block["content"]
            return ["tool_result: content cannot be empty if is_error"] if empty else []
    return []


def chat(sent: dict[str, Any], *, id_pattern: str = r".{1,40}") -> list[str]:
    """Chat Completions: every call answered at once and in full, nothing answered that was not called."""
    wrong: list[str] = []
    open_calls: list[str] = []
    for at, message in enumerate(sent["messages"]):
        here = f"messages[{at}]"
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                wrong.append(f"{here}: 'tool' must answer a preceding message with 'tool_calls'")
            else:
                open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            wrong.append(f"{here}: tool_call_ids without an answer: {open_calls}")
        open_calls = []
        for item in message.get("tool_calls") or ():
            open_calls.append(item["id"])
            if not re.fullmatch(id_pattern, item["id"]):
                wrong.append(f"{here}: tool_calls.id {item['id']!r}")
            if not isinstance(item["function"]["arguments"], str):
                wrong.append(f"{here}: arguments must be a string")
        if message["role"] == "assistant" and message.get("content") is None and not message.get("tool_calls"):
            wrong.append(f"{here}: an assistant's message needs content or tool_calls")
        if "tool_calls" in message and not message["tool_calls"]:
            wrong.append(f"{here}: [] is too short - 'tool_calls'")
    return wrong + ([f"tool_call_ids without an answer: {open_calls}"] if open_calls else [])


def responses(sent: dict[str, Any]) -> list[str]:
    """Responses: results by call_id, reasoning followed by what it led to, nothing stored relied on."""
    wrong: list[str] = []
    calls: set[str] = set()
    items = sent["input"]
    for at, item in enumerate(items):
        kind = item.get("type", "message")
        if kind == "function_call":
            calls.add(item["call_id"])
            if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", item["call_id"]):
                wrong.append(f"input[{at}].call_id: {item['call_id']!r}")
        elif kind == "function_call_output":
            if item["call_id"] not in calls:
                wrong.append(f"no tool call found for function call output with call_id {item['call_id']}")
            calls.discard(item["call_id"])
        elif kind == "reasoning":
            following = items[at + 1] if at + 1 < len(items) else {}
            if following.get("role") == "user" or not following:
                wrong.append(f"item {item['id']} of type 'reasoning' was provided without its required following item")
        elif kind == "message" and not item["content"]:
            wrong.append(f"input[{at}]: empty content")
    return wrong + [f"no tool output found for function call {call}" for call in sorted(calls)]
