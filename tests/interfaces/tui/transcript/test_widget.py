"""The transcript on a screen: moving, following, searching, taking, folding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from protea.domain.diff import unified
from protea.domain.events import LastingEvent, TextDelta, ThinkingDelta, ToolOutputDelta
from protea.domain.messages import ToolCall
from protea.interfaces.tui.keys import Keys, keymap
from protea.interfaces.tui.themes import THEMES, Look
from protea.interfaces.tui.transcript import reading, viewport
from protea.interfaces.tui.transcript.colouring import uncoloured
from protea.interfaces.tui.transcript.widget import Transcript
from tests.counting import counted
from tests.interfaces.tui.keyboard import press, taken_in
from tests.interfaces.tui.transcript.log_of import begun, conversation, numbered, ran, says, turn

READ = ToolCall(id="r", name="Read", arguments={"path": "src/app.py"})
BASH = ToolCall(id="b", name="Bash", arguments={"command": "make test"})


class Screen(App[None]):
    """A transcript alone, with the keys it has in the application."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, older: Any = None) -> None:
        super().__init__()
        look = Look(THEMES["dusk"])
        self.transcript = Transcript(lambda: look, older=older)
        self.keys = Keys(keymap("default").table)
        self.copied: list[str] = []
        self.opened: list[str] = []
        self.actions: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.transcript

    async def on_event(self, event: events.Event) -> None:
        if not isinstance(event, events.Key):
            await super().on_event(event)
        elif not self.transcript.take_key(event):
            character = event.character if event.is_printable and event.character != " " else None
            if action := self.keys.press(character or event.key, ["transcript", "global"]):
                self.actions.append(action)
                self.transcript.act(action)

    def on_transcript_copied(self, message: Transcript.Copied) -> None:
        self.copied.append(message.text)

    def on_transcript_open_wanted(self, message: Transcript.OpenWanted) -> None:
        self.opened.append(message.target)

    @property
    def rows(self) -> list[str]:
        height = self.transcript.size.height
        strips = [self.transcript.render_line(y) for y in range(height)]
        assert all(strip.cell_length == self.transcript.size.width for strip in strips)
        return [strip.text.rstrip(" ▐") for strip in strips]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)


@asynccontextmanager
async def shown(
    log: Sequence[LastingEvent], size: tuple[int, int] = (80, 20), older: Any = None
) -> AsyncIterator[tuple[Screen, Pilot[None]]]:
    app = Screen(older)
    async with app.run_test(size=size) as pilot:
        app.transcript.load(log)
        app.transcript.active = True
        await taken_in(pilot)
        yield app, pilot


