"""What the screen costs, counted and not timed: rows that are drawn, times the processor is woken, bytes for a terminal
that is slow."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from protea.testing.loopback import LoopbackProvider, LoopbackReply
from tests.interfaces.tui.conftest import Open
from tests.interfaces.tui.terminal import PATIENCE, Terminal
from tests.interfaces.tui.test_journeys import READY, open_with_key, use


def test_a_key_draws_its_row_once_and_nothing_else(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("x")
    terminal.see("❯ x")
    terminal.quiet()
    row = next(y for y, line in enumerate(terminal.screen.display, 1) if line.startswith("❯ x"))
    terminal.raw = ""
    terminal.type("y")
    terminal.see("❯ xy")
    terminal.quiet()
    assert {int(y) for y in re.findall(r"\x1b\[(\d+);\d+H", terminal.raw)} == {row}
    assert len(re.findall(r"❯ ", terminal.raw)) == 1


def test_an_answer_that_streams_in_draws_its_own_rows_and_nothing_else(open_screen: Open, tmp_path: Path) -> None:
    with LoopbackProvider.in_thread([LoopbackReply(words=2000, pace=0.01)]) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        terminal.type("tell me\r")
        terminal.see("word", "Esc interrupts")
        terminal.raw = ""
        terminal.until(lambda shown: terminal.raw.count("word") > 100)
        # Each frame ends with the place of the cursor, where nothing follows that is drawn.
        drawn = {int(y) for y in re.findall(r"\x1b\[(\d+);\d+H(?!\x1b\[\?2026l|\x1b\[\d+;\d+H|$)", terminal.raw)}
        lines = enumerate(terminal.screen.display, 1)
        below = {y for y, line in lines if line.startswith(("❯ Ask", " NORMAL ", "────"))}
        assert below
        assert drawn & below == set()
        # What was drawn piece by piece is what is drawn when all of it is drawn again.
        terminal.type("\x1b")
        terminal.see("interrupted")
        terminal.gone("Esc interrupts")
        shown = terminal.quiet()
        terminal.type("\x0c")
        assert terminal.quiet() == shown


def test_another_size_draws_the_screen_once_and_a_window_that_is_left_draws_nothing(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    terminal.type("half a thought")
    terminal.see("half a thought")
    whole = drawn_by(terminal, lambda: terminal.type("\x0c"))  # Ctrl+L
    assert whole > 1000
    for size in ((79, 24), (79, 23), (80, 24)):
        assert drawn_by(terminal, lambda size=size: terminal.resize(*size)) < 1.5 * whole
    assert drawn_by(terminal, lambda: terminal.type("\x1b[O\x1b[I")) < whole / 20


def drawn_by(terminal: Terminal, do: Callable[[], None]) -> int:
    """How many characters something makes the program write."""
    terminal.quiet()
    terminal.raw = ""
    do()
    terminal.quiet()
    return len(terminal.raw)


def test_nothing_wakes_a_program_at_which_nobody_does_anything(open_screen: Open) -> None:
    terminal = open_screen()
    terminal.see(READY)
    deadline = time.monotonic() + PATIENCE
    woken = -1
    # What goes on behind the start ends at some time; from then on no second brings anything.
    while woken != 0 and time.monotonic() < deadline:
        before = switches(terminal)
        terminal.quiet(1.5)
        woken = switches(terminal) - before
    assert woken == 0


def switches(terminal: Terminal) -> int:
    """How often any thread has waited for something: once for each time it was woken."""
    threads = Path(f"/proc/{terminal.pid}/task").glob("*/status")
    return sum(int(re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", each.read_text(), re.M)[0]) for each in threads)


def test_a_terminal_that_takes_nothing_holds_nothing_up_and_then_gets_what_is_true(
    open_screen: Open, tmp_path: Path
) -> None:
    with LoopbackProvider.in_thread([LoopbackReply(words=1500, pace=0.002), "and that is all"]) as provider:
        use(tmp_path, provider)
        terminal = open_with_key(open_screen)
        terminal.type("tell me\r")
        terminal.see("word")
        terminal.type("and then\r")
        terminal.see("⧗ and then")
        # Nobody reads what is drawn until the turn has ended and the next one has begun.
        provider.wait_for(2, within=2 * PATIENCE)
        terminal.raw = ""
        terminal.see("and that is all")
        terminal.quiet()
        whole, shown = len(terminal.raw), terminal.shown
        terminal.type("\x0c")  # Ctrl+L draws all of it again
        assert terminal.quiet() == shown
        one_frame = len(terminal.raw) - whole
        # A pseudo-terminal keeps some of what nobody reads, and then there are the frames since.
        assert whole < 60_000 + 3 * one_frame
