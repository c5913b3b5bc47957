"""Where a request leaves the one before it."""

from __future__ import annotations

from protea.domain.events import Compacted, CompactionUndone, MessageCompleted, ModeChanged, ModelSwitched, Rewound
from protea.domain.messages import AssistantMessage, Message, Text, UserMessage
from protea.domain.prefix import PrefixGuard, broken_at
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolSpec
from protea.domain.usage import Usage

LONG = "x" * 8000


def talk(*texts: str) -> tuple[Message, ...]:
    return tuple(
        AssistantMessage((Text(text),)) if n % 2 else UserMessage((Text(text),)) for n, text in enumerate(texts)
    )


def request(*texts: str, system: tuple[str, ...] = ("You are.",), tools: tuple[ToolSpec, ...] = ()) -> ModelRequest:
    return ModelRequest(talk(*texts), system, tools)


def test_more_behind_the_same_beginning_breaks_nothing() -> None:
    assert broken_at("m", request("a"), "m", request("a", "b", "c")) is None
    assert broken_at("m", request("a"), "m", request("a")) is None


def test_it_is_told_where_and_what_is_no_news_is_counted() -> None:
    one = request("a", LONG, "c")
    found = broken_at("m", one, "m", request("a", LONG, "other", LONG, "new"))
    assert found is not None
    assert (found.where, found.tokens) == ("message 3", 2000)
    other = broken_at("m", one, "m", request("a", LONG, "c", "d", "e", system=("I am.",)))
    assert other is not None
    assert other.where == "the system prompt"
    assert other.tokens > 2000
    assert str(broken_at("m", one, "n", one)).startswith("Break(where='the model'")
    tool = ToolSpec("Look", "", {})
    assert str(broken_at("m", one, "m", request("a", LONG, "c", tools=(tool,)))).startswith("Break(where='the tools'")


def test_the_guard_names_the_event() -> None:
    guard = PrefixGuard()
    assert guard.look("m", request("a", LONG, "c")) is None
    guard.note(Compacted(upto=3, summary="s"))
    text = guard.look("m", request("s", LONG, "d"))
    assert text == "The cached beginning ends at message 1 (compacted): about 2,000 tokens are read anew."
    assert guard.look("m", request("s", LONG, "d", "e", "f")) is None
    guard.note(CompactionUndone(compacted=1))
    assert "message 1 (compaction undone)" in str(guard.look("m", request("a", LONG, "c", "d", "e", "f")))


def test_a_mode_that_changes_within_a_turn_is_named_when_the_next_one_shows_it() -> None:
    guard = PrefixGuard()
    guard.look("m", request("a", LONG, "c"))
    guard.note(ModeChanged(mode="normal"))
    assert guard.look("m", request("a", LONG, "c", "d", "e")) is None
    text = str(guard.look("m", request("a", LONG, "c", "d", "e", system=("I may.",))))
    assert text.startswith("The cached beginning ends at the system prompt (mode_changed to normal)")
    assert "nothing in the log" in str(guard.look("m", request("a", LONG, "c", "d", "e", system=("I can.",))))


def test_a_break_that_nothing_explains_is_told_as_such() -> None:
    guard = PrefixGuard()
    guard.look("m", request("a", LONG, "c"))
    assert "nothing in the log says why" in str(guard.look("m", request("b", LONG, "c")))


def test_going_back_costs_nothing() -> None:
    guard = PrefixGuard()
    guard.look("m", request("a", LONG, "c", LONG, "e"))
    guard.note(Rewound(to=1))
    assert guard.look("m", request("a", LONG, "other")) is None


def test_what_the_provider_said_it_read_is_the_price_of_another_model() -> None:
    guard = PrefixGuard()
    guard.look("m", request("a"))
    guard.note(MessageCompleted(model="m", content=(), stop="end_turn", usage=Usage(input=5300)))
    guard.note(ModelSwitched(model="b/n"))
    assert guard.look("n", request("a", "b", "c")) == (
        "The cached beginning ends at the model (model_switched to b/n): about 5,300 tokens are read anew."
    )