async def until(condition: Callable[[], bool]) -> None:
    """Let the app go on until something is so, for half a minute at most."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # what is waited for is what a screen shows: nothing tells of it
            await asyncio.sleep(0.01)


# ── following ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_shows_its_end_first() -> None:
    async with shown(conversation(50)) as (app, _):
        assert "Answer 50: it is so, and that is why." in app.text
        assert "Answer 1:" not in app.text
        assert app.rows[-1].startswith("  acme/big · 1.2k in · 34 out")


async def test_a_short_conversation_begins_at_the_top() -> None:
    async with shown(conversation(1)) as (app, _):
        assert app.rows[0].startswith("── /srv/app · acme/big")
        assert app.rows[2] == "> prompt 1"
        assert app.rows[-1] == ""


async def test_what_streams_in_is_followed_at_the_end() -> None:
    log = conversation(10)
    async with shown(log) as (app, _):
        for event in numbered(turn("x")[:2], len(log) + 1):
            app.transcript.advance(event)
        for number in range(40):
            app.transcript.advance(TextDelta(text=f"Line {number}.\n\n"))
        await until(lambda: "Line 39." in app.text)
        assert app.transcript.view.follow


async def test_the_view_never_moves_while_one_reads_further_up() -> None:
    log = conversation(50)
    async with shown(log) as (app, pilot):
        await press(pilot, "ctrl+u", "ctrl+u", "ctrl+u")
        before = app.rows[:-1]
        for event in numbered(turn("x")[:2], len(log) + 1):
            app.transcript.advance(event)
        for number in range(60):
            app.transcript.advance(TextDelta(text=f"Line {number}.\n\n"))
        await until(lambda: "new below" in app.rows[-1])
        assert app.rows[:-1] == before
        await press(pilot, "G")
        assert "Line 59." in app.text
        assert "new below" not in app.text


async def test_it_stays_where_it_is_when_something_above_turns_out_higher() -> None:
    long = "A paragraph that fills more than one line of the screen, so that no guess is right. " * 6
    async with shown(conversation(60, long + "{n}")) as (app, pilot):
        for _ in range(40):
            before = app.rows
            await press(pilot, "ctrl+y")  # bound to nothing
            app.transcript.scroll_rows(-3)
            assert app.rows[3:] == before[:-3]


async def test_a_page_skips_nothing_and_keeps_two_rows_of_the_last_one() -> None:
    async with shown(conversation(80)) as (app, pilot):
        for key, kept, come in (("pageup", slice(2), slice(-2, None)), ("pagedown", slice(-2, None), slice(2))):
            for _ in range(8):
                before = app.rows
                await press(pilot, key)
                assert app.rows[come] == before[kept]


async def test_a_page_goes_on_from_what_is_seen_wherever_the_cursor_is() -> None:
    async with shown(conversation(80)) as (app, pilot):
        await press(pilot, "pageup")
        app.transcript.scroll_rows(-100)
        before = app.rows
        await press(pilot, "pageup")
        assert app.rows[-2:] == before[:2]


async def test_a_page_is_laid_out_and_painted_once() -> None:
    async with shown(conversation(80)) as (app, pilot):
        await press(pilot, "pageup")
        for key in ("pageup", "pageup", "pagedown", "ctrl+d"):
            with counted() as calls:
                await press(pilot, key)
            assert calls["Viewport.lay"] == 1
            assert calls["Painted.paint"] == 1
            assert calls["Transcript.render_line"] <= app.transcript.size.height


async def test_more_of_the_log_is_read_when_it_is_wanted() -> None:
    log = conversation(400)
    asked: list[int] = []

    async def older(before: int) -> Sequence[LastingEvent]:
        asked.append(before)
        return log[max(0, before - 1 - 200) : before - 1]

    async with shown(log[-100:], older=older) as (app, pilot):
        assert asked == []
        for _ in range(12):
            await press(pilot, "pageup")
        await until(lambda: bool(asked))
        await taken_in(pilot)
        assert asked[0] == len(log) - 99
        await press(pilot, "g", "g")
        await until(lambda: app.rows[0].startswith("── /srv/app"))
        assert app.transcript.blocks == 1 + 3 * 400


async def test_a_place_read_further_back_does_not_move_what_is_seen() -> None:
    log = conversation(100)
    ready = asyncio.Event()

    async def older(before: int) -> Sequence[LastingEvent]:
        await ready.wait()
        return log[: before - 1]

    async with shown(log[200:], older=older) as (app, pilot):
        for _ in range(60):
            app.transcript.scroll_rows(-10)
        before = app.rows
        ready.set()
        await until(lambda: app.transcript.blocks > 290)
        await taken_in(pilot)
        assert app.rows == before
        app.transcript.scroll_rows(-2)
        assert app.rows[2:] == before[:-2]


async def test_another_width_is_laid_out_once_and_no_text_is_read_again() -> None:
    async with shown(conversation(80)) as (app, pilot):
        with counted() as calls:
            await pilot.resize_terminal(60, 20)
            await until(lambda: app.transcript.view.size[0] == 60)
            await taken_in(pilot)
        assert calls["Viewport.lay"] == 1
        assert calls["Entry._answer"] > 0
        assert calls["MarkdownIt.parse"] == 0


async def test_another_width_keeps_what_is_read_in_sight() -> None:
    words = " ".join(f"word{number}" for number in range(900))
    async with shown(conversation(3, words)) as (app, pilot):
        app.transcript.scroll_rows(-60)
        read = first_number(app)
        for width in (40, 120, 80):
            await pilot.resize_terminal(width, 20)
            await until(lambda width=width: app.transcript.view.size[0] == width)
            assert abs(first_number(app) - read) < 30  # about two rows of the widest


def first_number(app: Screen) -> int:
    return int(app.rows[0].split()[0].removeprefix("word"))


async def test_memory_stays_the_same_however_long_a_session_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 300)
    monkeypatch.setattr(viewport, "KEPT", 20)
    log = conversation(700)

    async def older(before: int) -> Sequence[LastingEvent]:
        return log[max(0, before - 1 - 100) : before - 1]

    async with shown(log[:40], older=older) as (app, pilot):
        for event in log[40:]:
            app.transcript.advance(event)
            if (event.seq or 0) % 50 == 0:
                await taken_in(pilot)
        await until(lambda: "Answer 700" in app.text)
        assert app.transcript.blocks <= 310
        await press(pilot, "g", "g")
        await until(lambda: app.rows[0].startswith("── /srv/app"))
        assert app.transcript.blocks == 1 + 3 * 700
        assert [block.block.seq for block in app.transcript.view.entries.all] == sorted(
            block.block.seq for block in app.transcript.view.entries.all
        )


@pytest.mark.parametrize("size", [(40, 12), (60, 30), (120, 40), (200, 60), (20, 9)])
async def test_it_fits_any_size(size: tuple[int, int]) -> None:
    diff = unified("a\nb\nc\n", "a\nB 漢字\nc\n", "a.py")
    log = numbered(
        [*begun(), *turn("1", says("# 漢字\n\n- *a*\n\n| a | b |\n|---|---|\n| 1 | 2 |", READ), *ran(READ, "x", diff))]
    )
    async with shown(log, size) as (app, pilot):
        assert "Read" in app.text
        await pilot.resize_terminal(max(20, size[0] // 2), size[1])
        await taken_in(pilot)
        assert "Read" in app.text
        assert len(app.rows) == size[1]


# ── searching ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_search_goes_back_from_here_and_n_and_N_go_on() -> None:
    async with shown(conversation(80)) as (app, pilot):
        await press(pilot, "slash", *"answer 3", "enter")
        await until(lambda: "Answer 39" in app.text)
        await press(pilot, "n")
        await until(lambda: "Answer 38" in app.text)
        here = app.transcript.searching.here
        await press(pilot, "N")
        await until(lambda: app.transcript.searching.here != here)
        await press(pilot, "slash")
        assert app.rows[-1].startswith("/")
        await press(pilot, "escape")
        assert not app.rows[-1].startswith("/")


async def test_a_search_finds_across_marks_and_broken_lines_and_in_what_is_folded() -> None:
    log = numbered(
        [
            *begun(),
            *turn(
                "1",
                says("They say **it is** *the end* of " + "a very long line " * 8, BASH),
                *ran(BASH, "12 passed\nneedle in hay"),
            ),
            *turn("2", says("Nothing here.")),
        ]
    )
    async with shown(log, (40, 20)) as (app, pilot):
        await press(pilot, "slash", *"needle", "enter")
        await until(lambda: "needle in hay" in app.text)
        app.transcript.search("it is the end of a very")
        await until(lambda: app.transcript.searching.here is not None and app.transcript.searching.here[0] == 2)


async def test_a_search_reads_on_in_the_log() -> None:
    log = conversation(300)

    async def older(before: int) -> Sequence[LastingEvent]:
        return log[max(0, before - 1 - 100) : before - 1]

    async with shown(log[-80:], older=older) as (app, pilot):
        await press(pilot, "slash", *"Answer 7:", "enter")
        await until(lambda: "Answer 7:" in app.text)


# ── taking ─────────────────────────────────────────────────────────────────────────────────────────────────────────

PROSE = (
    "## A head\n\nSome **bold** words, so many of them that the line has to be broken somewhere.\n\n"
    "- one\n- two\n\n```py\nx = 1\n```\n\nThe end."
)


async def test_a_whole_answer_is_taken_as_it_was_written() -> None:
    async with shown(numbered([*begun(), *turn("1", says(PROSE))]), (50, 30)) as (app, pilot):
        await press(pilot, "K", "y")
        await taken_in(pilot)
        assert app.copied == [PROSE]


async def test_rows_are_taken_without_padding_and_with_broken_lines_joined() -> None:
    async with shown(numbered([*begun(), *turn("1", says(PROSE))]), (50, 30)) as (app, pilot):
        begin = next(y for y, row in enumerate(app.rows) if "Some bold" in row)
        await pilot.mouse_down(offset=(7, begin))
        await pilot.hover(offset=(40, begin + 1))
        await pilot.mouse_up(offset=(40, begin + 1))
        await taken_in(pilot)
        assert app.copied == ["bold words, so many of them that the line has to be broken somewhere."]


async def test_visual_mode_takes_rows_and_pieces_of_an_answer_as_markdown() -> None:
    async with shown(numbered([*begun(), *turn("1", says(PROSE))]), (50, 30)) as (app, pilot):
        await press(pilot, "K", *"jj", "V", *"jjj", "y")
        await taken_in(pilot)
        assert app.copied == ["Some **bold** words, so many of them that the line has to be broken somewhere.\n\n- one"]
        await press(pilot, "K", *"wwvlll", "y")
        await taken_in(pilot)
        assert app.copied[1:] == ["head"]


async def test_only_code_is_taken_of_a_block_of_code() -> None:
    async with shown(numbered([*begun(), *turn("1", says(PROSE))]), (50, 30)) as (app, pilot):
        code = next(y for y, row in enumerate(app.rows) if "x = 1" in row)
        await pilot.click(offset=(4, code))
        await press(pilot, "V", "y")
        await taken_in(pilot)
        assert app.copied == ["x = 1"]


# ── folding ────────────────────────────────────────────────────────────────────────────────────────────────────────


def worked() -> list[LastingEvent]:
    output = "\n".join(f"line {n}" for n in range(1, 13))
    return numbered(
        [
            *begun(),
            *turn("1", says("Look.", BASH, thinking="First this.\n\nThen that."), *ran(BASH, output), says("So.")),
        ]
    )


async def test_a_call_is_one_line_until_it_is_opened() -> None:
    async with shown(worked(), (60, 40)) as (app, pilot):
        line = next(y for y, row in enumerate(app.rows) if row.startswith("● Bash make test"))
        assert app.rows[line] == "● Bash make test  12 lines"
        assert "line 7" not in app.text
        await pilot.click(offset=(4, line))
        assert "line 7" in app.text
        assert app.rows[line].startswith("● Bash make test")
        await press(pilot, "enter")
        assert "line 7" not in app.text


async def test_everything_is_opened_and_shut_at_once() -> None:
    async with shown(worked(), (60, 40)) as (app, pilot):
        assert "Then that." not in app.text
        await press(pilot, "z", "R")
        assert "Then that." in app.text
        assert "line 12" in app.text
        await press(pilot, "z", "M")
        assert "line 12" not in app.text
        await press(pilot, "ctrl+o")
        assert "line 12" in app.text
        await press(pilot, "ctrl+o")
        assert "line 12" not in app.text


async def test_a_running_call_shows_the_end_of_what_it_says() -> None:
    log = numbered([*begun(), *turn("1", says("Look.", BASH), *ran(BASH, "all"))[:-2]])
    async with shown(log, (60, 30)) as (app, _):
        for number in range(50):
            app.transcript.advance(ToolOutputDelta(call_id="b", text=f"step {number}\n"))
        await until(lambda: "step 49" in app.text)
        assert "step 44" in app.text
        assert "step 40" not in app.text


async def test_thinking_shows_its_end_while_it_comes_and_one_line_after() -> None:
    log = conversation(1)
    async with shown(log, (60, 30)) as (app, _):
        for event in numbered(turn("x")[:2], len(log) + 1):
            app.transcript.advance(event)
        for number in range(30):
            app.transcript.advance(ThinkingDelta(text=f"thought {number}\n"))
        await until(lambda: "thought 29" in app.text)
        assert "thought 20" not in app.text
        for event in numbered([says("Well.", thinking="thought 0\nthought 1")], len(log) + 3):
            app.transcript.advance(event)
        await until(lambda: "Well." in app.text)
        assert "▸ thought: thought 0 · 4 words" in app.text


# ── leaving and opening ────────────────────────────────────────────────────────────────────────────────────────────


async def test_i_goes_back_to_the_composer_and_o_opens_what_a_block_is_about() -> None:
    log = numbered([*begun(), *turn("1", says("See https://example.com/a for more.", READ), *ran(READ, "text"))])
    async with shown(log, (60, 30)) as (app, pilot):
        call = next(y for y, row in enumerate(app.rows) if row.startswith("● Read"))
        await pilot.click(offset=(4, call))
        await press(pilot, "o")
        link = next(y for y, row in enumerate(app.rows) if "example.com" in row)
        await pilot.click(offset=(10, link))
        await press(pilot, "i")
        await taken_in(pilot)
        assert app.opened == ["/srv/app/src/app.py", "https://example.com/a"]
        assert app.actions[-1] == "focus.composer"


async def test_code_is_coloured_once_it_is_seen_and_not_before() -> None:
    log = numbered([*begun(), *turn("1", says("```python\ndef f():\n    return 1\n```"))])
    async with shown(log, (60, 30)) as (app, _):
        before = app.text
        await until(lambda: app.transcript._colouring is not None and uncoloured(app.transcript.view) is None)
        assert app.text == before
        code = next(strip for strip in map(app.transcript.render_line, range(30)) if "def f" in strip.text)
        styles = {segment.text: segment.style for segment in code}
        assert styles["def"] != styles["f"]
