"""Looking back into a session."""

from __future__ import annotations

from protea.domain.events import Compacted, LastingEvent, MessageCompleted, PromptSubmitted, ToolCallChanged
from protea.domain.looking_back import by_id, places
from protea.domain.messages import Text, ToolCall
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage

READ = ToolCall(id="c1", name="Read", arguments={"path": "a.py"})
LOG: tuple[LastingEvent, ...] = (
    PromptSubmitted(seq=1, id="p", text="Where is the Parser tested?"),
    ToolCallChanged(seq=2, call=READ, state="executing"),
    ToolCallChanged(seq=3, call=READ, state="success", result=ToolResult("x" * 1000 + " parser " + "y" * 1000)),
    MessageCompleted(seq=4, model="m", content=(Text("In tests/parser.py."),), stop="end_turn", usage=Usage()),
    Compacted(seq=5, upto=4, summary="The parser is tested."),
    ToolCallChanged(seq=6, call=READ, state="success", result=ToolResult("again")),
)


def test_places_are_found_by_all_their_words_whatever_the_case() -> None:
    assert [(each.seq, each.what) for each in places(LOG, "PARSER")] == [
        (1, "prompt"),
        (3, "Read a.py (id c1)"),
        (4, "answer"),
        (5, "summary"),
    ]
    assert [each.seq for each in places(LOG, "tested parser")] == [1, 5]
    assert list(places(LOG, "nowhere")) == []
    assert list(places(LOG, "  ")) == []


def test_of_a_long_text_what_lies_around_is_shown() -> None:
    (found,) = (each for each in places(LOG, "parser") if each.seq == 3)
    assert found.text.startswith("…")
    assert found.text.endswith("…")
    assert "parser" in found.text
    assert len(found.text) < 700


def test_a_call_is_found_whole_by_its_id_the_latest_of_that_id() -> None:
    found = by_id(LOG, "c1")
    assert found is not None
    assert (found.seq, found.text) == (6, "again")
    assert by_id(LOG, "c2") is None
