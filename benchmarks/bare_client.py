"""The yardstick: the same work in a page of asyncio, without anything an agent needs to be trusted.

    python bare_client.py openai-chat|openai-responses|anthropic|gemini|ollama BASE_URL MODEL PROMPT

It sends the prompt, prints what streams in, runs the tools that are called and goes on until no more are. No log, no
permissions, no schema, no retries, no interrupt; one connection, kept open.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

TOOLS = {
    "Read": ["path"],
    "Grep": ["pattern", "path"],
    "Bash": ["command"],
    "Edit": ["path", "old_string", "new_string"],
}
Json = dict[str, Any]
CALL = tuple[str, str, Json]


async def run_tool(name: str, a: Json) -> str:
    if name != "Bash":
        return file_tool(name, a)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", a["command"], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return out.decode(errors="replace")


def file_tool(name: str, a: Json) -> str:
    if name == "Read":
        lines = Path(a.get("path") or a["file_path"]).read_text().splitlines()
        return "\n".join(f"{n}\t{line}" for n, line in enumerate(lines, 1))
    if name == "Edit":
        path = Path(a.get("path") or a["file_path"])
        edits = a.get("edits") or [a]
        text = path.read_text()
        for edit in edits:
            text = text.replace(edit.get("old_string") or edit["old"], edit.get("new_string") or edit["new"], 1)
        path.write_text(text)
        return "edited"
    pattern, found = re.compile(a["pattern"]), []
    for path in sorted(Path(a.get("path", ".")).rglob("*")):
        if path.is_file() and ".git" not in path.parts:
            for n, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{path}:{n}:{line}")
    return "\n".join(found)


class Chat:
    """OpenAI-compatible Chat Completions, the wire the tool benchmarks speak."""

    path = "/chat/completions"

    def __init__(self, model: str, prompt: str) -> None:
        self.model = model
        self.messages: list[Json] = [{"role": "user", "content": prompt}]

    def body(self) -> Json:
        schema = {
            n: {"type": "object", "properties": {k: {"type": "string"} for k in keys}} for n, keys in TOOLS.items()
        }
        tools = [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in schema.items()]
        options = {"stream": True, "stream_options": {"include_usage": True}}
        return {"model": self.model, "messages": self.messages, "tools": tools, **options}

    def read(self, event: Json, calls: dict[int, list[str]]) -> str:
        text = ""
        for choice in event.get("choices", []):
            delta = choice.get("delta", {})
            text += delta.get("content") or ""
            for call in delta.get("tool_calls") or []:
                kept = calls.setdefault(call.get("index", 0), ["", "", ""])
                kept[0] += call.get("id") or ""
                kept[1] += call.get("function", {}).get("name") or ""
                kept[2] += call.get("function", {}).get("arguments") or ""
        return text

    def answered(self, text: str, calls: list[list[str]]) -> None:
        made = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in calls]
        self.messages.append({"role": "assistant", "content": text or None, **({"tool_calls": made} if made else {})})

    def result(self, call: list[str], text: str) -> None:
        self.messages.append({"role": "tool", "tool_call_id": call[0], "content": text})


class Anthropic(Chat):
    path = "/v1/messages"

    def body(self) -> Json:
        return {"model": self.model, "messages": self.messages, "max_tokens": 64000, "stream": True}

    def read(self, event: Json, calls: dict[int, list[str]]) -> str:
        return str(event.get("delta", {}).get("text", ""))


class Responses(Chat):
    path = "/responses"

    def body(self) -> Json:
        return {"model": self.model, "input": self.messages, "stream": True}

    def read(self, event: Json, calls: dict[int, list[str]]) -> str:
        return str(event["delta"]) if event.get("type") == "response.output_text.delta" else ""


class Gemini(Chat):
    def __init__(self, model: str, prompt: str) -> None:
        super().__init__(model, prompt)
        self.path = f"/models/{model}:streamGenerateContent?alt=sse"

    def body(self) -> Json:
        return {"contents": [{"role": "user", "parts": [{"text": self.messages[0]["content"]}]}]}

    def read(self, event: Json, calls: dict[int, list[str]]) -> str:
        parts = [p for c in event.get("candidates", []) for p in c.get("content", {}).get("parts", [])]
        return "".join(part.get("text", "") for part in parts)


class Ollama(Chat):
    path = "/api/chat"

    def body(self) -> Json:
        return {"model": self.model, "messages": self.messages, "stream": True}

    def read(self, event: Json, calls: dict[int, list[str]]) -> str:
        return str(event.get("message", {}).get("content", ""))


HEADERS = "Content-Type: application/json\r\nAuthorization: Bearer k\r\nx-api-key: k\r\n"
WIRES = {"openai-chat": Chat, "anthropic": Anthropic, "openai-responses": Responses, "gemini": Gemini, "ollama": Ollama}


async def lines_of(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The lines of a response's body, however it is framed."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        sys.exit(head.decode())
    chunked, rest = b"chunked" in head.lower(), b""
    length = re.search(rb"content-length: *(\d+)", head.lower())
    left = int(length[1]) if length else -1
    while left:
        if chunked:
            size = int(await reader.readline(), 16)
            block = (await reader.readexactly(size + 2))[:size]
            left = size
        else:
            block = await reader.read(65536 if left < 0 else min(left, 65536))
            left = 0 if not block else left - len(block) if left > 0 else left
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line
    if rest:
        yield rest


async def main(api: str, base: str, model: str, prompt: str) -> None:
    _, _, host, *prefix = base.rstrip("/").split("/", 3)
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port or 80), limit=1 << 24)
    wire = WIRES[api](model, prompt)
    while True:
        body = json.dumps(wire.body()).encode()
        path = "/" + "".join(prefix) + wire.path
        head = f"POST {path.replace('//', '/')} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer k\r\nx-api-key: k\r\n"
        head += (
            f"anthropic-version: 2023-06-01\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        calls: dict[int, list[str]] = {}
        said = []
        async for line in lines_of(reader):
            data = line[5:].strip() if line.startswith(b"data:") else line if line.startswith(b"{") else b""
            if data and data != b"[DONE]":
                said.append(wire.read(json.loads(data), calls))
        text = "".join(said)
        wire.answered(text, [*calls.values()])
        if not calls:
            print(text)
            break
        for call in calls.values():
            wire.result(call, await run_tool(call[1], json.loads(call[2])))
    writer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
