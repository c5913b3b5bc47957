"""The event log alone: write events, lose the process, read them back, see what a model would see.

Needs msgspec.
"""

import os
import sys
import tempfile

from protea.adapters.storage.jsonl import JsonlStore
from protea.domain.events import MessageCompleted, PromptSubmitted, SessionStarted, TurnFinished, TurnStarted
from protea.domain.messages import Text, ToolMessage
from protea.domain.transcript import transcript_of
from protea.domain.usage import Usage

SESSION = "20250101-120000-demo"
EVENTS = (
    SessionStarted(session=SESSION, seq=1, version="0.1.0", cwd="/"),
    PromptSubmitted(session=SESSION, seq=2, id="p_1", text="What is 6 x 7?"),
    TurnStarted(session=SESSION, seq=3, id="t_1", prompt="p_1", model="demo/one"),
    MessageCompleted(
        session=SESSION, seq=4, model="demo/one", content=(Text(text="42."),), stop="end_turn", usage=Usage(), seen=3
    ),
    TurnFinished(session=SESSION, seq=5, id="t_1", outcome="finished"),
)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        store = JsonlStore(os.path.join(home, "sessions"))
        log = store.create(SESSION)
        log.append(EVENTS, durable=True)
        log.close()
        # A crash in the middle of a line: what was whole before it is still there.
        with open(os.path.join(home, "sessions", SESSION, "events.jsonl"), "ab") as file:
            file.write(b'{"type":"prompt_sub')
        log = store.open(SESSION)
        print(f"{log.last} events; {log.mended}", file=sys.stderr)
        for message in transcript_of(log.read()).messages():
            if not isinstance(message, ToolMessage):
                print(type(message).__name__, "".join(part.text for part in message.content if isinstance(part, Text)))
        log.close()


if __name__ == "__main__":
    main()
