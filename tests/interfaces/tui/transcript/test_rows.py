"""Whatever is written, what is drawn are printable cells, and no more than there is room for."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protea.domain.blocks import Answer, AnyBlock, Call, Footer, Job, Marker, Notice, Prompt, Question, Thought, Todo
from protea.domain.diff import unified
from protea.domain.errors import Failure
from protea.domain.messages import Image, ToolCall
from protea.domain.tools import TodoItem, ToolResult
from protea.domain.usage import Usage
from protea.interfaces.tui.transcript.cells import breaks, clean, cut, flat, width_of
from protea.interfaces.tui.transcript.draw import block_rows
from protea.interfaces.tui.transcript.entries import Entry
from protea.interfaces.tui.transcript.markdown import Document, document_of
from protea.interfaces.tui.transcript.prose import MEASURE

NASTY = [
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x9b2J", "\x07", "\x00", "\r", "\x7f", "\x85", "\u2028", "\u202eabc\u202c", "\u200b", "\ufeff",
    "\ud800", "e\u0301", "漢字かな", "👩‍👩‍👧", "👍🏽", "🇩🇪", "❤️", "שלום עולם", "مرحبا", "हिन्दी", "ไทย",
    "한국어", "\t", "ﬁ", "\U000e0041", "a" * 90, "。", "\uff09", "\x08", "\x1b", "\x1bP", " ",
]  # fmt: skip
MARKUP = [
    "# ", "## ", "- ", "  - ", "1. ", "> ", "```py\n", "```\n", "~~~\n", "| a | b |\n",
    "|---|:-:|\n", "**", "*", "_", "`", "$x_1$", "$$\n", "\\[", "\\]", "[l](http://x.y/z)",
    "![p](file:///x)", "[r]: http://x\n", "[r]", "---\n", "===\n", "\n", "\n\n", "    ", "<b>",
    "https://a.b/c?d=e.", "\\", "&amp;", "~~", "word ", "  \n", "10) ", "* ",
]  # fmt: skip

texts = st.lists(st.sampled_from([*NASTY, *MARKUP]) | st.text(max_size=12), max_size=16).map("".join)
widths = st.integers(8, 200)


SIGNS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u200c\U000110bd\U000110cd")
"""Of format characters, those that are seen, and the one Persian is not read without."""


def looks_harmless(text: str) -> bool:
    return all(
        category(character) not in ("Cc", "Cs", "Cf", "Zl", "Zp") or character in SIGNS
        for character in text
        if not character.isprintable()
    )


def all_kinds(text: str) -> list[AnyBlock]:
    call = ToolCall(id="c", name=text[:20] or "Bash", arguments={"command": text})
    diff = unified(text, text[::-1], "a/b.py")
    return [
        Prompt(key="k", text=text, images=(Image("image/png", "AAAA"),), steer=True),
        Answer(key="k", text=text),
        Thought(key="k", text=text),
        Thought(key="k", text=text, open=True),
        Call(key="k", call=call, state="executing"),
        Call(key="k", call=call, state="awaiting_approval", why=text),
        Call(key="k", call=call, state="success", result=ToolResult(text=text, diff=diff, file=text)),
        Call(key="k", call=call, state="error", result=ToolResult(text=text, is_error=True, denied=text), answer=text),
        Question(key="k", asked=text, options=(text, ""), plan=text, answer=text),
        Todo(key="k", items=(TodoItem(text), TodoItem(text, "done"), TodoItem(text, "in_progress"))),
        Job(key="k", title=text, state="done", detail=text),
        Notice(key="k", level="warning", text=text),
        Marker(key="k", of="compacted", text=text, detail=text),
        Footer(key="k", outcome="error", error=Failure(kind="other", message=text), model=text, usage=Usage(1, 1)),
    ]


@settings(max_examples=120, deadline=None)
@given(texts, widths)
def test_nothing_but_printable_cells_and_never_too_many(text: str, width: int) -> None:
    for block in all_kinds(text):
        for fold in (None, False, True):
            for row in block_rows(block, width, fold, output=text):
                assert row.width <= width, (type(block), row.drawn)
                assert looks_harmless(row.drawn), (type(block), row.drawn)
                assert 0 <= row.lead <= max(len(row.drawn), row.lead)
                assert all(re.fullmatch(r"|(?:https?|mailto|file|ftp):[\x21-\x7e]+", span[2]) for span in row.spans)
                assert row.tail is None or looks_harmless(row.tail[0])


@settings(max_examples=300, deadline=None)
@given(texts.map(flat), st.integers(2, 40), st.integers(2, 40))
def test_a_broken_line_is_the_line(text: str, first: int, width: int) -> None:
    pieces = breaks(text, first, width)
    assert "".join(joint + text[begin:end] for begin, end, joint in pieces) == text
    assert pieces[0][2] == ""
    for number, (begin, end, _) in enumerate(pieces):
        assert width_of(text[begin:end]) <= (width if number else first)
    assert all(before[1] + len(after[2]) == after[0] for before, after in pairwise(pieces))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("the quick brown fox", 10, ["the quick", "brown fox"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("漢字かな混じり", 6, ["漢字か", "な混じ", "り"]),
        ("これは。はい", 6, ["これ", "は。は", "い"]),
        ("in a 漢字 text", 7, ["in a 漢", "字 text"]),
        ("e\u0301e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301e\u0301"]),
    ],
)
def test_lines_are_broken_between_words_and_between_wide_characters(text: str, width: int, lines: list[str]) -> None:
    assert [text[begin:end] for begin, end, _ in breaks(text, width, width)] == lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb\x1b[0m", "ab"),
        ("\x1b]0;evil\x07x", "x"),
        ("50%\r100%", "100%"),
        ("a\x00b", "a\\x00b"),
        ("rm\u202ecod.exe", "rm<U+202E>cod.exe"),
        ("👩‍👩‍👧", "👩👩👧"),
        ("👍🏽", "👍"),
        ("a\tb", "a   b"),
        ("שלום abc", "שלום abc"),
        ("one\u2028two", "one two"),
        ("a" + "\u0301\u0489" * 5000 + "b", "a" + "\u0301\u0489" * 4 + "b"),
    ],
)
def test_what_is_shown_of_what_was_written(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"{'  ' * level}- step" for level in range(40)),
        *(mark * depth + "step" for mark in ("- ", "> ", "1. ", "> - ", "* 1. ") for depth in (5, 12, 30, 1000)),
    ],
)
def test_nothing_is_left_out_however_deep_it_is_nested(text: str) -> None:
    shown = " ".join(row.drawn for row in block_rows(Answer(key="k", text=f"{text}\n\nbehind"), 8000, None))
    assert shown.count("step") == text.count("step")
    assert shown.endswith("behind")


def test_prose_is_no_wider_than_is_read_well_and_code_and_tables_take_all_there_is() -> None:
    words, cells = "word " * 200, "cell " * 50
    text = f"{words}\n\n- {words}\n\n```\n{words}\n```\n\n| {cells} | {cells} |\n|---|---|\n| a | b |"
    rows = [row.drawn for row in block_rows(Answer(key="k", text=text), 300, None)]
    assert max(width_of(row) for row in rows if row.startswith("  word")) in range(110, MEASURE + 1)
    assert max(width_of(row) for row in rows if row.startswith(("  • word", "    word"))) in range(110, MEASURE + 1)
    assert max(width_of(row) for row in rows if row.startswith("   word")) > 290
    assert max(width_of(row) for row in rows if " │ " in row) > 290


def test_what_is_cut_says_so_and_keeps_both_ends_where_that_tells_more() -> None:
    assert cut("src/protea/interfaces/tui/transcript/cells.py", 20, keep_end=True) == "src/protea/i…ells.py"
    assert cut("漢字漢字", 5) == "漢字…"
    assert cut("abc", 3) == "abc"


# ── streamed ───────────────────────────────────────────────────────────────────────────────────────────────────────


def units(document: Document) -> list[Any]:
    return [
        (unit.kind, unit.source, unit.spaced, unit.info, unit.code, unit.number, [str(token) for token in unit.tokens])
        for unit in document.closed
    ]


def pieces_of(text: str, sizes: list[int]) -> list[str]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return [*pieces, text[at:]]


@settings(max_examples=400, deadline=None)
@given(texts, st.lists(st.integers(1, 9), max_size=40))
def test_text_in_any_pieces_gives_the_units_of_the_whole(text: str, sizes: list[int]) -> None:
    document = Document()
    for piece in pieces_of(text, sizes):
        document.feed(piece)
        document.open_units()
    document.end()
    assert units(document) == units(document_of(text))


@settings(max_examples=250, deadline=None)
@given(texts, st.lists(st.integers(1, 9), max_size=40), st.integers(8, 120), st.integers(1, 4))
def test_an_answer_in_any_pieces_looks_like_the_whole(text: str, sizes: list[int], width: int, every: int) -> None:
    whole = Entry(Answer(key="k", text=text))
    coming = Entry(Answer(key="d", text="", open=True))
    for number, piece in enumerate(pieces_of(text, sizes)):
        coming.grow(piece)
        if number % every == 0:
            rows = coming.rows(width)
            assert all(row.width <= width and looks_harmless(row.drawn) for row in rows)
            assert coming.height == coming.gap + len(rows)
    coming.put(Answer(key="k", text=text))
    assert [(row.spans, row.lead, row.joint) for row in coming.rows(width)] == [
        (row.spans, row.lead, row.joint) for row in whole.rows(width)
    ]


def test_a_closed_paragraph_is_never_parsed_again() -> None:
    document = Document()
    document.feed("one\n\ntwo\n\nthr")
    document.open_units()
    first = document.closed[0]
    document.feed("ee\n\nfour\n")
    document.open_units()
    assert document.closed[0] is first
    assert [unit.source.strip() for unit in document.closed] == ["one", "two", "three"]


def test_the_rows_of_closed_pieces_stand_while_more_comes() -> None:
    entry = Entry(Answer(key="k", text="", open=True))
    entry.grow("# A head\n\nA paragraph that is long enough to be broken.\n\n- an item\n")
    entry.grow("- another\n")
    before = list(entry.rows(30))
    entry.grow("- a third\n\nAnd so")
    after = entry.rows(30)
    assert all(a is b for a, b in zip(before[:5], after[:5], strict=True))


def test_only_new_lines_of_a_long_block_of_code_are_laid_out() -> None:
    entry = Entry(Answer(key="k", text="", open=True))
    entry.grow("```py\n" + "x = 1\n" * 50 + "y")
    before = list(entry.rows(40))
    entry.grow(" = 2\nz")
    after = entry.rows(40)
    assert all(a is b for a, b in zip(before[:50], after[:50], strict=True))
    assert [row.text.strip() for row in after[50:]] == ["y = 2", "z"]


def test_what_came_out_of_a_command_one_typed_is_seen_without_opening_it() -> None:
    result = ToolResult(text="\n".join(f"file {n}" for n in range(100)))
    call = ToolCall(id="c", name="Bash", arguments={"command": "ls"})
    typed = [
        row.text for row in block_rows(Call(key="k", call=call, state="success", result=result, typed=True), 80, None)
    ]
    models = [row.text for row in block_rows(Call(key="k", call=call, state="success", result=result), 80, None)]
    assert any("file 39" in text for text in typed)
    assert "… 60 more lines" in typed[-1]
    assert len(models) == 1
