"""What keys do: they become commands, and what comes back is shown."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual import events

from protea.domain.commands import (
    AnyCommand,
    EndSession,
    Interrupt,
    Invoke,
    ResolveApproval,
    Rewind,
    SetMode,
    SetModel,
    SubmitPrompt,
    WithdrawPrompt,
)
from protea.domain.errors import Failure
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    CommandAnswered,
    Event,
    FilesRestored,
    MessageCompleted,
    NoticeGiven,
    RetryScheduled,
    TaskChanged,
    TextDelta,
    TitleChanged,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.messages import Image, Text, ToolCall
from protea.domain.settings import ScreenSettings
from protea.domain.tools import ToolResult
from protea.domain.usage import Usage
from protea.interfaces.tui.announcing import announced
from protea.interfaces.tui.fuzzy import PIECE
from protea.interfaces.tui.tab import AT_ONCE
from protea.testing.gateway import Script, ScriptedGateway
from tests.interfaces.tui.stage import DESCRIBED, STARTED, Stage, script, stage


async def test_enter_sends_and_the_answer_comes(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("hello")
        await on.press("enter")
        assert on.gateway.commands == [SubmitPrompt(text="hello")]
        assert "Heard: hello" in on.text
        assert on.composer == ""


async def test_ctrl_enter_steers_and_newlines_are_written(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("wait")
        await on.type("one")
        await on.press("shift+enter")
        await on.type("two\\")
        await on.press("enter")
        await on.type("three")
        await on.press("ctrl+enter")
        assert on.gateway.commands[-1] == SubmitPrompt(text="one\ntwo\nthree", delivery="steer")


async def test_escape_interrupts(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("wait")
        await on.press("escape")
        assert on.gateway.commands[-1] == Interrupt()


class MakingRoom(ScriptedGateway):
    """Makes room until it is interrupted."""

    def __init__(self, script: Script, **more: Any) -> None:
        super().__init__(script, **more)
        self.interrupted = asyncio.Event()

    async def submit(self, session: str, command: AnyCommand) -> str | None:
        if isinstance(command, Interrupt):
            self.interrupted.set()
        if isinstance(command, Invoke) and command.text == "/compact":
            await asyncio.wait_for(self.interrupted.wait(), 30)
        return await super().submit(session, command)


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_the_making_of_room_is_interrupted_also_when_something_else_was_asked_meanwhile(
    tmp_path: Path, key: str
) -> None:
    async with stage(tmp_path / "home", over=MakingRoom) as on:
        for command in ("/compact", "/cost"):
            on.main.tab.composer.set(command)
            await on.pilot.press("enter")
        await on.pilot.press("escape")  # the answer that stands there
        await on.press(key)
        assert Interrupt() in on.gateway.commands


async def test_what_waits_can_be_taken_back_and_changed(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("wait")
        await on.send("then this")
        await on.press("alt+up")
        assert isinstance(on.gateway.commands[-1], WithdrawPrompt)
        assert on.composer == "then this"


async def test_ctrl_c_clears_then_twice_leaves(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("something")
        await on.press("ctrl+c")
        assert on.composer == ""
        await on.press("ctrl+c")
        assert "Ctrl+C again leaves" in on.text
        assert on.app.is_running
        await on.pilot.press("ctrl+c")
        await on.pilot.pause()
        assert on.app._exit


async def test_shift_tab_goes_through_the_modes(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        for mode in ("plan", "yolo", "normal"):
            await on.press("shift+tab")
            assert on.gateway.commands[-1] == SetMode(mode=mode)
            assert on.lines[-1].startswith(f" {mode.upper()} ")


async def test_a_slash_command_is_invoked_and_answered(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("/cost")
        await on.press("enter")
        assert isinstance(on.gateway.commands[-1], Invoke)
        assert "12k in · 300 out" in on.text
        await on.press("escape")
        assert "12k in · 300 out" not in on.text


async def test_a_path_is_a_prompt_and_two_slashes_are_one(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("/etc/hosts says what?")
        await on.send("//model")
        assert [command.text for command in on.gateway.commands if isinstance(command, SubmitPrompt)] == [
            "/etc/hosts says what?",
            "/model",
        ]


async def test_an_exclamation_mark_runs_a_command_of_ones_own(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("!ls -l")
        assert on.gateway.commands == [SubmitPrompt(text="!ls -l", origin="shell")]


async def test_a_command_of_ones_own_looks_like_one_while_it_is_written(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("!ls")
        assert "─ a shell command of your own: it runs" in on.text
        assert "$ !ls" in on.text
        await on.press("ctrl+c")
        assert "a shell command" not in on.text
        assert "❯ Ask" in on.text


async def test_tab_takes_an_offer_and_enter_sends_a_whole_command(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("read @wo")
        await on.press("down", "tab")
        assert on.composer == "read @src/words/table.py "
        await on.press("ctrl+c")
        await on.type("/mode pl")
        await on.press("enter")
        assert isinstance(on.gateway.commands[-1], Invoke)
        assert on.gateway.commands[-1].text == "/mode plan"


# ── questions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("key", "decision"),
    [("y", "once"), ("s", "session"), ("a", "always"), ("n", "deny"), ("1", "once"), ("3", "always"), ("4", "deny")],
)
async def test_a_question_is_answered_by_a_key(tmp_path: Path, key: str, decision: str) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        await on.readable()
        await on.press(key)
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision=decision)  # type: ignore[arg-type]  # one of four words
        assert f"Decided: {decision}" in on.text


async def test_what_was_typed_before_a_question_could_be_read_is_no_answer(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        on.main.tab.card._drawn_at += 3600
        await on.press("y")
        assert not any(isinstance(command, ResolveApproval) for command in on.gateway.commands)


async def test_nothing_counts_as_an_answer_while_something_is_written(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        await on.readable()
        on.main.tab.composer.set("a thought")
        await on.press("y")
        assert on.composer == "a thoughty"


async def test_tab_refuses_and_says_why(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        await on.readable()
        await on.press("tab")
        await on.type("not now")
        await on.press("enter")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="deny", comment="not now")


async def test_tab_again_allows_and_says_something_with_it(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        await on.readable()
        await on.press("tab")
        assert "Enter refuses and says what you write; Tab: allows instead" in on.text
        await on.press("tab")
        assert "Enter allows it once and says what you write" in on.text
        await on.type("then tidy up")
        await on.press("enter")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="once", comment="then tidy up")


async def test_who_looks_elsewhere_is_called_once_for_a_question_whatever_else_happens(tmp_path: Path) -> None:
    called: list[tuple[str, str]] = []
    async with stage(tmp_path / "home") as on:
        on.app.desk.notify = lambda title, text: called.append((title, text))
        on.app.post_message(events.AppBlur())
        await on.settle()
        await on.send("ask")
        for number in range(3):
            on.gateway.publish(on.main.tab.session, NoticeGiven(level="info", text=f"also {number}"))
        await on.settle()
        assert called == [("Protea asks", "no rule allows make")]
        await on.readable()
        await on.press("y")
        assert called[1:] == [("Protea", "ask: finished")]


async def test_a_question_that_comes_while_one_is_in_a_pane_says_how_to_get_to_it(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.press("ctrl+x", "k")
        on.main.tab.submit(SubmitPrompt(text="ask"))
        await on.settle()
        assert "a question waits for you; its keys answer it from here, too" in on.text
        await on.readable()
        await on.press("escape", "y")
        assert isinstance(on.gateway.commands[-1], ResolveApproval)


@pytest.mark.parametrize("place", ["j", "f", "v", "d", "k"])
@pytest.mark.parametrize(("key", "decision"), [("y", "once"), ("a", "always"), ("n", "deny"), ("2", "session")])
async def test_a_question_in_sight_is_answered_wherever_the_keys_are(
    tmp_path: Path, place: str, key: str, decision: str
) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.send("ask")
        await on.press("ctrl+x", place)
        assert on.main.focus_on != "composer"
        on.unread()
        await on.press(key)  # it has just come: the key means what it always does there
        assert not any(isinstance(command, ResolveApproval) for command in on.gateway.commands)
        on.main.files.viewer.jump = ""
        await on.readable()
        await on.press(key)
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision=decision)  # type: ignore[arg-type]  # one of four words


async def test_what_is_written_in_the_composer_stays_while_a_question_is_answered_from_elsewhere(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.send("ask")
        await on.readable()
        on.main.tab.composer.set("a thought")
        await on.press("ctrl+x", "j", "y")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="once")
        assert on.composer == "a thought"


async def test_tab_takes_the_words_to_the_composer_from_anywhere(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.send("ask")
        await on.press("ctrl+x", "f")
        await on.readable()
        await on.press("tab")
        assert on.main.focus_on == "composer"
        await on.type("no")
        await on.press("enter")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="deny", comment="no")


@pytest.mark.parametrize(
    "keys",
    [
        ("ctrl+x", "j", "slash", "a", "n", "y"),  # a search is typed
        ("ctrl+x", "j", "slash", "a", "s", "k", "enter", "n"),  # it is gone through
        ("ctrl+x", "j", "v", "y"),  # something is selected
        ("ctrl+x", "j", "z", "a"),  # a key of several
        ("ctrl+x", "j", "enter"),  # what only where one writes is an answer, in some keymaps
        ("ctrl+x", "f", "slash", "y", "n", "1"),  # files are looked for
        ("ctrl+x", "f", "ctrl+x", "z", "y"),  # a pane lies over it: nobody sees what is asked
    ],
)
async def test_what_is_typed_or_marked_elsewhere_is_no_answer(tmp_path: Path, keys: tuple[str, ...]) -> None:
    async with stage(tmp_path / "home", (120, 30), preferences=ScreenSettings(motion=False, keymap="claude")) as on:
        await on.send("ask")
        await on.readable()
        await on.press(*keys)
        assert not any(isinstance(command, ResolveApproval) for command in on.gateway.commands)


async def test_a_line_number_that_was_begun_before_the_question_came_is_no_answer(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.press("ctrl+x", "v", "1")
        on.main.tab.submit(SubmitPrompt(text="ask"))
        await on.settle()
        await on.readable()
        await on.press("2", "G")
        assert not any(isinstance(command, ResolveApproval) for command in on.gateway.commands)
        await on.press("2")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="session")


async def test_all_of_a_long_change_can_be_read_before_it_is_allowed(tmp_path: Path) -> None:
    def play(command: AnyCommand) -> Sequence[Event]:
        if not isinstance(command, SubmitPrompt):
            return script(command)
        content = "".join(f"line {number}\n" for number in range(100))
        call = ToolCall(id="c6", name="Write", arguments={"path": "src/new.py", "content": content})
        return (STARTED, ApprovalRequested(id="a5", call=call, why="it writes", proposals=("Edit(//x)",)))

    async with stage(tmp_path / "home", play=play) as on:
        await on.send("write")
        await on.press("ctrl+o")
        seen = set()
        for _ in range(12):
            seen |= {line.strip() for line in on.lines if line.strip().startswith("+line")}
            assert "4 n refuse" in on.text  # how to answer, and where one writes, are always there
            assert "❯ Ask" in on.text
            await on.press("pagedown")
        assert len(seen) == 100
        assert "0 below" in on.text
        await on.press("pageup")
        assert "0 below" not in on.text
        await on.readable()
        await on.press("y")
        assert on.gateway.commands[-1] == ResolveApproval(id="a5", decision="once")


async def test_tab_sends_a_plan_back_with_what_to_change(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("plan")
        await on.readable()
        await on.press("tab")
        await on.type("shorter")
        await on.press("enter")
        assert on.gateway.commands[-1] == ResolveApproval(id="a4", decision="deny", comment="shorter")


async def test_a_question_of_the_models_is_answered_in_words_or_by_number(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("question")
        await on.readable()
        await on.press("2")
        assert on.gateway.commands[-1] == ResolveApproval(id="a3", decision="once", comment="blue")
        await on.send("question")
        await on.readable()
        await on.type("green please")
        await on.press("enter")
        assert on.gateway.commands[-1] == ResolveApproval(id="a3", decision="once", comment="green please")


async def test_one_inbox_has_the_questions_of_all_tabs(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        await on.press("ctrl+x", "t")
        assert "1 waiting for an answer" in on.lines[-1]
        await on.press("ctrl+x", "i")
        assert "Bash make all" in on.text
        await on.press("enter")
        assert on.main.tabs.index(on.main.tab) == 0


# ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_palette_finds_by_name_and_does(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+p")
        await on.type("next permission")
        await on.press("enter")
        assert on.gateway.commands == [SetMode(mode="plan")]


async def test_the_list_of_keys_begins_with_the_nearest(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("?")
        (title,) = (line for line in on.lines if line.startswith("─ keys "))
        assert " 1/" in title


async def test_a_model_is_chosen(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "m", "down", "enter")
        assert on.gateway.commands == [SetModel(model="acme/small")]


async def test_escape_twice_goes_back_to_before_a_prompt(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("first")
        await on.send("second")
        await on.press("escape", "escape")
        assert "go back to before" in on.text
        await on.press("down", "enter")
        assert isinstance(on.gateway.commands[-1], Rewind)
        assert on.gateway.commands[-1].to == 1
        assert on.composer == "first"


async def test_a_session_is_opened_in_a_tab_of_its_own_and_closed(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("hello")
        await on.press("ctrl+x", "s")
        await on.type("old one")
        await on.press("enter")
        assert [tab.session for tab in on.main.tabs] == ["session-1", "old-1"]
        assert on.main.tab.session == "old-1"
        await on.press("alt+1")
        assert on.main.tab.session == "session-1"
        await on.press("ctrl+x", "n")
        await on.press("ctrl+x", "w")
        assert [tab.session for tab in on.main.tabs] == ["session-1"]
        assert on.gateway.commands[1:] == [EndSession(reason="closed")]
        assert "old-1" not in on.gateway._logs  # nothing was ever said in it


async def test_a_session_that_is_gone_on_with_takes_the_place_of_one_in_which_nothing_was_said(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "s")
        assert "▌ " in next(line for line in on.lines if "An old one" in line)  # not the one that is open already
        await on.press("enter")
        assert [tab.session for tab in on.main.tabs] == ["old-1"]
        assert "session-1" not in on.gateway._logs
        on.main.tab.composer.set("half a thought")
        await on.main.open_session("old-2")
        assert [tab.session for tab in on.main.tabs] == ["old-1", "old-2"]


async def test_a_session_is_deleted_when_that_was_said_twice(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "s")
        await on.type("old one")
        await on.press("ctrl+x")
        assert "Ctrl+X again deletes “An old one” for good" in on.text
        await on.press("down")
        assert "Ctrl+X deletes" in on.text
        await on.press("ctrl+x", "t")
        assert "old-1" in on.gateway._logs
        await on.press("backspace", "ctrl+x", "ctrl+x")
        assert "old-1" not in on.gateway._logs
        assert "session old-1 is deleted" in on.text


async def test_what_takes_long_tells_how_to_go_on_without_it_and_what_is_silent_says_so(tmp_path: Path) -> None:
    call = ToolCall(id="c1", name="Bash", arguments={"command": "make all"})
    busy = Failure(kind="rate_limited", message="busy; come later", provider="acme", retryable=True)

    def play(command: AnyCommand) -> Sequence[AnyEvent]:
        match command:
            case SubmitPrompt(text="run"):
                return (STARTED, ToolCallChanged(call=call, state="executing"))
            case SubmitPrompt(text="say"):
                return (STARTED, TextDelta(text="Well"))
            case _:
                return (STARTED, RetryScheduled(attempt=2, delay=3.0, error=busy))

    async with stage(tmp_path / "home", play=play) as on:  # type: ignore[arg-type]  # passing events are played, too
        activity = on.main.tab.activity

        async def later(seconds: float) -> str:
            activity._since -= seconds
            activity.heard -= seconds
            activity.again()
            await on.settle()
            return next(line for line in on.lines if "Esc interrupts" in line)

        await on.send("run")
        assert "Ctrl+B" not in await later(0)
        assert "Esc interrupts, Ctrl+B lets it go on behind" in await later(5)
        await on.main.tab.submitted(SubmitPrompt(text="say"))
        await on.settle()
        assert "nothing came" not in await later(0)
        assert re.search(r"nothing came for \d\d s · Esc interrupts", await later(20))
        await on.press("ctrl+x", "f")  # a pane beside it leaves little room
        assert "nothing came" not in await later(20)
        await on.press("q")
        await on.main.tab.submitted(SubmitPrompt(text="again"))
        await on.settle()
        assert "trying again in 3 s (attempt 2" in await later(0)


async def test_what_told_of_a_second_key_goes_once_another_comes(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+c")
        assert "Ctrl+C again leaves" in on.text
        await on.type("a")
        assert "Ctrl+C again leaves" not in on.text


async def test_the_plan_is_shown_as_it_was_agreed_to(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.send("plan")
        await on.press("ctrl+t")
        assert "2. change" in on.text
        await on.main.tab.submitted(ResolveApproval(id="a4", decision="once", comment="1. read\n2. leave"))
        await on.settle()
        pane = "".join(line.partition("│")[2] for line in on.lines)
        assert "2. leave" in pane
        assert "2. change" not in pane


async def test_clear_begins_a_new_session_in_the_same_place(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("hello")
        on.main.tab.command("/clear")
        await on.settle()
        assert [tab.session for tab in on.main.tabs] == ["session-2"]
        assert "Protea" in on.text


async def test_what_was_written_before_is_searched(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("fix the parser")
        await on.send("write tests")
        await on.press("ctrl+r")
        await on.type("pars")
        await on.press("enter")
        assert on.composer == "fix the parser"
        await on.press("ctrl+c", "up")
        assert on.composer == "write tests"
        await on.press("up", "up")
        assert on.composer == "fix the parser"


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_long_paste_is_a_chip_and_is_sent_whole(tmp_path: Path) -> None:
    text = "line\n" * 200
    async with stage(tmp_path / "home") as on:
        await on.type("see ")
        on.main.take_paste(text)
        assert on.composer == "see [pasted #1: 200 lines]"
        await on.press("enter")
        assert on.gateway.commands == [SubmitPrompt(text="see " + text)]
        on.main.take_paste(text)
        await on.press("backspace")
        assert on.composer == ""


async def test_a_picture_goes_along(tmp_path: Path) -> None:
    image = Image(media_type="image/png", data="aGk=")
    async with stage(tmp_path / "home") as on:
        await on.type("what is this ")
        on.main.tab.composer.attach(image)
        await on.press("enter")
        command = on.gateway.commands[-1]
        assert isinstance(command, SubmitPrompt)
        assert command.images == (image,)


async def test_ctrl_v_takes_text_or_a_picture_from_the_clipboard(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        for found, expected in (
            ("from elsewhere", "from elsewhere"),
            ({"media_type": "image/png", "data": "aGk=", "type": "image"}, "from elsewhere[image #1]"),
            (None, "from elsewhere[image #1]"),
        ):
            on.gateway._described = {**on.gateway._described, "clipboard": found}
            await on.press("ctrl+v")
            assert on.composer == expected
        assert "nothing in the clipboard can be read" in on.text


async def test_what_is_put_aside_survives_the_screen(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("later")
        await on.press("ctrl+s")
        assert on.composer == ""
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+s")
        assert on.composer == "later"


async def test_a_key_with_alt_that_nothing_has_writes_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("a")
        await on.press("alt+w", "alt+right_square_bracket")
        assert on.composer == "a"


async def test_escape_and_what_follows_it_at_once_are_two_keys_for_vim(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", preferences=ScreenSettings(keymap="vim", motion=False)) as on:
        await on.type("one two")
        await on.press("alt+0", "x")
        assert on.composer == "ne two"
        assert on.main.tab.vim.mode == "normal"


async def test_escape_and_what_follows_it_at_once_leave_a_pane_and_write(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.press("ctrl+x", "d")
        await on.press("alt+t", "h", "e")
        assert on.main.focus_on == "composer"
        assert on.composer == "the"


async def test_enter_with_a_modifier_is_known_however_a_terminal_spells_it(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("wait")
        await on.type("a")
        on.main.take_key(events.Key("shift+\r", "\r"))
        await on.type("b")
        on.main.take_key(events.Key("ctrl+\r", "\r"))
        await on.settle()
        assert on.gateway.commands[-1] == SubmitPrompt(text="a\nb", delivery="steer")


def at(keymap: str) -> ScreenSettings:
    return ScreenSettings(keymap=keymap, motion=False)  # type: ignore[arg-type]  # one of them


async def test_codex_fingers_steer_with_enter_and_queue_with_tab(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", preferences=at("codex")) as on:
        await on.send("wait")
        await on.type("be quick")
        await on.press("enter")
        assert on.gateway.commands[-1] == SubmitPrompt(text="be quick", delivery="steer")
        await on.type("then this")
        await on.press("tab")
        assert on.gateway.commands[-1] == SubmitPrompt(text="then this")
        await on.press("ctrl+p")
        assert on.composer == "then this"
    async with stage(tmp_path / "home", preferences=at("codex")) as on:
        await on.send("ask")
        await on.readable()
        await on.press("a")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="session")


async def test_claude_fingers_say_yes_with_enter_and_to_all_with_shift_tab(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", preferences=at("claude")) as on:
        await on.send("ask")
        on.unread()
        await on.press("enter")
        assert not isinstance(on.gateway.commands[-1], ResolveApproval)  # nobody can have read it
        await on.readable()
        await on.press("enter")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="once")
        await on.send("ask")
        await on.readable()
        await on.press("shift+tab")
        assert on.gateway.commands[-1] == ResolveApproval(id="a1", decision="session")
        await on.press("shift+tab")
        assert isinstance(on.gateway.commands[-1], SetMode)


async def test_emacs_fingers_stop_with_ctrl_g_and_never_leave_by_ctrl_d(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", preferences=at("emacs")) as on:
        await on.send("wait")
        await on.press("ctrl+g")
        assert on.gateway.commands[-1] == Interrupt()
        await on.press("ctrl+d")
        assert on.app.is_running
        await on.press("alt+x")
        await on.press("ctrl+g")
        assert on.app.screen is on.main


async def test_vims_fingers_have_a_leader_in_normal_mode(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30), preferences=at("vim")) as on:
        await on.press("escape", "space")
        assert "choose a model" in on.text
        await on.press("f")
        assert on.main.focus_on == "tree"
        await on.press("ctrl+w", "j")
        assert on.main.focus_on == "composer"
        await on.press(":")
        await on.type("theme: dusk")
        await on.press("enter")
        assert on.app.desk.look.theme.name == "dusk"


async def test_vim_keys_in_the_composer(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", preferences=ScreenSettings(keymap="vim", motion=False)) as on:
        await on.type("one two")
        await on.press("escape")
        assert on.lines[-1].startswith(" NORMAL   NORMAL ")
        await on.press("b", "d", "w")
        assert on.composer == "one "
        await on.press("i")
        await on.type("x")
        assert on.composer == "onex "


# ── keys, themes, panes ────────────────────────────────────────────────────────────────────────────────────────────


async def test_keys_of_ones_own_count_at_once_and_mistakes_are_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with stage(home) as on:
        (home / "keybinds.toml").write_text('[global]\n"f5" = "session.mode"\n"shift+tab" = "null"\n')
        await on.press("shift+tab")
        assert on.gateway.commands == []
        await on.press("f5")
        assert on.gateway.commands == [SetMode(mode="plan")]
        (home / "keybinds.toml").write_text('[global]\n"f5" = "session.mood"\n')
        on.app.post_message(events.AppFocus())
        await on.settle()
        assert "did you mean session.mode?" in " ".join(on.text.split())


@pytest.mark.parametrize(
    ("written", "named"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"[[[[", "keybinds.toml"),
        (b'[global]\n"ctrl+q" = "\\u001b[31m"', "there is no action ␛[31m"),
    ],
)
async def test_a_file_of_keys_that_cannot_be_read_is_named_and_the_screen_stands(
    tmp_path: Path, written: bytes, named: str
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "keybinds.toml").write_bytes(written)
    async with stage(tmp_path / "home") as on:
        assert named in " ".join(on.text.split())
        await on.type("x")
        assert on.composer == "x"


async def test_a_theme_is_seen_before_it_is_chosen_and_kept(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        kept: list[tuple[str, object]] = []
        on.app.desk.keep = lambda name, value: kept.append((name, value))
        await on.press("ctrl+x", "c")
        await on.press("down", "down", "down", "down")
        assert on.app.desk.look.theme.name == "dusk"
        await on.press("escape")
        assert on.app.desk.look.theme.name == "terminal"
        await on.press("ctrl+x", "c", "up", "enter")
        assert kept == [("theme", "contrast-light")]


async def test_panes_open_take_keys_and_are_remembered(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.send("edit")
        await on.press("ctrl+t")
        assert "1 of 3 done" in on.text
        await on.press("ctrl+x", "f")
        await on.type("/main")
        assert " files /main" in on.text
        await on.press("escape")
        await on.press("plus", "escape")
        assert on.main.focus_on == "composer"
    async with stage(tmp_path / "home", (120, 30)) as on:
        assert on.main.arrangement.open == ["todos", "tree"]
        assert on.main.arrangement.widths == {"tree": 34}


async def test_the_files_are_read_again_once_an_undo_changed_them(tmp_path: Path) -> None:
    def play(command: AnyCommand) -> Sequence[Event]:
        described["files"] = ["README.md"]
        return (FilesRestored(direction="undo", turns=("t1",)),)

    described = {**DESCRIBED}
    async with stage(tmp_path / "home", (120, 30), play=play, described=described) as on:
        await on.press("ctrl+x", "f")
        assert " files 5 " in on.text
        await on.press("escape")
        await on.send("/undo")
        assert " files 1 " in on.text


async def test_agents_are_opened_told_ended_and_let_go_on_from_the_pane_of_tasks(tmp_path: Path) -> None:
    agent = TaskChanged(
        id="k1", title="look at it", state="running", kind="agent", child="old-1", agent="scout", detail="thinks"
    )

    def play(command: AnyCommand) -> Sequence[Event]:
        return (agent,) if isinstance(command, SubmitPrompt) else ()

    async with stage(tmp_path / "home", (120, 30), play=play) as on:
        await on.send("go")
        await on.press("ctrl+x", "k")
        assert "tasks 1 running" in on.text

        def sent() -> list[str]:
            return [command.text for command in on.gateway.commands if isinstance(command, Invoke)]

        await on.press("x")
        assert sent() == ["/tasks stop k1"]
        await on.press("r")
        assert sent()[1:] == ["/tasks resume k1"]
        await on.press("s")
        assert on.composer == "/tasks steer k1 "
        assert on.main.focus_on == "composer"
        await on.type("be quick")
        await on.press("enter")
        assert sent()[2:] == ["/tasks steer k1 be quick"]
        await on.press("ctrl+x", "k", "ctrl+x", "k", "enter")
        assert on.main.tab.session == "old-1"
        await on.main.close_tab()
        assert not [command for command in on.gateway.commands if isinstance(command, EndSession)]


async def test_what_a_task_of_a_command_wrote_is_shown_and_followed(tmp_path: Path) -> None:
    log = "/srv/log.txt"
    ended = TaskChanged(
        id="k0", title="make all", state="done", kind="shell", log="/srv/other.txt", detail="exit code 0"
    )
    command = TaskChanged(id="k1", title="make serve", state="running", kind="shell", log=log, background=True)
    agent = TaskChanged(id="k2", title="look", state="running", kind="agent", child="old-1", detail="m · Bash · 1 s")

    def play(sent: AnyCommand) -> Sequence[Event]:
        return (command, agent, ended, replace(command, detail="news")) if isinstance(sent, SubmitPrompt) else ()

    async with stage(tmp_path / "home", (120, 30), play=play) as on:
        on.gateway.files[log] = "".join(f"line {number}\n" for number in range(100)).encode()
        await on.send("go")
        assert "2 tasks" in on.lines[-1]
        await on.press("ctrl+x", "k")
        rows = [line.partition("│")[2] for line in on.lines]
        order = [row[3:] for row in rows if row[1:2] in ("▶", "✓")]
        assert order == ["look", "make serve", "make all"]  # what runs, and news moves nothing
        assert "Enter opens it · s tells it something · x ends it · q closes" in on.lines[-1]
        await on.press("j")
        assert "Enter shows what it wrote · x ends it · q closes" in on.lines[-1]
        await on.press("s")  # it cannot be told anything: that is said at once
        assert on.composer == ""
        await on.press("enter")
        assert "line 99" in on.text
        on.gateway.files[log] += b"\x1b[31mthe end\x1b[0m\n"
        await on.main.files.look()
        await on.settle()
        assert " the end" in on.text
        await on.press("k", "k")
        on.gateway.files[log] += b"and more\n"
        await on.main.files.look()
        await on.settle()
        assert on.main.files.viewer.lines[-1][0][0] == "and more"
        assert on.main.files.viewer.at == 98  # who reads elsewhere stays there


async def test_a_pane_alone_and_back(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.press("ctrl+x", "d")
        await on.press("z")
        assert not on.main.tab.display
        await on.press("z")
        assert on.main.tab.display


async def test_a_file_is_shown_with_its_lines(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        on.gateway.files["src/main.py"] = "".join(f"x{number} = {number}\n" for number in range(1, 200)).encode()
        await shown_file(on)
        assert "  1 x1 = 1" in on.text
        await on.type("150")
        await on.press("enter")
        assert "150 x150 = 150" in on.text


async def test_what_cannot_be_read_says_why_in_the_viewer(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await shown_file(on)
        assert "src/main.py does not exist." in on.text


async def test_files_that_change_while_they_are_watched_are_marked_and_read_again(tmp_path: Path) -> None:
    stamps = {"README.md": 1, "src/main.py": 1}
    async with stage(tmp_path / "home", (140, 30), described={**DESCRIBED, "stamps": stamps}) as on:
        on.gateway.files["src/main.py"] = b"before\n"
        await on.press("ctrl+x", "f")
        await shown_file(on)
        await on.main.files.look()
        on.gateway.files["src/main.py"] = b"after\n"
        stamps |= {"src/main.py": 2, "new.txt": 3}
        on.gateway._described["files"] = sorted(stamps)
        await on.main.files.look()
        await on.settle()
        assert "after" in on.text
        assert "new.txt ○" in on.text
        assert "▸ src ○" in on.text
        on.main.files.tree.opened("src/")
        await on.settle()
        (row,) = [line for line in on.lines if "main.py ○" in line]
        assert row.startswith("     main.py")  # under the name of its folder
        assert "README.md ○" not in on.text
        del stamps["new.txt"]
        on.gateway._described["files"] = sorted(stamps)
        await on.main.files.look()
        await on.settle()
        assert "new.txt" not in on.text


async def shown_file(on: Stage) -> None:
    await on.main.files.viewer.open("src/main.py")
    on.main.arrangement.toggle("viewer")
    on.main.focus_part("viewer")
    await on.settle()


async def test_an_edge_is_dragged(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.press("ctrl+x", "f")
        await on.press("escape")
        tree = on.main.files.tree
        await on.pilot.mouse_down(tree, offset=(29, 5))
        await on.pilot.hover(offset=(35, 6))
        await on.settle()
        await on.pilot.mouse_up(offset=(35, 6))
        await on.settle()
        assert tree.size.width == 36
        assert on.main.focus_on == "composer"


async def test_for_a_screen_reader_nothing_is_only_drawn(tmp_path: Path) -> None:
    wishes = ScreenSettings(screen_reader=True, motion=False)
    async with stage(tmp_path / "home", (120, 30), preferences=wishes) as on:
        await on.press("ctrl+x", "f")
        assert "│" not in on.text
        assert "─" not in on.text


async def test_for_a_screen_reader_a_table_has_no_lines(tmp_path: Path) -> None:
    wishes = ScreenSettings(screen_reader=True, motion=False)
    async with stage(tmp_path / "home", preferences=wishes) as on:
        await on.send("this\n\n| left | right |\n|---|---|\n| one | two |")
        assert any(line.split() == ["left", "right"] for line in on.lines)
        assert not set("─│┼") & set(on.text)


async def test_a_screen_reader_is_told_in_lines_of_their_own(tmp_path: Path) -> None:
    wishes = ScreenSettings(screen_reader=True, motion=False)
    async with stage(tmp_path / "home", preferences=wishes) as on:
        spoken = on.main.tab.spoken
        await on.send("hello")
        assert spoken.lines == ["Answer: Heard: hello", "Done."]
        assert "Answer: Heard: hello" in on.lines
        await on.send("ask")
        assert spoken.lines[-1] == (
            "Approval wanted: Bash make all. no rule allows make. y allows once, s this session, a always, n refuses."
        )
        await on.readable()
        await on.press("n")
        assert spoken.lines[-2:] == ["Answer: Decided: deny", "Done."]
        await on.send("question")
        assert spoken.lines[-1] == "Question: Which colour? 1: red. 2: blue. Write an answer, or n declines."
    async with stage(tmp_path / "home") as on:
        await on.send("hello")
        assert on.main.tab.spoken.lines == []
        assert "Answer: Heard" not in on.text


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            TurnFinished(id="t", outcome="error", error=Failure(kind="overloaded", message="it is busy")),
            "Error: it is busy",
        ),
        (TurnFinished(id="t", outcome="interrupted"), "Interrupted."),
        (TurnFinished(id="t", outcome="limit", limit="budget"), "Stopped on a limit: budget."),
        (NoticeGiven(level="warning", text="the disk\nis full"), "Warning: the disk is full"),
        (
            ToolCallChanged(
                call=ToolCall(id="c", name="Bash", arguments={"command": "x"}),
                state="error",
                result=ToolResult("boom\nand more", is_error=True),
            ),
            "Failed: Bash: boom",
        ),
        (TitleChanged(title="x"), ""),
        (
            MessageCompleted(
                model="m",
                content=(Text("# Two\n**bold** `code`\n| a | b |\n|---|---|"),),
                stop="end_turn",
                usage=Usage(),
            ),
            "Answer: Two bold code a b",
        ),
    ],
)
def test_what_is_announced_is_one_plain_line(event: AnyEvent, line: str) -> None:
    assert announced(event) == line


async def test_the_editor_of_the_environment_changes_the_text(tmp_path: Path) -> None:
    from protea.interfaces.external import edit, editor_of

    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf " and more" >> "$1"\n')
    editor.chmod(0o755)
    assert editor_of({"VISUAL": f"{editor} -w", "EDITOR": "ed"}) == [str(editor), "-w"]
    assert edit([str(editor)], "text", {"PATH": "/usr/bin:/bin"}) == "text and more"


# ── what it costs ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_key_behind_an_at_sign_does_not_wait_for_all_files_of_a_large_project(tmp_path: Path) -> None:
    paths = [f"src/{n % 97}/{'needle' if n == 59_000 else 'hay'}_{n}.py" for n in range(60_000)]
    async with stage(tmp_path / "home", described={**DESCRIBED, "files": paths}) as on:
        composer, files = on.main.tab.composer, on.main.desk.offers.files
        composer.insert("@ndle")
        looked_at = sum(step.read for step in files._steps)
        assert 0 < looked_at <= AT_ONCE * PIECE
        await on.settle()
        assert sum(step.read for step in files._steps) > looked_at
        assert "src/24/needle_59000.py" in on.text


async def test_while_a_person_writes_on_a_search_among_files_ends(tmp_path: Path) -> None:
    paths = [f"src/{n % 97}/hay_{n}.py" for n in range(60_000)]
    async with stage(tmp_path / "home", described={**DESCRIBED, "files": paths}) as on:
        on.main.tab.composer.insert("@ndle")
        on.main.tab.composer.insert(" ")
        await on.settle()
        assert on.main.tab.suggestions.offers == []


async def test_a_tree_of_many_files_is_sorted_beside_the_keys(tmp_path: Path) -> None:
    paths = [f"src/{n % 97}/file_{n}.py" for n in range(30_000)]
    async with stage(tmp_path / "home", (120, 30), described={**DESCRIBED, "files": paths}) as on:
        tree = on.main.files.tree
        assert tree._folders == {}
        await on.press("ctrl+x", "f")
        await on.app.workers.wait_for_complete()
        await on.settle()
        assert "▸ src" in on.text


async def test_nothing_wakes_a_screen_at_which_nobody_does_anything(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", preferences=ScreenSettings()) as on:
        await on.type("hello")
        await on.press("enter")
        for _ in range(300):  # some run off; no others take their place
            if not timers():
                break
            await on.pilot.pause(0.1)
        assert timers() == []


def timers() -> list[str]:
    """What the event loop will wake up for by the clock."""
    loop: Any = asyncio.get_running_loop()
    return [repr(handle) for handle in loop._scheduled if not handle.cancelled()]


async def test_a_long_answer_to_a_command_is_gone_through_a_page_at_a_time(tmp_path: Path) -> None:
    def play(command: AnyCommand) -> Sequence[Event]:
        if not isinstance(command, Invoke):
            return script(command)
        rows = "".join(f"name{number:<4} {'word ' * 20}end{number}\n" for number in range(30))
        return (CommandAnswered(id=command.id, command="cost", text=rows),)

    async with stage(tmp_path / "home", play=play) as on:
        await on.send("/cost")
        assert "0 above, 49 below: PgUp PgDn; Esc closes" in on.text
        first = next(at for at, line in enumerate(on.lines) if "name0" in line)
        assert on.lines[first + 1].startswith(" " * 11 + "word")  # beside the first column, not below it
        seen = set()
        for _ in range(8):
            seen |= set(re.findall(r"end(\d+)", on.text))
            await on.press("pagedown")
        assert len(seen) == 30
        assert ", 0 below" in on.text
        await on.press("pageup")
        assert ", 0 below" not in on.text
        await on.press("escape")
        assert "name" not in on.text


async def test_what_is_wrong_stands_in_one_place_and_whole(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        on.main.hint("there is no such thing; " + "there are others; " * 8)
        await on.settle()
        assert on.text.count("there is no such thing") == 1
        assert " NORMAL  acme/big" in on.text


async def test_a_list_in_which_nothing_fits_does_not_say_that_it_is_empty(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "r")
        assert "there is no prompt yet" in on.text
        await on.press("escape")
        await on.send("hello")
        await on.press("ctrl+x", "r")
        await on.type("zzz")
        assert "nothing fits" in on.text
        assert "no prompt" not in on.text


async def test_how_many_more_could_be_meant_is_said(tmp_path: Path) -> None:
    commands = [{"name": f"word{number}", "arguments": "", "about": "", "completes": []} for number in range(20)]
    async with stage(tmp_path / "home", described={**DESCRIBED, "commands": commands}) as on:
        await on.type("/word")
        assert "… 12 more: ↓, or go on writing" in on.text
        await on.press("up")
        assert "more: ↓" not in on.text


async def test_where_not_all_keys_have_room_it_is_said_how_many_are_left_out(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (40, 12)) as on:
        await on.press("ctrl+x")
        assert "… 22 more; h lists all keys" in on.text
        await on.press("h")
        assert "write to filter" in on.text


async def test_in_the_file_tree_characters_are_a_filter_once_one_is_begun(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.press("ctrl+x", "f")
        await on.type("m")
        assert on.main.files.tree.filter == ""
        await on.type("/mai")
        assert on.main.files.tree.filter == "mai"
