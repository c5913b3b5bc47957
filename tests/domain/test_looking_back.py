"""Looking back into a session."""

from __future__ import annotations

from protea.domain.compaction import summed_up, survivors
from protea.domain.events import Compacted, LastingEvent, MessageCompleted, PromptSubmitted, ToolCallChanged
from protea.domain.looking_back import by_id, by_number, places
from protea.domain.messages import Image, Text, ToolCall
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


def test_of_a_long_text_is_shown_where_the_words_stand_together_not_where_the_first_of_them_does() -> None:
    listing = "part-7: compiling\n" + "load, store, return of it\n" * 100
    text = f"{listing}digest of part-6 is 1.\n{listing}digest of part-7 is 2.\n{listing}"
    log = (ToolCallChanged(seq=1, call=READ, state="success", result=ToolResult(text)),)
    (found,) = places(log, "digest of part-7")
    assert "digest of part-7 is 2." in found.text
    (found,) = places(log, "DIGEST compiling part-6")
    assert "digest of part-6 is 1.\npart-7: compiling" in found.text
    (found,) = places(log, "a.py part-6")  # one of them in what it was given, far from the other
    assert "part-6" in found.text or "a.py" in found.text
    many = (PromptSubmitted(seq=1, id="p", text="x " * 100_000 + "xy"),)
    assert len(next(places(many, "x xy")).text) < 700


def test_what_survived_in_a_summary_word_for_word_is_found_where_it_was_said_and_not_as_news() -> None:
    prompts = ("The limit is 3.", "No: the limit is 4.")
    summary = summed_up(survivors(prompts, (), (), longest=2_000), "The limit was found, and a tin.")
    log = (
        *(PromptSubmitted(seq=at, id=f"p{at}", text=text) for at, text in enumerate(prompts, start=1)),
        Compacted(seq=3, upto=2, summary=summary),
        Compacted(seq=4, upto=2, summary="A person says that the limit is 5.", strategy="edited by a person"),
    )
    assert [(each.seq, each.what) for each in places(log, "limit is")] == [
        (1, "prompt"),
        (2, "prompt"),
        (4, "summary"),
    ]
    assert [each.text for each in places(log, "tin")] == ["The limit was found, and a tin."]
    whole = by_number(log, "[3]")
    assert whole is not None
    assert whole.text == summary


def test_a_call_is_found_whole_by_its_id_the_latest_of_that_id() -> None:
    found = by_id(LOG, "c1")
    assert found is not None
    assert (found.seq, found.text) == (6, "again")
    assert by_id(LOG, "c2") is None


def test_any_place_is_given_whole_by_the_number_it_is_shown_with() -> None:
    assert [(each and each.text) for each in (by_number(LOG, "[1]"), by_number(LOG, "[4]"), by_number(LOG, "[5]"))] == [
        "Where is the Parser tested?",
        "In tests/parser.py.",
        "The parser is tested.",
    ]
    long = by_number(LOG, "[3]")
    assert long is not None
    assert len(long.text) > 2000
    assert [by_number(LOG, wanted) for wanted in ("[2]", "[99]", "3", "[x]", "[]", "[1] [2]")] == [None] * 6


def test_images_come_back_with_what_they_were_in() -> None:
    picture = Image("image/png", "aGVsbG8=")
    log: tuple[LastingEvent, ...] = (
        PromptSubmitted(seq=1, id="p", text="Look", images=(picture,)),
        ToolCallChanged(seq=2, call=READ, state="success", result=ToolResult("", images=(picture,))),
    )
    for found in (by_number(log, "[1]"), by_number(log, "[2]"), by_id(log, "c1")):
        assert found is not None
        assert found.images == (picture,)


def test_letters_are_the_same_however_they_are_written_and_the_place_is_the_right_one() -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    log: tuple[LastingEvent, ...] = tuple(
        PromptSubmitted(seq=seq, id="p", text=text)
        for seq, text in enumerate((composed, apart, "ß" * 5000 + " der Straßenname " + "ß" * 5000, "数据库的端口"), 1)
    )
    assert [each.seq for each in places(log, composed)] == [each.seq for each in places(log, apart)] == [1, 2]
    (found,) = places(log, "STRASSENNAME")
    assert "der Straßenname" in found.text
    assert [each.seq for each in places(log, "端口 数据库")] == [4]


def test_what_was_found_before_is_not_found_once_more() -> None:
    call = ToolCall(id="c9", name="Recall", arguments={"query": "heliotrope"})
    log = (*LOG, ToolCallChanged(seq=7, call=call, state="success", result=ToolResult("heliotrope")))
    assert list(places(log, "heliotrope")) == []


def test_what_a_call_was_given_is_found_all_of_it() -> None:
    call = ToolCall(id="c9", name="Write", arguments={"path": "a", "content": "heliotrope", "more": [{"x": "begonia"}]})
    log = (*LOG, ToolCallChanged(seq=7, call=call, state="success", result=ToolResult("Written.")))
    assert [each.seq for each in places(log, "heliotrope begonia")] == [7]
    odd = ToolCall(id="c8", name="Write", arguments_text="{ no JSON")
    assert list(places((ToolCallChanged(seq=1, call=odd, state="error", result=ToolResult("no")),), "JSON")) == []
