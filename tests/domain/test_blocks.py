"""The fold of events into what a person scrolls through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from protea.domain.blocks import (
    Answer,
    AnyBlock,
    Call,
    Dropped,
    Footer,
    Grown,
    Job,
    Marker,
    Notice,
    Prompt,
    Put,
    Question,
    Thought,
    Todo,
)
from protea.domain.changes import ChangedFile
from protea.domain.errors import Failure
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    Compacted,
    FilesChanged,
    FilesRestored,
    InstructionsFound,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    ProfileSwapped,
    PromptSubmitted,
    PromptWithdrawn,
    RetryScheduled,
    Rewound,
    SessionStarted,
    TaskChanged,
    TextDelta,
    ThinkingDelta,
    TodoChanged,
    ToolCallChanged,
    ToolOutputDelta,
    TurnFinished,
    TurnStarted,
    UnknownEvent,
)
from protea.domain.folding import RETRY, Held, View, advance, blocks_of, joined
from protea.domain.messages import PERSON, Other, Text, Thinking, ToolCall
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.usage import Usage

READ = ToolCall(id="c1", name="Read", arguments={"path": "a"})
BASH = ToolCall(id="c2", name="Bash", arguments={"command": "make"})
STATES = ("validating", "scheduled", "executing", "success")


def numbered(events: Iterable[Any]) -> list[Any]:
    """As a hub would number them, a second apart."""
    return [
        replace(event, seq=seq, at=f"2026-01-01T00:{seq // 60:02}:{seq % 60:02}Z")
        for seq, event in enumerate(events, 1)
    ]


def reply(*content: Any, partial: bool = False) -> MessageCompleted:
    return MessageCompleted(model="p/m", content=content, stop="end_turn", usage=Usage(), partial=partial)


def call(call: ToolCall, *states: str, text: str = "done") -> list[ToolCallChanged]:
    return [
        ToolCallChanged(
            call=call,
            state=state,  # type: ignore[arg-type]  # a name of the seven
            result=ToolResult(text=text) if state in ("success", "error", "cancelled") else None,
        )
        for state in states
    ]


def turn(prompt: str, *between: Any, outcome: Any = "finished") -> list[Any]:
    return [
        PromptSubmitted(id=prompt, text=f"say {prompt}"),
        TurnStarted(id=f"t{prompt}", prompt=prompt, model="p/m"),
        *between,
        TurnFinished(id=f"t{prompt}", outcome=outcome, turns=1, usage=Usage(10, 2), cost_usd=0.5),
    ]


FILES = tuple(ChangedFile(path=f"/w/{name}", what="changed") for name in ("src/a.py", ".git", "b", "c"))
LONG = numbered(
    [
        SessionStarted(version="1", cwd="/w", model="p/m", profile="coding"),
        *turn("a", reply(Thinking("hm"), Text("I read."), READ), *call(READ, *STATES), reply(Text("It says."))),
        *turn(
            "b",
            reply(Text("Two."), READ, BASH),
            ToolCallChanged(call=READ, state="validating"),
            ToolCallChanged(call=BASH, state="validating"),
            *call(READ, "scheduled", "executing"),
            *call(BASH, "scheduled", "awaiting_approval"),
            ApprovalRequested(id="q", call=BASH, why="it runs a command"),
            PromptSubmitted(id="c", text="say c"),
            ApprovalResolved(id="q", decision="deny", comment="not now"),
            *call(BASH, "cancelled", text="no"),
            *call(READ, "success"),
            TodoChanged(items=(TodoItem("one"),)),
            TaskChanged(id="k", title="tests", state="running", background=True),
            TaskChanged(id="j", title="look", state="running", detail="thinks"),
            TaskChanged(id="j", title="look", state="done", detail="m · done"),
            reply(Text("Done.")),
        ),
        TurnStarted(id="tc", prompt="c", model="p/m"),
        reply(Text("c it is")),
        TaskChanged(id="k", title="tests", state="done", detail="42 passed", background=True),
        TurnFinished(id="tc", outcome="finished", turns=1),
        ModelSwitched(model="q/n", effort="high"),
        ModeChanged(mode="plan"),
        *turn("d", reply(Text("planned"))),
        Rewound(to=36),
        Compacted(upto=20, summary="what was"),
        *turn("e", reply(Text("at last")), outcome="interrupted"),
    ]
)


def paged(events: Sequence[AnyEvent], size: int) -> tuple[AnyBlock, ...]:
    """As a screen reads them: the last page first, then those before, each folded for itself."""
    newer, later, earlier = View(), Held(), list(events)
    blocks: tuple[AnyBlock, ...] = ()
    forgotten: list[Any] = []
    first = True
    while earlier:
        page, earlier = earlier[-size:], earlier[:-size]
        view, changes = View(), []
        for event in page:
            view = advance(view, event)
            changes += view.changes
        forgotten += [change for change in changes if not isinstance(change, Put | Grown | Dropped)]
        held = Held()
        held.make(changes)
        if first:
            newer, blocks, first = view, held.blocks(), False
            continue
        later = Held()
        here = {block.key for block in blocks}
        newer, ends = joined(view, newer)
        later.make(Put(block) for block in held.blocks() if block.key not in here)
        later.make(Put(block) for block in blocks)
        later.make(ends)
        later.make(forgotten)
        blocks = later.blocks()
    return blocks


def plainly(blocks: Iterable[AnyBlock]) -> list[Any]:
    """Without what a page cannot know: when a turn began that is on the page before, how a call began."""
    shown: list[Any] = []
    for block in blocks:
        match block:
            case Call():
                shown.append((block.call, block.state, block.result, block.gone))
            case Footer():
                shown.append(replace(block, seconds=None, model=""))
            case Job():
                shown.append((block.title, block.state, block.detail, block.gone))
            case _:
                shown.append(block)
    return shown


@pytest.mark.parametrize("size", range(1, len(LONG) + 1))
def test_pages_read_from_the_end_give_the_blocks_of_the_whole(size: int) -> None:
    whole, pages = plainly(blocks_of(LONG)), plainly(paged(LONG, size))
    assert sorted(map(repr, pages)) == sorted(map(repr, whole))
    ordered = [each for each in whole if not isinstance(each, tuple)]
    assert [each for each in pages if not isinstance(each, tuple)] == ordered


def test_a_turn_is_its_prompt_its_answers_its_calls_and_what_it_cost() -> None:
    blocks = blocks_of(LONG[:10])
    assert [type(block).__name__ for block in blocks] == [
        "Marker", "Prompt", "Thought", "Answer", "Call", "Answer", "Footer",
    ]  # fmt: skip
    assert isinstance(blocks[4], Call)
    assert blocks[4].state == "success"
    assert blocks[4].result == ToolResult(text="done")
    assert isinstance(blocks[6], Footer)
    assert (blocks[6].seconds, blocks[6].cost_usd, blocks[6].model) == (7.0, 0.5, "p/m")


def test_what_streams_in_takes_the_place_of_nothing_and_is_replaced_by_the_whole() -> None:
    held, view = Held(), View(seq=3)
    for event in (ThinkingDelta(text="h"), ThinkingDelta(text="m"), TextDelta(text="I "), TextDelta(text="rea")):
        view = advance(view, event)
        held.make(view.changes)
    assert [(type(block), block.text) for block in held.blocks() if isinstance(block, Answer | Thought)] == [
        (Thought, "hm"),
        (Answer, "I rea"),
    ]
    (done,) = numbered([reply(Thinking("hm"), Text("I read."), READ)])
    view = advance(view, done)
    held.make(view.changes)
    assert [(block.key, block.open) for block in held.blocks() if isinstance(block, Answer | Thought)] == [
        ("1.0", False),
        ("1.1", False),
    ]
    assert view.drafts == ()


def test_text_costs_the_same_however_much_there_is() -> None:
    """The view does not hold what has come: a piece is told as a piece."""
    view = View(seq=1)
    for _ in range(3):
        view = advance(view, TextDelta(text="word "))
    assert view.changes == (Grown("draft:0", "word "),)
    assert "word" not in repr(view.drafts)


def test_what_came_before_a_retry_is_void() -> None:
    held, view = Held(), View(seq=1)
    failure = Failure(kind="overloaded", message="busy", provider="acme")
    for event in (TextDelta(text="half"), RetryScheduled(attempt=2, delay=1.0, error=failure)):
        view = advance(view, event)
        held.make(view.changes)
    (note,) = held.blocks()
    assert isinstance(note, Notice)
    assert "trying again in 1 s" in note.text
    view = advance(view, TextDelta(text="whole"))
    assert view.changes[0] == Dropped(RETRY)
    held.make(view.changes)
    assert [block.text for block in held.blocks() if isinstance(block, Answer)] == ["whole"]


def test_a_prompt_in_line_gets_its_place_when_its_turn_begins() -> None:
    texts = [block.text for block in blocks_of(LONG) if isinstance(block, Prompt | Answer)]
    assert texts.index("say c") == texts.index("Done.") + 1


def test_a_withdrawn_prompt_is_not_shown() -> None:
    idle = numbered([PromptSubmitted(id="a", text="x"), PromptWithdrawn(id="a")])
    assert blocks_of(idle) == ()
    running = numbered(
        [TurnStarted(id="t", prompt="0", model="m"), PromptSubmitted(id="a", text="x"), PromptWithdrawn(id="a")]
    )
    assert [block.key for block in blocks_of(running)] == ["prompt:0"]


def test_a_steering_prompt_stands_where_it_was_given() -> None:
    steered = PromptSubmitted(id="s", text="the other file", delivery="steer")
    blocks = blocks_of(numbered(turn("a", reply(Text("one"), READ), *call(READ, *STATES), steered, reply(Text("two")))))
    assert [block.text for block in blocks if isinstance(block, Prompt | Answer)] == [
        "say a", "one", "the other file", "two",
    ]  # fmt: skip


def test_calls_of_different_messages_may_have_one_id() -> None:
    calls = [
        block
        for block in blocks_of(
            numbered(
                turn("a", reply(READ), *call(READ, *STATES, text="1"), reply(READ), *call(READ, *STATES, text="2"))
            )
        )
        if isinstance(block, Call)
    ]
    assert [call.result.text for call in calls if call.result] == ["1", "2"]


def test_a_call_says_why_it_was_asked_about_and_what_was_answered() -> None:
    (bash,) = (block for block in blocks_of(LONG) if isinstance(block, Call) and block.call.name == "Bash")
    assert (bash.why, bash.answer, bash.state) == ("it runs a command", "refused: not now", "cancelled")


def test_output_of_a_running_call_is_told_as_it_comes() -> None:
    view = View()
    for event in numbered(call(BASH, "validating", "scheduled", "executing")):
        view = advance(view, event)
    assert advance(view, ToolOutputDelta(call_id="c2", text="cc -c\n")).changes == (Grown("call:1", "cc -c\n"),)
    assert advance(view, ToolOutputDelta(call_id="c9", text="?")).changes == ()


def test_a_question_of_the_models_keeps_its_answer() -> None:
    events = numbered(
        [
            ApprovalRequested(id="q", call=READ, why="Which one?", kind="question", proposals=("this", "that")),
            ApprovalResolved(id="q", decision="once", comment="that"),
        ]
    )
    assert blocks_of(events[:1]) == (
        Question(key="question:q", seq=1, at=events[0].at, asked="Which one?", options=("this", "that")),
    )
    (answered,) = blocks_of(events)
    assert isinstance(answered, Question)
    assert answered.answer == "that"


def test_a_task_is_told_where_it_began_and_again_where_it_ended_unless_the_turn_waited_for_it() -> None:
    tasks = [(block.state, block.detail) for block in blocks_of(LONG) if isinstance(block, Job)]
    assert tasks == [("done", ""), ("done", "m · done"), ("done", "42 passed")]


def test_what_a_rewind_took_back_is_marked_and_stays() -> None:
    blocks = blocks_of(LONG)
    rewound = next(block for block in blocks if isinstance(block, Marker) and block.of == "rewound")
    assert {block.gone for block in blocks if 36 < block.seq < rewound.seq} == {True}
    assert not any(block.gone for block in blocks if block.seq <= 36 or block.seq >= rewound.seq)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (SessionStarted(version="1", cwd="/w", model="p/m", profile="coding"), "/w · p/m · coding"),
        (ModelSwitched(model="p/n", effort="low", reason="fallback"), "model: p/n, effort low (fallback)"),
        (ProfileSwapped(profile="assistant", changed={"memory": "none"}), "profile: assistant"),
        (ModeChanged(mode="yolo"), "mode: yolo"),
        (Compacted(upto=3, summary="s"), "what was said before is summed up for the model"),
        (FilesChanged(turn="t", checkpoint="c", files=FILES[:2]), "changed: a.py, .git"),
        (FilesChanged(turn="t", checkpoint="c", files=FILES), "4 files changed"),
        (FilesRestored(direction="undo", turns=("t",), files=FILES[:1]), "undone: a.py"),
        (Rewound(to=3), "rewound: the model no longer knows what came after this point"),
        (InstructionsFound(path="/w/AGENTS.md", text="be kind"), "instructions: /w/AGENTS.md"),
        (UnknownEvent(name="moon_phase", data={}), "an event of a newer version: moon_phase"),
    ],
)
def test_what_changes_from_here_on_is_one_line(event: AnyEvent, text: str) -> None:
    (block,) = blocks_of(numbered([event]))
    assert isinstance(block, Marker)
    assert block.text == text


def test_notices_todos_and_parts_without_a_word_are_shown() -> None:
    blocks = blocks_of(
        numbered(
            [
                NoticeGiven(level="warning", text="lost a line"),
                TodoChanged(items=(TodoItem("one", "done"), TodoItem("two"))),
                reply(Other("web_search", {}), Other("web_search", {}), Other("citation", {}), Text("so")),
            ]
        )
    )
    assert isinstance(blocks[0], Notice)
    assert isinstance(blocks[1], Todo)
    assert isinstance(blocks[2], Marker)
    assert blocks[2].text == "the provider also sent: web_search, citation"
    assert isinstance(blocks[3], Answer)


def test_a_command_that_a_person_typed_is_told_apart_and_costs_no_model() -> None:
    call = ToolCall(id="c", name="Bash", arguments={"command": "ls"})
    events = numbered(
        [
            SessionStarted(version="1", cwd="/w", model="acme/big"),
            PromptSubmitted(id="p", text="!ls", origin="shell"),
            TurnStarted(id="t", prompt="p", model="acme/big"),
            MessageCompleted(model=PERSON, content=(call,), stop="tool_calls", usage=Usage()),
            ToolCallChanged(call=call, state="validating"),
            ToolCallChanged(call=call, state="success", result=ToolResult(text="a")),
            TurnFinished(id="t", outcome="finished"),
        ]
    )
    blocks = blocks_of(events)
    assert [each.typed for each in blocks if isinstance(each, Call)] == [True]
    assert [each.model for each in blocks if isinstance(each, Footer)] == [""]
