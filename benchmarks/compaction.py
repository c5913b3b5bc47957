"""What compaction and assembly cost, and what is left of facts after it.

A day is lived through the very window a session has: prompts, calls, results, answers, with a model that sees 40,000
tokens. Facts are planted in what the person said, in paths, results, decisions and numbers of answers, in a pin, the
todo list, a skill; some are corrected later. Each strategy makes room as it must, several times; then what the next
request shows is looked through for each fact, and the log for the rest. The model that sums up is scripted, and of one
of two kinds: the careful one writes down the facts of the answers and summaries it is shown, none of results, and 2,000
characters of everything else; the forgetful one writes a page of what came last and no more.

Tokens are counted with a real vocabulary (`counting.py`), and what is counted is what the scripted provider says, so
that it decides when room is made; `--estimate` takes Protea's own estimate instead, whose error is told in any case.
Time is this process's own: the scripted model takes none.

    python benchmarks/compaction.py [--check] [--estimate]
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence

import msgspec
from counting import Counter as Tokens
from counting import counter
from measure import Report, rounds

from protea.adapters.clock.system import SystemClock
from protea.adapters.compaction import clear_results, digest, levels, none, summarise, truncate
from protea.adapters.context import everything, windowed
from protea.adapters.storage.memory import MemoryStore
from protea.adapters.tokens import estimate
from protea.application.hub import Hub
from protea.application.window import Window
from protea.domain.events import (
    Compacted,
    Lasting,
    LastingEvent,
    MessageCompleted,
    PinsChanged,
    PromptSubmitted,
    TodoChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.looking_back import places
from protea.domain.messages import AssistantMessage, Message, Text, ToolCall, UserMessage, text_of
from protea.domain.reply import ModelRequest, Reply, ReplyPiece, Stop
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.transcript import Transcript
from protea.domain.usage import ModelInfo, Usage
from protea.ports.compaction import Compaction
from protea.ports.context import Context

TURNS, STEPS, SIZE = 60, 3, 2_000
WINDOW = 40_000
WORDS = "the quick brown fox jumps over the lazy dog and looks at a file of the project again "
FACT = re.compile(r"FACT-[a-z]+\d+(?:x\d+)?")
KINDS = ("prompt", "corrected", "pin", "todo", "skill", "decision", "number", "path", "result")
SURVIVE = ("prompt", "corrected", "pin", "todo", "skill")
"""Of these all must be before the model's eyes, whatever made room."""
PAGE = 1_500
"""Characters of a summary by a model that forgets."""
STRATEGIES: dict[str, Compaction] = {
    "none": none.create(none.Options()),
    "truncate": truncate.create(truncate.Options()),
    "clear-results": clear_results.create(clear_results.Options()),
    "digest": digest.create(digest.Options()),
    "summarise": summarise.create(summarise.Options()),
    "levels": levels.create(levels.Options()),
}
FORGETFUL = ("summarise, forgetful", STRATEGIES["summarise"], True)
"""A model that loses what an ordinary summary loses: what is kept then, Protea keeps."""
CHOICES: dict[str, Context | None] = {
    "everything": everything.create(everything.Options()),
    "windowed": windowed.create(windowed.Options(most=100_000)),
    "windowed, recall 3": windowed.create(windowed.Options(most=100_000, recall=3)),
}


class Model:
    """One that only sums up."""

    def __init__(self, context: int, forgets: bool) -> None:
        self._forgets = forgets
        self.info = ModelInfo(id="acme/big", context=context, max_output=4_000)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ReplyPiece, None]:
        shown = [each for each in request.messages[:-1] if isinstance(each, AssistantMessage)]
        told = [text_of(each.content) for each in shown]
        before = [str(each.content) for each in request.messages[:1] if isinstance(each, UserMessage)]
        facts = " ".join(dict.fromkeys(fact for text in (*before, *told) for fact in FACT.findall(text)))
        text = " ".join(told)[-PAGE:] if self._forgets else f"Facts: {facts}\n" + " ".join(told)[:2_000]
        yield Reply(content=(Text(text),), stop="end_turn", usage=Usage(), model=self.info.id)

    async def warm(self) -> None:
        """Nothing to open."""

    async def aclose(self) -> None:
        """Nothing is open."""


