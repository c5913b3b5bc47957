"""The fold of events into what the model sees."""

from __future__ import annotations

from itertools import pairwise

from protea.domain.events import (
    Compacted,
    Event,
    MessageCompleted,
    PromptSubmitted,
    PromptWithdrawn,
    Rewound,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import AssistantMessage, Message, Text, ToolCall, ToolMessage, UserMessage
from protea.domain.tools import CallState, ToolResult
from protea.domain.transcript import INTERRUPTED, Transcript, transcript_of
from protea.domain.usage import Usage

READ = ToolCall(id="c1", name="Read", arguments={"path": "a"})
GREP = ToolCall(id="c2", name="Grep", arguments={"pattern": "b"})


class Log:
    """Numbers events as a hub would."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def prompt(self, text: str, delivery: str = "now") -> None:
        self._add(PromptSubmitted(id=text, text=text, delivery=delivery, seq=self.next))  # type: ignore[arg-type]

    def start(self, prompt: str) -> None:
        self._add(TurnStarted(id="t", prompt=prompt, model="m", seq=self.next))

    def says(self, *content: Text | ToolCall, seen: int | None = None) -> None:
        seq = self.next
        self._add(
            MessageCompleted(
                model="p/m",
                content=content,
                stop="end_turn",
                usage=Usage(),
                seen=seq - 1 if seen is None else seen,
                seq=seq,
            )
        )

    def call(self, call: ToolCall, state: CallState, text: str | None = None) -> None:
        result = None if text is None else ToolResult(text=text)
        self._add(ToolCallChanged(call=call, state=state, result=result, seq=self.next))

    def finish(self) -> None:
        self._add(TurnFinished(id="t", outcome="finished", seq=self.next))

    def _add(self, event: Event) -> None:
        self.events.append(event)

    @property
    def next(self) -> int:
        return len(self.events) + 1


def said(messages: tuple[Message, ...]) -> list[str]:
    words = []
    for message in messages:
        match message:
            case UserMessage(content=content):
                words.append("user " + "".join(part.text for part in content if isinstance(part, Text)))
            case AssistantMessage(content=content):
                words.append("assistant " + "".join(getattr(part, "text", "·") for part in content))
            case ToolMessage(call_id=call_id, text=text):
                words.append(f"tool {call_id} {text}")
    return words


def test_results_stand_in_the_order_of_the_calls_not_of_their_ends() -> None:
    log = Log()
    log.prompt("go")
    log.start("go")
    log.says(READ, GREP)
    log.call(GREP, "success", "second")
    log.call(READ, "success", "first")
    assert said(transcript_of(log.events).messages()) == ["user go", "assistant ··", "tool c1 first", "tool c2 second"]


def test_a_call_without_a_result_is_shown_as_interrupted() -> None:
    log = Log()
    log.prompt("go")
    log.start("go")
    log.says(READ, GREP)
    log.call(READ, "success", "first")
    log.call(GREP, "executing")
    transcript = transcript_of(log.events)
    assert said(transcript.messages())[-1] == f"tool c2 {INTERRUPTED.text}"
    assert transcript.open_calls == (GREP,)
    assert [(id, change.call, change.state) for id, change in transcript.states.items()] == [("c2", GREP, "executing")]


def test_a_queued_prompt_is_not_shown_before_its_turn() -> None:
    log = Log()
    log.prompt("one")
    log.start("one")
    log.prompt("two", "queue")
    log.says(Text(text="answer"))
    log.finish()
    transcript = transcript_of(log.events)
    assert said(transcript.messages()) == ["user one", "assistant answer"]
    assert list(transcript.waiting) == ["two"]


def test_a_withdrawn_prompt_waits_no_longer() -> None:
    log = Log()
    log.prompt("one")
    log.events.append(PromptWithdrawn(id="one", seq=log.next))
    assert not transcript_of(log.events).waiting


def test_a_steering_prompt_stands_after_the_reply_that_did_not_know_of_it() -> None:
    log = Log()
    log.prompt("go")
    log.start("go")
    known = log.next - 1
    log.prompt("faster", "steer")
    log.says(Text(text="slow"), seen=known)
    transcript = transcript_of(log.events)
    assert transcript.steered
    assert said(transcript.messages()) == ["user go", "assistant slow", "user faster"]
    log.says(Text(text="fast"))
    transcript = transcript_of(log.events)
    assert not transcript.steered
    assert said(transcript.messages()) == ["user go", "assistant slow", "user faster", "assistant fast"]


def test_every_request_begins_with_the_one_before() -> None:
    log = Log()
    transcript, shown, taken = Transcript(), [], 0
    log.prompt("go")
    log.start("go")
    for step in range(5):
        if step == 2:
            log.prompt("steered", "steer")
        for event in log.events[taken:]:
            transcript.add(event)
        taken = len(log.events)
        shown.append(transcript.messages())
        call = ToolCall(id=f"c{step}", name="Read", arguments={})
        log.says(call)
        log.call(call, "success", f"r{step}")
    for before, after in pairwise(shown):
        assert after[: len(before)] == before


def test_the_last_message_is_known_without_the_others() -> None:
    log = Log()
    transcript = Transcript()
    assert transcript.last_message() is None
    log.prompt("go")
    log.start("go")
    log.says(READ)
    log.prompt("steered", "steer")
    log.call(READ, "success", "x")
    log.says(Text(text="done"))
    log.finish()
    for event in log.events:
        transcript.add(event)
        assert transcript.last_message() == (transcript.messages() or (None,))[-1]


def test_going_forward_gives_what_reading_from_the_start_gives() -> None:
    log = Log()
    log.prompt("go")
    log.start("go")
    log.says(READ)
    log.call(READ, "success", "x")
    log.says(Text(text="done"))
    log.finish()
    forward = Transcript()
    for event in log.events:
        forward.add(event)
    assert forward.messages() == transcript_of(log.events).messages()


def test_compaction_puts_a_summary_in_the_place_of_what_came_before() -> None:
    log = Log()
    log.prompt("one")
    log.start("one")
    log.says(Text(text="a"))
    log.finish()
    log.events.append(Compacted(upto=log.next - 1, summary="so far", seq=log.next))
    log.prompt("two")
    log.start("two")
    assert said(transcript_of(log.events).messages()) == ["user so far", "user two"]


def test_rewinding_forgets_what_came_after_and_also_a_compaction_after_it() -> None:
    log = Log()
    log.prompt("one")
    log.start("one")
    log.says(Text(text="a"))
    log.finish()
    end = log.next - 1
    log.prompt("two")
    log.start("two")
    log.says(Text(text="b"))
    log.finish()
    log.events.append(Compacted(upto=log.next - 1, summary="s", seq=log.next))
    log.events.append(Rewound(to=end, seq=log.next))
    assert said(transcript_of(log.events).messages()) == ["user one", "assistant a"]


def test_an_interrupted_turn_leaves_every_call_paired() -> None:
    log = Log()
    log.prompt("one")
    log.start("one")
    log.says(READ, GREP)
    log.finish()
    log.prompt("two")
    log.start("two")
    words = said(transcript_of(log.events).messages())
    assert [word.split()[0] for word in words] == ["user", "assistant", "tool", "tool", "user"]


def test_rewinding_into_the_midst_of_calls_leaves_whole_messages() -> None:
    log = Log()
    log.prompt("one")
    log.start("one")
    log.says(READ, GREP)
    log.call(READ, "validating")
    log.call(READ, "success", "a")
    to = log.next - 1
    log.call(GREP, "success", "b")
    log.finish()
    log._add(Rewound(to=to, seq=log.next))
    log.prompt("two")
    log.start("two")
    transcript = transcript_of(log.events)
    kinds = [type(message) for message in transcript.messages()]
    assert kinds == [UserMessage, AssistantMessage, ToolMessage, ToolMessage, UserMessage]
    assert transcript.messages()[3] == ToolMessage("c2", "Grep", INTERRUPTED.text, is_error=True)


def test_a_prompt_that_was_run_does_not_wait_again_when_its_turn_is_forgotten() -> None:
    log = Log()
    log.prompt("one")
    to = log.next - 1
    log.start("one")
    log.says(Text("1"))
    log.finish()
    log._add(Rewound(to=to, seq=log.next))
    transcript = transcript_of(log.events)
    assert not transcript.waiting
    assert transcript.turn is None
