"""The loopback provider in a process of its own: replies made before the first request comes, bytes counted.

with Provider("hello") as provider:
    ...  provider.address("openai-chat") ... provider.seen()
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from typing import Any, Self

from protea.domain.script import ScriptedCall, ScriptedReply
from protea.testing.loopback import LoopbackProvider, LoopbackReply
from protea.testing.loopback.recording import Recorded

TOKENS = 20_000
PACED_TOKENS, PACED_SECONDS = TOKENS, 12.0
"""A reply that comes as fast as the quick models write."""
WIRES = ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama")
MODEL = "one"


def paced_text(tokens: int) -> str:
    """Markdown of so many words: paragraphs, lists, code, a table now and then."""
    words = [f"word{number % 97}" for number in range(tokens)]
    lines = []
    for number in range(0, tokens, 20):
        line = " ".join(words[number : number + 20])
        kind = number // 20 % 12
        lines.append(
            f"- {line}"
            if kind in (4, 5)
            else f"## {line[:30]}\n\n{line}\n"
            if kind == 7
            else f"```python\nx = {number}  # {line}\n```\n"
            if kind == 9
            else f"{line} **{number}**.\n"
        )
    return "\n".join(lines) + "\n\nthe end of it"


READS = 3
"""Of an agent that looks at something, before it answers."""


def crowd(asked: Recorded) -> ScriptedReply | ScriptedCall | str:
    """Whoever is told to send agents sends as many as it is told; each of those reads as many files as it is told, and
    answers."""
    messages = asked.json["messages"]
    prompt = next(str(each["content"]) for each in messages if each["role"] == "user")
    done = sum(each["role"] == "tool" for each in messages)
    count, reads = map(int, re.findall(r"\d+", prompt)[:2])
    if "send" in prompt:
        sent = tuple(
            ScriptedCall("Agent", {"prompt": f"part {n}: look at {reads} files", "title": f"part {n}"})
            for n in range(count)
        )
        return "All is looked at." if done else ScriptedReply(tool_calls=sent)
    return f"The part is fine: {prompt}." if done == reads else ScriptedCall("Read", {"path": f"src/module_{done}.py"})


def steps_of(scenario: str) -> Any:
    """What is answered in turn, then from the beginning again."""
    if scenario == "crowd":
        return [crowd]
    if scenario == "hello":
        return ["Hello. What shall we do?"]
    if scenario == "stream":
        return ["".join(f"word{n % 97} " + ("\n" if n % 17 == 16 else "") for n in range(TOKENS))]
    if scenario == "paced":
        text = paced_text(PACED_TOKENS)
        return [LoopbackReply(text=text, pieces=PACED_TOKENS // 5, pace=5 * PACED_SECONDS / PACED_TOKENS)]
    if scenario == "reads":
        reads = tuple(ScriptedCall("Read", {"path": f"src/module_{number}.py"}) for number in range(8))
        return [ScriptedReply(tool_calls=reads), "All read."]
    if scenario == "session":
        return [ScriptedCall("Read", {"path": "src/module_3.py"}), "It says so."]
    steps: list[str | ScriptedCall | ScriptedReply] = []
    for number in range(6):
        steps.append(ScriptedCall("Read", {"path": f"src/module_{number}.py"}))
        steps.append(ScriptedCall("Grep", {"pattern": f"def function_{number}", "path": "src"}))
        steps.append(ScriptedCall("Bash", {"command": f"wc -l src/module_{number}.py"}))
    change: dict[str, object] = {"path": "src/module_5.py", "old_string": "return 9", "new_string": "return 99"}
    return [*steps, ScriptedCall("Edit", change), ScriptedCall("Read", {"path": "src/module_5.py"}), "All done."]


async def serve(scenario: str) -> None:
    async with LoopbackProvider(steps_of(scenario), after="cycle") as provider:
        for wire in WIRES:
            provider.prepare(wire, MODEL)
        addresses = {wire: provider.url(wire) for wire in WIRES}
        print(json.dumps(addresses), flush=True)
        # Each line asks what was seen since the last one; the end of standard input ends us.
        while await asyncio.to_thread(sys.stdin.readline):
            heads = sum(
                len(name) + len(value) + 4 for each in provider.requests for name, value in each.headers.items()
            )
            sent = heads + sum(len(each.body) for each in provider.requests)
            print(json.dumps({"requests": len(provider.requests), "bytes": sent}), flush=True)
            provider.requests.clear()


class Provider:
    def __init__(self, scenario: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, scenario], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._addresses: dict[str, str] = self._line()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)

    def address(self, wire: str) -> str:
        return self._addresses[wire]

    def seen(self) -> dict[str, int]:
        """How many requests and bytes came since this was last asked."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
