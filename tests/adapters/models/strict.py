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


def gemini(sent: dict[str, Any], *, version: int = 2) -> list[str]:
    """generateContent: turns of calls and of results that match by number, name, order and id; proofs from 3 on."""
    wrong: list[str] = []
    contents = sent["contents"]
    if not contents or contents[0]["role"] != "user":
        wrong.append("contents: the first must be of the user")
    for declared in (tool for group in sent.get("tools", ()) for tool in group["functionDeclarations"]):
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}", declared["name"]):
            wrong.append(f"function_declarations.name: {declared['name']!r}")
        if declared["parameters"]["type"] != "OBJECT":
            wrong.append(f"{declared['name']}: parameters schema should be of type OBJECT")
    for at, content in enumerate(contents):
        here = f"contents[{at}]"
        before = contents[at - 1]["parts"] if at else []
        after = contents[at + 1]["parts"] if at + 1 < len(contents) else []
        called = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        if not content["parts"]:
            wrong.append(f"{here}.parts: must not be empty")
        for part in content["parts"]:
            wrong += [f"{here}: {problem}" for problem in _gemini_part(content["role"], part)]
        results = [part["functionResponse"] for part in after if "functionResponse" in part]
        if called and [_call_of(call) for call in called] != [_call_of(result) for result in results]:
            wrong.append(f"{here}: the function response parts do not answer the function call parts")
        if called and contents[at - 1]["role"] != "user":
            wrong.append(f"{here}: a function call turn must come after a user turn or a function response turn")
        if any("functionResponse" in p for p in content["parts"]) and not any("functionCall" in p for p in before):
            wrong.append(f"{here}: a function response turn must come right after a function call turn")
        first = next((part for part in content["parts"] if "functionCall" in part), {"thoughtSignature": "-"})
        if version >= 3 and "thoughtSignature" not in first:
            wrong.append(f"{here}: function call is missing a thought_signature")
    return wrong


def _call_of(part: dict[str, Any]) -> tuple[str, str | None]:
    return part["name"], part.get("id")


def _gemini_part(role: str, part: dict[str, Any]) -> list[str]:
    wrong = []
    said = set(part) - {"thought", "thoughtSignature"}
    if len(said) != 1:
        wrong.append(f"a part must have exactly one kind of data: {sorted(said)}")
    if part.get("text") == "" and "thoughtSignature" not in part:
        wrong.append("an empty text")
    if role != "model" and ({"thought", "thoughtSignature", "functionCall"} & set(part)):
        wrong.append("what only the model says")
    if not re.fullmatch(r"[A-Za-z0-9+/_-]*={0,2}", part.get("thoughtSignature", "")):
        wrong.append("thought_signature: base64 decoding failed")
    for name, field in (("functionCall", "args"), ("functionResponse", "response")):
        if name in part and not isinstance(part[name][field], dict):
            wrong.append(f"{name}.{field}: must be an object")
    return wrong


def ollama(sent: dict[str, Any]) -> list[str]:
    """Ollama's own API: fields of the types its server decodes, results by the names and in the order of the calls."""
    wrong: list[str] = []
    open_calls: list[str] = []
    for at, message in enumerate(sent["messages"]):
        here = f"messages[{at}]"
        if message["role"] not in ("system", "user", "assistant", "tool"):
            wrong.append(f"{here}: role {message['role']!r}")
        if not isinstance(message["content"], str):
            wrong.append(f"{here}: content must be a string")
        if message["role"] == "tool":
            if not open_calls or open_calls.pop(0) != message["tool_name"]:
                wrong.append(f"{here}: a result of {message['tool_name']!r}, which was not called")
            continue
        if open_calls:
            wrong.append(f"{here}: calls without a result: {open_calls}")
        open_calls = [item["function"]["name"] for item in message.get("tool_calls", ())]
        for item in message.get("tool_calls", ()):
            if not isinstance(item["function"]["arguments"], dict):
                wrong.append(f"{here}: cannot unmarshal arguments")
    if not isinstance(sent.get("think", True), bool) and sent["think"] not in ("low", "medium", "high"):
        wrong.append(f"think: {sent['think']!r}")
    return wrong + ([f"calls without a result: {open_calls}"] if open_calls else [])