class Day:
    """A session with a window, and nothing else of one."""

    def __init__(
        self,
        compaction: Compaction | None,
        context: Context | None = None,
        window: int = WINDOW,
        *,
        forgets: bool = False,
        counted: Tokens | None = None,
    ) -> None:
        """`counted`: what the provider says of each request; left out, it says what Protea estimates."""
        self._counted = counted
        self.transcript = Transcript()
        self.events: list[LastingEvent] = []
        self.model = Model(window, forgets)
        self.tokens = estimate.create(estimate.Options())
        clock = SystemClock()
        self.hub = Hub("s_1", MemoryStore().create("s_1"), clock, self._on_event)
        self.window = Window(
            context=context,
            compaction=compaction,
            tokens=self.tokens,
            transcript=lambda: self.transcript,
            hub=self.hub,
            clock=clock,
            before_compaction=_nothing_against,
            after_compaction=_nothing_to_add,
            pay=lambda model, cost: None,
        )
        self.sent: bytes = b""
        self.alike: list[float] = []
        """Of each request, how much of the one before it begins with."""

    def _on_event(self, event: LastingEvent) -> None:
        self.events.append(event)
        self.transcript.add(event)

    def tell(self, event: Lasting) -> None:
        self.hub.record(event)

    async def request(self) -> tuple[Message, ...]:
        messages = await self.window.of(self.model, ("You are a benchmark.",), ())
        sent = msgspec.json.encode(messages)
        if self.sent:
            self.alike.append(_alike(self.sent, sent) / len(self.sent))
        self.sent = sent
        return messages

    def learn(self, messages: tuple[Message, ...]) -> None:
        request = ModelRequest(messages)
        if self._counted is not None:
            told = sum(map(self._counted.message, messages))
        else:
            told = self.tokens.request(request, self.model.info.id)
        self.window.learn(request, self.model.info, Usage(input=told))

    async def reply(self, text: str, *calls: ToolCall, asked: bool = True) -> None:
        messages = await self.request() if asked else ()
        stop: Stop = "tool_calls" if calls else "end_turn"
        self.tell(
            MessageCompleted(
                model="acme/big", content=(Text(text), *calls), stop=stop, usage=Usage(), seen=self.hub.last
            )
        )
        if asked:
            self.learn(messages)

    async def turn(self, turn: int, *, size: int = SIZE, asked: bool = True) -> None:
        said = f"Please look at part {turn}: FACT-prompt{turn} matters."
        if turn % 10 == 3:
            said += f" The limit of part {turn} is FACT-wrong{turn}."
        if turn % 10 == 8:
            said += f" No: the limit of part {turn - 5} is FACT-corrected{turn}."
        self.tell(PromptSubmitted(id=f"p{turn}", text=said))
        self.tell(TurnStarted(id=f"t{turn}", prompt=f"p{turn}", model="acme/big"))
        for step in range(STEPS):
            call = ToolCall(id=f"c{turn}_{step}", name="Read", arguments={"path": f"src/FACT-path{turn}x{step}.py"})
            await self.reply(f"Step {step}.", call, asked=asked)
            text = (WORDS * (size // len(WORDS) + 1))[:size] + f" FACT-result{turn}x{step}"
            self.tell(ToolCallChanged(call=call, state="success", result=ToolResult(text)))
        await self.reply(
            f"FACT-decision{turn}, because it took FACT-number{turn} ms. Part {turn} is done.", asked=asked
        )
        self.tell(TurnFinished(id=f"t{turn}", outcome="finished"))

    async def live(self, turns: int) -> None:
        self.tell(PinsChanged(pins=("never push FACT-pin0",)))
        call = ToolCall(id="skill", name="Skill", arguments={"name": "brewing"})
        todo = ToolCall(id="todo", name="TodoWrite", arguments={"items": [{"text": "see to FACT-todo0"}]})
        self.tell(PromptSubmitted(id="p", text="Read the skill."))
        self.tell(TurnStarted(id="t", prompt="p", model="acme/big"))
        await self.reply("I read it.", todo, call)
        self.tell(ToolCallChanged(call=todo, state="success", result=ToolResult("Kept.")))
        self.tell(TodoChanged(items=(TodoItem("see to FACT-todo0"),)))
        skill = "The skill brewing, in /skills.\n" + "Always FACT-skill0. " + WORDS * 30
        self.tell(ToolCallChanged(call=call, state="success", result=ToolResult(skill)))
        for turn in range(turns):
            await self.turn(turn)
        self.tell(PromptSubmitted(id="last", text="And now?"))
        self.tell(TurnStarted(id="last", prompt="last", model="acme/big"))


async def probes(report: Report) -> None:
    """What is left before the model's eyes, per strategy."""
    counted = counter(estimated="--estimate" in sys.argv)
    print(f"  {TURNS} turns through a window of {WINDOW:,} tokens; {counted.said}")
    print(
        f"  {'strategy':<22} {'tokens':>8} {'estimate':>9} {'made room':>10} {'alike':>6}  "
        + " ".join(f"{k:>9}" for k in KINDS)
        + "  survive  in the log"
    )
    for name, strategy, forgets in (*((name, each, False) for name, each in STRATEGIES.items()), FORGETFUL):
        day = Day(strategy, forgets=forgets, counted=counted)
        await day.live(TURNS)
        shown = await day.request()
        seen = str(shown)
        planted = _kinds(_planted(day.events))
        kept = _kinds({fact for fact in FACT.findall(seen) if _is_right(fact, seen)})
        lost = {fact for fact in _planted(day.events) if next(places(day.events, fact), None) is None}
        times = sum(isinstance(event, Compacted) for event in day.events)
        kinds = " ".join(f"{kept[kind]}/{planted[kind]}".rjust(9) for kind in KINDS)
        alike = sum(day.alike) / len(day.alike)
        total = sum(planted.values()) - planted["pin"]
        found = total - len({fact for fact in lost if "pin" not in fact})  # a pin is always in sight
        tokens = sum(map(counted.message, shown))
        estimated = sum(day.tokens.message(message, day.model.info.id) for message in shown)
        survive = sum(kept[kind] for kind in KINDS) / sum(planted[kind] for kind in KINDS)
        print(
            f"  {name:<22} {tokens:>8,} {estimated / tokens - 1:>+9.0%} {times:>8} x {alike:>6.0%}  {kinds}"
            f"  {survive:>7.0%}  {found}/{total}"
        )
        for kind in SURVIVE:
            if kept[kind] < planted[kind]:
                sys.exit(f"{name} lost what must survive: {kept[kind]} of {planted[kind]} facts of a {kind}")
        if found < total:
            sys.exit(f"{name}: found nowhere in the log: {sorted(lost)}")


def _kinds(facts: set[str]) -> Counter[str]:
    return Counter(fact.removeprefix("FACT-").rstrip("0123456789x") for fact in facts)


def _alike(before: bytes, after: bytes) -> int:
    """Bytes that two requests begin with."""
    low, high = 0, min(len(before), len(after))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if before[:middle] == after[:middle] else (low, middle - 1)
    return low


def _planted(events: Sequence[LastingEvent]) -> set[str]:
    return {
        fact
        for event in events
        if not isinstance(event, Compacted)
        for fact in FACT.findall(str(event))
        if "wrong" not in fact
    }


def _is_right(fact: str, seen: str) -> bool:
    """A correction counts only where it comes after what it corrects."""
    number = int(fact.rpartition("FACT-corrected")[2]) if fact.startswith("FACT-corrected") else None
    return number is None or seen.rfind(fact) > seen.rfind(f"FACT-wrong{number - 5}.")


async def own_time(report: Report) -> None:
    """Making a session of 100,000 tokens fit, the worst strategy last."""
    costs = {}
    for name, strategy in STRATEGIES.items():
        best = 1.0
        for _ in range(rounds(5)):
            day = Day(strategy, window=125_000)
            for turn in range(TURNS):
                await day.turn(turn, asked=False)
            gc.collect()
            begin = time.perf_counter()
            await day.window.of(day.model, (), ())
            best = min(best, time.perf_counter() - begin)
        costs[name] = best * 1e3
    for name, cost in sorted(costs.items(), key=lambda item: item[1]):
        report.figure(f"{name}: own time", cost, 150, "ms", "a session of 100,000 tokens")


async def assembly(report: Report) -> None:
    """What a request of a long conversation costs before it is sent, its messages put together and looked over."""
    for name, context in CHOICES.items():
        day = Day(levels.create(levels.Options()), context, window=10_000_000)
        for turn in range(1_250):
            await day.turn(turn, size=300, asked=False)
        messages = await day.window.of(day.model, (), ())
        day.learn(messages)
        best = 1.0
        for _ in range(rounds(20)):
            begin = time.perf_counter()
            await day.window.of(day.model, (), ())
            best = min(best, time.perf_counter() - begin)
        count = len(day.transcript.messages())
        report.figure(f"assembling {count:,} messages, {name}", best * 1e3, 5, "ms")


async def _nothing_against(what: str, asked: str) -> tuple[str, str]:
    return "", asked


async def _nothing_to_add(what: str, summary: str) -> None:
    """As where nobody has hooks."""


def main() -> None:
    report = Report("compaction")
    asyncio.run(probes(report))
    asyncio.run(own_time(report))
    asyncio.run(assembly(report))
    report.exit()


if __name__ == "__main__":
    main()
