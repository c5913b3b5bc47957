"""A provider that answers at once, in a process of its own: every reply is made before the first request comes.

    with Provider("hello") as provider:
        ...  provider.address("openai-chat") ... provider.restart()

It speaks the streaming form of all five wires, as far as the benchmarks need it, and counts what it is sent. Replies of
a scenario come in order, the last one for good, or round and round in `session`; `restart` begins it again.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from typing import Any, Self

TOKENS = 20_000


def steps_of(scenario: str) -> list[str | dict[str, Any]]:
    """What is answered in turn: a text, or a call."""
    if scenario == "hello":
        return ["Hello. What shall we do?"]
    if scenario == "stream":
        return ["stream"]
    if scenario == "session":
        return [call("Read", path="src/module_3.py"), "It says so."]
    steps: list[str | dict[str, Any]] = []
    for number in range(6):
        steps.append(call("Read", path=f"src/module_{number}.py"))
        steps.append(call("Grep", pattern=f"def function_{number}", path="src"))
        steps.append(call("Bash", command=f"wc -l src/module_{number}.py"))
    change = call("Edit", path="src/module_5.py", old_string="return 9", new_string="return 99")
    return [*steps, change, call("Read", path="src/module_5.py"), "All done."]


def call(name: str, **arguments: str) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def pieces_of(step: str | dict[str, Any]) -> list[str]:
    if step == "stream":
        return [f"word{n % 97} " + ("\n" if n % 17 == 16 else "") for n in range(TOKENS)]
    return re.findall(r"\S+\s*", str(step))


def openai_chat(step: str | dict[str, Any], number: int) -> list[bytes]:
    def chunk(delta: dict[str, Any], stop: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": stop}
        return sse({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "one", "choices": [choice]})

    if isinstance(step, dict):
        function = {"name": step["name"], "arguments": json.dumps(step["arguments"])}
        call = {"index": 0, "id": f"call_{number}", "type": "function", "function": function}
        told = [chunk({"role": "assistant", "content": None, "tool_calls": [call]}), chunk({}, "tool_calls")]
    else:
        told = [*(chunk({"content": piece}) for piece in pieces_of(step)), chunk({}, "stop")]
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    ends = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "one", "choices": [], "usage": usage}
    return [*told, sse(ends), b"data: [DONE]\n\n"]


def anthropic(step: str | dict[str, Any], number: int) -> list[bytes]:
    usage = {"input_tokens": 100, "output_tokens": 10}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "one", "content": [], "usage": usage}
    told = [sse({"type": "message_start", "message": message})]
    told.append(sse({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}))
    for piece in pieces_of(step):
        told.append(sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}))
    told.append(sse({"type": "content_block_stop", "index": 0}))
    told.append(sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 10}}))
    return [*told, sse({"type": "message_stop"})]


def openai_responses(step: str | dict[str, Any], number: int) -> list[bytes]:
    text = "".join(pieces_of(step))
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    opened = {"id": "r", "object": "response", "status": "in_progress", "model": "one", "output": []}
    usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    told = [{"type": "response.created", "response": opened}]
    told.append({"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}})
    told.append({"type": "response.content_part.added", **place, "part": {**part, "text": ""}})
    told += [{"type": "response.output_text.delta", **place, "delta": piece} for piece in pieces_of(step)]
    told.append({"type": "response.output_text.done", **place, "text": text})
    told.append({"type": "response.output_item.done", "output_index": 0, "item": item})
    done = {**opened, "status": "completed", "output": [item], "usage": usage}
    told.append({"type": "response.completed", "response": done})
    return [sse({**event, "sequence_number": n}) for n, event in enumerate(told)]


def gemini(step: str | dict[str, Any], number: int) -> list[bytes]:
    def chunk(text: str, **more: Any) -> bytes:
        candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **more}
        usage = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
        return sse({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "one"})

    return [*(chunk(piece) for piece in pieces_of(step)), chunk("", finishReason="STOP")]


def ollama(step: str | dict[str, Any], number: int) -> list[bytes]:
    def line(text: str, **more: Any) -> bytes:
        told = {"model": "one", "created_at": "2025-01-01T00:00:00Z", "message": {"role": "assistant", "content": text}}
        return json.dumps({**told, "done": False, **more}).encode() + b"\n"

    ends = {"done": True, "done_reason": "stop", "prompt_eval_count": 100, "eval_count": 10}
    return [*(line(piece) for piece in pieces_of(step)), line("", **ends)]


WIRES = {
    "/chat/completions": openai_chat,
    "/messages": anthropic,
    "/responses": openai_responses,
    ":streamGenerateContent": gemini,
    "/api/chat": ollama,
}
PREFIXES = {"openai-chat": "/v1", "openai-responses": "/v1", "anthropic": "", "gemini": "/v1beta", "ollama": ""}


def sse(event: dict[str, Any]) -> bytes:
    name = b"event: " + event["type"].encode() + b"\n" if "type" in event else b""
    return name + b"data: " + json.dumps(event).encode() + b"\n\n"


async def serve(scenario: str) -> None:
    steps = steps_of(scenario)
    # Blocks of a few events, as a network would give them.
    made: dict[str, list[list[bytes]]] = {}
    for path, wire in WIRES.items():
        if scenario == "stream" or path == "/chat/completions" or scenario == "hello":
            made[path] = []
            for number, step in enumerate(steps):
                events = wire(step, number)
                made[path].append([b"".join(events[n : n + 8]) for n in range(0, len(events), 8)])
    seen = {"requests": 0, "bytes": 0, "at": 0}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode().partition("?")[0]
                length = re.search(rb"content-length: *(\d+)", head.lower())
                body = await reader.readexactly(int(length[1])) if length else b""
                if path in ("/restart", "/seen"):
                    told = json.dumps(seen).encode()
                    if path == "/restart":
                        seen.update(requests=0, bytes=0, at=0)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(told), told))
                    continue
                seen["requests"] += 1
                seen["bytes"] += len(head) + len(body)
                kind = next(each for each in WIRES if path.endswith(each))
                last = len(made[kind]) - 1
                blocks = made[kind][seen["at"] % (last + 1) if scenario == "session" else min(seen["at"], last)]
                seen["at"] += 1
                mime = b"application/x-ndjson" if kind == "/api/chat" else b"text/event-stream"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % mime)
                for block in blocks:
                    writer.write(b"%x\r\n%s\r\n" % (len(block), block))
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, limit=1 << 26)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        # Until whoever started us goes away.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


class Provider:
    def __init__(self, scenario: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, scenario], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._root = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)

    def address(self, api: str) -> str:
        return self._root + PREFIXES[api]

    def restart(self) -> dict[str, int]:
        """Begin the scenario again; what was seen until now."""
        with urllib.request.urlopen(f"{self._root}/restart") as answer:
            seen: dict[str, int] = json.load(answer)
            return seen


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
