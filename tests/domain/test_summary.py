from __future__ import annotations

from protea.domain.events import ApprovalRequested, ApprovalResolved, LastingEvent, ModelSwitched, TitleChanged
from protea.domain.messages import ToolCall
from protea.domain.summary import TITLE_LENGTH, advance, begin, title_of
from protea.testing.contracts.session_store import conversation


def after(events: list[LastingEvent]) -> str:
    summary = begin("s1")
    for event in events:
        summary = advance(summary, event)
    return summary.state


def test_the_state_is_what_the_log_says_last() -> None:
    events = conversation("s1")
    question = ApprovalRequested(id="a_1", call=ToolCall("c1", "Bash", {}), why="it writes", seq=4)
    answer = ApprovalResolved(id="a_1", decision="once", seq=5)
    assert after(events[:2]) == "idle"
    assert after(events[:3]) == "running"
    assert after([*events[:3], question]) == "waiting"
    assert after([*events[:3], question, answer]) == "running"
    assert after(events) == "idle"


def test_a_title_that_was_given_beats_the_first_prompt() -> None:
    summary = begin("s1")
    for event in [*conversation("s1"), TitleChanged(title="Stars", seq=8), ModelSwitched(model="b/c", seq=9)]:
        summary = advance(summary, event)
    assert (summary.title, summary.model, summary.events) == ("Stars", "b/c", 9)


def test_a_title_is_the_first_words_on_one_line() -> None:
    assert title_of("  Count\n\tthe stars ") == "Count the stars"
    long = title_of("star " * 1000)
    assert long.endswith("star …")
    assert len(long) <= TITLE_LENGTH + 2
    assert title_of("x" * 1000) == "x" * TITLE_LENGTH + " …"
