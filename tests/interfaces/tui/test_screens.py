"""How a dozen screens look, as text: `SNAPSHOTS=write` writes what they look like now."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from protea.domain.settings import ScreenSettings, ThemeName
from protea.interfaces.tui.themes import AUTO, THEMES
from tests.counting import counted
from tests.interfaces.tui.stage import DESCRIBED, stage


async def test_a_first_run_is_told_how_to_begin(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", welcomed=False) as on:
        on.matches("first_run")


async def test_a_conversation_with_a_change(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("edit")
        on.matches("conversation")


async def test_a_question_about_a_command(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        on.matches("approval")


async def test_a_question_about_a_change_shows_it(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("change")
        on.matches("approval_diff")


async def test_a_question_of_the_models(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("question")
        on.matches("question")


async def test_a_new_file_is_seen_on_the_smallest_screen_before_it_is_allowed(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (40, 12)) as on:
        await on.send("create")
        assert "+first line" in on.text
        assert "+second line" in on.text
        assert "more lines (Ctrl+O shows all)" in on.text
        assert "y once" in on.text
        assert "n no" in on.text
        on.matches("approval_smallest")


async def test_a_plan_is_proposed(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("plan")
        on.matches("plan")


async def test_commands_are_offered(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("/mo")
        on.matches("commands")


async def test_files_are_offered(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("read @wo")
        on.matches("files")


async def test_agents_and_sessions_are_offered_with_files(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("let @rev")
        assert "@agent-reviewer" in on.text
        assert "reads what was changed" in on.text
        await on.press("tab")
        assert on.composer == "let @agent-reviewer "
        await on.type("see @old")
        assert "@session:old-1" in on.text
        assert "An old one" in on.text


async def test_models_stand_with_their_prices(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "m")
        on.matches("models")


async def test_what_a_model_lacks_is_said_whole_however_little_room_its_row_has(tmp_path: Path) -> None:
    lacking = {"id": "far/" + "away-" * 9, "price": {"input": 3.0, "output": 15.0}, "lacks": "FAR_API_KEY is not set"}
    async with stage(tmp_path / "home", described={**DESCRIBED, "models": [{"id": "acme/big"}, lacking]}) as on:
        await on.press("ctrl+x", "m", "down")
        assert "  FAR_API_KEY is not set" in on.lines


async def test_another_size_of_the_window_arranges_the_panes_once(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (120, 30)) as on:
        await on.press("ctrl+x", "d")
        with counted() as calls:
            await on.pilot.resize_terminal(110, 30)
            await on.settle()
        assert calls["MainScreen.lay_panes"] == 1
        assert calls["Compositor.reflow"] == 1


def test_every_theme_can_be_set() -> None:
    assert {*THEMES, AUTO} == {*get_args(ThemeName)}


async def test_sessions_of_here_come_first(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "s")
        on.matches("sessions")


async def test_a_question_mark_shows_the_keys_that_work_here(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("?")
        on.matches("keys", without=r"1/\d+")


async def test_profiles_stand_with_what_a_swap_would_change(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "p")
        on.matches("profiles")


def went(turns: int, lines: int = 1) -> dict[str, Any]:
    """What is described of a session that changed, created and spoilt files in each of some turns."""
    root = "/srv/app"
    changed = "--- a/src/main.py\n+++ b/src/main.py\n@@ -1,2 +1,2 @@\n def main():\n-    return {}\n+    return {}\n"
    new = f"--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,{lines} @@\n" + "".join(
        f"+line {n}\n" for n in range(1, lines + 1)
    )
    last = [{"path": f"{root}/new.txt", "what": "created", "diff": new, "added": lines}]
    lost = [{"path": f"{root}/big.iso", "why": "it is too large to be kept"}]
    return {
        **DESCRIBED,
        "changes": {
            "files": [],
            "turns": [
                {
                    "turn": f"t{n}", "seq": 4 + n, "undone": False,
                    "files": [
                        {"path": f"{root}/src/main.py", "what": "changed", "diff": changed.format(n, n + 1)},
                        *(last if n == turns else ()),
                    ],
                    "uncovered": lost if n == turns else [],
                }
                for n in range(1, turns + 1)
            ],
        },
        "undo": {
            "undo": [
                {
                    "missing": "", "text": "",
                    "files": [
                        {"path": f"{root}/src/main.py", "what": "changed"},
                        {"path": f"{root}/new.txt", "what": "deleted"},
                    ],
                    "skipped": [{"path": f"{root}/own.txt", "why": "you changed it since"}],
                }
            ] * turns,
            "redo": [],
        },
    }  # fmt: skip


async def test_going_back_shows_what_it_would_do_to_the_files_and_what_it_cannot(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (80, 34), described=went(2)) as on:
        await on.send("edit")
        await on.send("hello")
        await on.press("ctrl+x", "r")
        await on.press("down", "enter")
        on.matches("rewind")


async def test_a_long_change_is_gone_through_a_page_at_a_time(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", described=went(1, lines=60)) as on:
        await on.send("edit")
        await on.press("ctrl+x", "r")
        await on.press("enter")
        assert "more rows: PgUp PgDn" in on.text
        assert "60 - line 60" not in on.text
        for _ in range(9):
            await on.press("pagedown")
        assert "60 - line 60" in on.text
        assert "above, 0 below" in on.text
        await on.press("pageup")
        assert "60 - line 60" not in on.text
        await on.press("down")  # another way back, and other words
        assert "forgets" in on.text
        assert " - line" not in on.text


async def test_settings_are_seen_with_what_they_mean(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+x", "comma")
        on.matches("settings")


async def test_everything_is_found_by_name(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("ctrl+p")
        await on.type("pane")
        on.matches("palette")


async def test_a_command_of_ones_own_while_it_is_written(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.type("!make all")
        on.matches("shell")


async def test_keys_that_may_follow_are_shown(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (100, 30)) as on:
        await on.press("ctrl+x")
        on.matches("which_key")


async def test_panes_on_both_sides(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", (140, 30)) as on:
        await on.send("edit")
        await on.press("ctrl+x", "f")
        await on.press("ctrl+x", "d")
        on.matches("panes")


async def test_tabs_say_what_their_sessions_do(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("ask")
        await on.press("ctrl+x", "t")
        await on.send("hello")
        on.matches("tabs")


async def test_what_waits_in_line_is_shown(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.send("wait")
        await on.send("then this")
        await on.send("and that")
        shown = [line for line in on.lines if "Esc interrupts" not in line]  # it counts seconds
        assert "  ⧗ then this" in shown
        assert "    in line; Alt+↑ takes the last one back" in shown


async def test_plan_mode_cannot_be_missed(tmp_path: Path) -> None:
    async with stage(tmp_path / "home") as on:
        await on.press("shift+tab")
        assert on.lines[-1].startswith(" PLAN ")


@pytest.mark.parametrize("size", [(40, 12), (300, 100)])
async def test_it_can_be_used_at_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    async with stage(tmp_path / "home", size) as on:
        await on.send("change")
        await on.press("ctrl+x", "f")
        assert len(on.lines) == size[1]
        assert "README.md" in on.text
        await on.press("escape")
        assert "? Edit src/main.py" in on.text
        assert on.lines[-1].startswith(" NORMAL ")
        on.matches(f"size_{size[0]}x{size[1]}")


async def test_without_colour_nothing_is_coloured(tmp_path: Path) -> None:
    async with stage(tmp_path / "home", environment={"NO_COLOR": "1"}) as on:
        await on.send("change")
        styles = [segment.style for strip in on.main._compositor.render_strips() for segment in strip]
        assert not [
            style for style in styles if style is not None and style.color is not None and not style.color.is_default
        ]


async def test_who_hears_the_screen_hears_no_lines(tmp_path: Path) -> None:
    preferences = ScreenSettings(motion=False, screen_reader=True)
    async with stage(tmp_path / "home", preferences=preferences) as on:
        await on.send("edit")
        assert "/srv/app · acme/big" in on.text
        assert not set("─│▌") & set(on.text)
        await on.press("ctrl+x", "comma")
        assert "screen_reader" in on.text
        assert not set("─│▌") & set(on.text)
