"""What compaction costs, and what is left after it.

Facts are planted in a long conversation (in what the person said, in answers, in results of calls, early and late);
each strategy makes it smaller; then the next request is looked through for them, and the log for the rest. The model
that sums up is scripted: it writes down the facts of the answers it was shown, as a careful one would, and 2,000
characters of everything else. Time is this process's own: the scripted model takes none.

    python benchmarks/compaction.py [--check]
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from types import SimpleNamespace

from measure import Report, rounds

from protea.adapters.clock.system import SystemClock
from protea.adapters.compaction import clear_results, digest, levels, none, summarise, truncate
from protea.adapters.tokens import estimate
from protea.application.window import Window
from protea.domain.compaction import Conversation, applied, summed_up, survivors
from protea.domain.events import LastingEvent, MessageCompleted, PromptSubmitted, ToolCallChanged, TurnStarted
from protea.domain.looking_back import places
from protea.domain.messages import Message, Text, ToolCall, text_of
from protea.domain.tools import ToolResult
from protea.domain.transcript import Transcript
from protea.domain.usage import ModelInfo, Usage
from protea.ports.compaction import Compaction
from protea.ports.model import Model
from protea.testing.model import ScriptedModel

TURNS = 60
WORDS = "the quick brown fox jumps over the lazy dog and looks at a file of the project again "
FACT = re.compile(r"FACT-\w+")


def conversation(turns: int, steps: int = 3, size: int = 2_000) -> list[LastingEvent]:
    """Turns of a person's day: a prompt, a few calls with their results, an answer; each with a fact of its own."""
    events: list[LastingEvent] = []

    def add(event: LastingEvent) -> None:
        events.append(event.__class__(**{**_fields(event), "seq": len(events) + 1}))

    for turn in range(turns):
        add(PromptSubmitted(id=f"p{turn}", text=f"Please look at part {turn}: FACT-prompt{turn} matters."))
        add(TurnStarted(id=f"t{turn}", prompt=f"p{turn}", model="acme/big"))
        for step in range(steps):
            call = ToolCall(id=f"c{turn}_{step}", name="Read", arguments={"path": f"src/part{turn}/{step}.py"})
            usage = Usage()
            add(
                MessageCompleted(
                    model="acme/big", content=(Text(f"Step {step}."), call), stop="tool_calls", usage=usage
                )
            )
            text = (WORDS * (size // len(WORDS) + 1))[:size] + f" FACT-result{turn}x{step}"
            add(ToolCallChanged(call=call, state="success", result=ToolResult(text)))
        answer = Text(f"Part {turn} does what it should: FACT-answer{turn} is why.")
        add(MessageCompleted(model="acme/big", content=(answer,), stop="end_turn", usage=Usage()))
    return events


def _fields(event: LastingEvent) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


async def careful(shown: Sequence[Message], question: str) -> str:
    told = [text_of(message.content) for message in shown if message.__class__.__name__ == "AssistantMessage"]
    facts = " ".join(fact for text in told for fact in FACT.findall(text))
    return f"Facts: {facts}\n" + " ".join(told)[:2_000]


async def shrunk(
    strategy: Compaction, transcript: Transcript, messages: tuple[Message, ...], room: int
) -> tuple[tuple[Message, ...], float]:
    """What is left, and seconds it took."""
    tokens = estimate.create(estimate.Options())
    begin = time.perf_counter()
    for _ in range(4):
        sizes = tuple(tokens.message(message, "acme/big") for message in messages)
        step = await strategy.shrink(Conversation(messages=messages, sizes=sizes, room=room), careful)
        if step is None:
            break
        if step.how == "summarise":
            kept = survivors(transcript.prompts, (), (), longest=max(2_000, room // 10 * 4))
            step = type(step)(how=step.how, before=step.before, text=summed_up(kept, step.text))
        messages = applied(messages, step)
    return messages, time.perf_counter() - begin


def survived(messages: Sequence[Message], kind: str, planted: set[str]) -> str:
    left = set(FACT.findall(str(messages)))
    of_kind = {fact for fact in planted if fact.startswith(f"FACT-{kind}")}
    return f"{len(left & of_kind)}/{len(of_kind)}"


async def strategies(report: Report) -> None:
    events = conversation(TURNS)
    transcript = Transcript()
    for event in events:
        transcript.add(event)
    messages = transcript.messages()
    tokens = estimate.create(estimate.Options())
    total = sum(tokens.message(message, "acme/big") for message in messages)
    planted = set(FACT.findall(str(messages)))
    everywhere = {fact for fact in planted if any(True for _ in places(events, fact))}
    print(f"  {total:,} tokens in {len(messages)} messages; the window has room for {int(total / 1.1):,}")
    print(f"  {'strategy':<14} {'tokens':>8}  {'prompts':>8} {'answers':>8} {'results':>8}   found in the log")
    for name, strategy in {
        "none": none.create(none.Options()),
        "truncate": truncate.create(truncate.Options()),
        "clear-results": clear_results.create(clear_results.Options()),
        "digest": digest.create(digest.Options()),
        "summarise": summarise.create(summarise.Options()),
        "levels": levels.create(levels.Options()),
    }.items():
        left, seconds = await shrunk(strategy, transcript, messages, int(total / 1.1))
        best = min([seconds, *[(await shrunk(strategy, transcript, messages, int(total / 1.1)))[1] for _ in range(4)]])
        size = sum(tokens.message(message, "acme/big") for message in left)
        kinds = " ".join(f"{survived(left, kind, planted):>8}" for kind in ("prompt", "answer", "result"))
        print(f"  {name:<14} {size:>8,}  {kinds}   {len(everywhere)}/{len(planted)}")
        report.figure(f"{name}: own time", best * 1e3 * 100_000 / total, 150, "ms", "for 100,000 tokens")


async def assembly(report: Report) -> None:
    """What a request of a long conversation costs before it is sent, the messages put together and looked over."""
    transcript = Transcript()
    for event in conversation(1_250, size=300):
        transcript.add(event)
    model: Model = ScriptedModel([])
    info = ModelInfo(id="acme/big", context=10_000_000)
    window = Window(
        context=None,
        compaction=levels.create(levels.Options()),
        tokens=estimate.create(estimate.Options()),
        transcript=lambda: transcript,
        hub=SimpleNamespace(session="s"),  # type: ignore[arg-type]  # nothing is told: it is far from full
        clock=SystemClock(),
        before_compaction=_nothing_against,
        pay=lambda model, cost: None,
    )
    known = _Known(model, info)
    messages = await window.of(known, (), ())
    from protea.domain.reply import ModelRequest

    window.learn(ModelRequest(messages), info, Usage(input=500_000, output=10))
    best = 1.0
    for _ in range(rounds(20)):
        begin = time.perf_counter()
        await window.of(known, (), ())
        best = min(best, time.perf_counter() - begin)
    report.figure(f"assembling {len(messages):,} messages", best * 1e3, 5, "ms")


class _Known:
    """A model with a window."""

    def __init__(self, model: Model, info: ModelInfo) -> None:
        self.info = info
        self.stream = model.stream
        self.aclose = model.aclose


async def _nothing_against(what: str) -> str:
    return ""


def main() -> None:
    report = Report("compaction")
    asyncio.run(strategies(report))
    asyncio.run(assembly(report))
    report.exit()


if __name__ == "__main__":
    sys.exit(main())
