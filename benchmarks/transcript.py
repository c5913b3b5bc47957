"""The transcript over a real pseudo-terminal: an answer that streams in, a long session, the end of a longer one.

Beside it, in the same run: a plain Textual application of `MarkdownStream`, and one of nothing but an input line.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import os
import pty
import re
import select
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
from measure import Report, rounds
from project import PROTEA, make_home

if TYPE_CHECKING:  # what is measured loads them
    from textual.app import ComposeResult
    from textual.events import Event, Key
    from textual.widgets import Input

    from protea.domain.events import LastingEvent

COLUMNS, ROWS = 120, 40
TOKENS = 20_000
PACE = 2_500
"""Tokens a second: quicker than any provider, slow enough that frames are drawn."""
COMPARED = 4_000
"""Tokens of the answer that both draw: the time of the other grows with the square of it."""
MESSAGES = 10_000
KEYS = 60


# ── what is run in the terminal ────────────────────────────────────────────────────────────────────────────────────


def markdown(tokens: int = TOKENS) -> list[str]:
    """An answer of so many tokens, of all that answers are made of."""
    piece = (
        "## Part {n}: what happens to a request\n\nThe request goes through `middleware_{n}` first, which **checks** "
        "what it carries and hands it on; see [the guide](https://example.com/guide/{n}) for the rest. Where it fails, "
        "*nothing* is retried, because a second request would be answered the same.\n\n- the head is read once\n"
        "- the body is read as it comes\n  - in pieces of 64 kB\n- the end is told to whoever waits\n\n"
        "```python\ndef handle_{n}(request: Request) -> Response:\n    checked = check(request)\n    if not checked:\n"
        "        raise Refused(request)\n    return Response(status=200, body=checked.body)\n```\n\n"
        "| step | takes | what it costs |\n|---|---|---|\n| read | {n} ms | little |\n| check | 2 ms | nothing |\n\n"
        "> What is not measured is not known.\n\n"
    )
    text = "".join(piece.format(n=n) for n in range(400))
    return re.findall(r"\s*[\w`*#|>-]{1,7}|\s*[^\w\s]|\s+", text)[:tokens]


def figures() -> str:
    """Processor time and the most memory of this process until now."""
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    now = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return f"{time.process_time()} {int(peak.split()[1]) / 1024} {int(now.split()[1]) / 1024}"


def tell(out: str, text: str) -> None:
    Path(out).write_text(text)


def log_of(messages: int) -> list[LastingEvent]:
    from protea.domain.events import MessageCompleted, PromptSubmitted, TurnFinished, TurnStarted
    from protea.domain.messages import Text
    from protea.domain.usage import Usage

    events: list[LastingEvent] = []
    for n in range(messages // 2):
        seq = 4 * n
        text = f"It is **so**: part {n} of `module_{n}` does it.\n\n- one\n- two\n\nAnd that is all of it, really. " * 2
        events += [
            PromptSubmitted(seq=seq + 1, id=f"p{n}", text=f"Question {n}?"),
            TurnStarted(seq=seq + 2, id=f"t{n}", prompt=f"p{n}", model="a/b"),
            MessageCompleted(seq=seq + 3, model="a/b", content=(Text(text),), stop="end_turn", usage=Usage()),
            TurnFinished(seq=seq + 4, id=f"t{n}", outcome="finished", turns=1, usage=Usage(900, 90)),
        ]
    return events


def ours(mode: str, out: str) -> None:
    from textual.app import App
    from textual.events import Key
    from textual.widgets import Input

    from protea.domain.events import MessageCompleted, PromptSubmitted, TextDelta, TurnStarted
    from protea.domain.messages import Text
    from protea.domain.usage import Usage
    from protea.interfaces.tui.driver import ScreenDriver, driver_for
    from protea.interfaces.tui.themes import THEMES, Look
    from protea.interfaces.tui.transcript.widget import Transcript

    look = Look(THEMES["dusk"])

    class Ours(App[None]):
        ENABLE_COMMAND_PALETTE = False
        CSS = "Input { dock: bottom; }"

        def __init__(self) -> None:
            super().__init__(driver_class=driver_for(None))

        def compose(self) -> ComposeResult:
            self.log_of = log_of(MESSAGES) if mode in ("long", "long-stream") else []

            async def older(before: int) -> Sequence[LastingEvent]:
                return self.log_of[max(0, before - 401) : before - 1]

            self.transcript = Transcript(lambda: look, older=older)
            yield self.transcript
            yield unblinking()

        async def on_mount(self) -> None:
            as_the_program_does()
            if mode in ("long", "long-stream"):
                for event in self.log_of:
                    self.transcript.advance(event)
            if mode == "grow":
                self.run_worker(self.grow())
            if mode in ("stream", "some", "long-stream"):
                self.run_worker(self.stream())
            self.query_one(Input).focus()
            assert isinstance(self._driver, ScreenDriver)
            self._driver.begin_reading(lambda event: False)

        async def on_event(self, event: Event) -> None:
            if isinstance(event, Key) and event.key in ("pageup", "pagedown", "f2"):
                if event.key == "f2":
                    self.exit()
                else:
                    self.transcript.act({"pageup": "page_up", "pagedown": "page_down"}[event.key])
                return
            await super().on_event(event)

        async def stream(self) -> None:
            first = len(self.log_of)
            self.transcript.advance(PromptSubmitted(seq=first + 1, id="x", text="Tell."))
            self.transcript.advance(TurnStarted(seq=first + 2, id="tx", prompt="x", model="a/b"))
            pieces = markdown(COMPARED if mode == "some" else TOKENS)
            await paced(pieces, lambda piece: self.transcript.advance(TextDelta(text=piece)))
            whole = (Text("".join(pieces)),)
            self.transcript.advance(
                MessageCompleted(seq=first + 3, model="a/b", content=whole, stop="end_turn", usage=Usage())
            )
            await asyncio.sleep(0.3)
            tell(out, f"{figures()} {len(self.screen.query('*'))}")
            if mode != "long-stream":
                self.exit()

        async def grow(self) -> None:
            told = []
            for number, event in enumerate(log_of(MESSAGES), 1):
                self.log_of.append(event)
                self.transcript.advance(event)
                if number % 8 == 0:
                    await asyncio.sleep(0.001)
                if number % (MESSAGES // 5) == 0:
                    told.append(figures().split()[2])
            tell(out, " ".join(told))
            self.exit()

    Ours().run()


def as_the_program_does() -> None:
    """Leave what was loaded alone, and look for garbage little by little."""
    from protea.interfaces.tui.app import GARBAGE

    gc.freeze()
    gc.set_threshold(*GARBAGE)


def unblinking() -> Input:
    """An input line that draws nothing by itself."""
    from textual.widgets import Input

    line = Input()
    line.cursor_blink = False
    return line


def plain(out: str) -> None:
    from textual.app import App
    from textual.containers import VerticalScroll
    from textual.widgets import Markdown

    class Plain(App[None]):
        ENABLE_COMMAND_PALETTE = False
        CSS = "Input { dock: bottom; }"

        def compose(self) -> ComposeResult:
            with VerticalScroll():
                yield Markdown()
            yield unblinking()

        def on_mount(self) -> None:
            as_the_program_does()
            self.query_one(VerticalScroll).anchor()
            self.run_worker(self.stream())

        async def stream(self) -> None:
            stream = Markdown.get_stream(self.query_one(Markdown))
            await paced(markdown(COMPARED), stream.write)
            await stream.stop()
            await asyncio.sleep(0.3)
            tell(out, f"{figures()} {len(self.screen.query('*'))}")
            self.exit()

    Plain().run()


def empty() -> None:
    from textual.app import App

    class Empty(App[None]):
        ENABLE_COMMAND_PALETTE = False
        CSS = "Input { dock: bottom; }"

        def compose(self) -> ComposeResult:
            yield unblinking()

        def on_mount(self) -> None:
            as_the_program_does()

        def on_key(self, event: Key) -> None:
            if event.key == "f2":
                self.exit()

    Empty().run()


async def paced(pieces: list[str], take: Callable[[str], Awaitable[object] | None]) -> None:
    begun = time.monotonic()
    for number, piece in enumerate(pieces, 1):
        if (done := take(piece)) is not None:
            await done
        if number % 25 == 0:
            await asyncio.sleep(max(0.0, begun + number / PACE - time.monotonic()))


# ── the terminal ───────────────────────────────────────────────────────────────────────────────────────────────────


class _Model(pyte.Screen):
    def report_device_status(self, *_: object, **__: object) -> None: ...

    def report_device_attributes(self, *_: object, **__: object) -> None: ...

    def select_graphic_rendition(self, *attributes: int, **_: object) -> None:
        super().select_graphic_rendition(*attributes)


class Terminal:
    """A program in a terminal of its own, and a model of what it draws."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None, cwd: str = ".") -> None:
        self.screen = _Model(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self.written = 0
        self.taken = b""
        """What has come and is not in the model yet."""
        self.at = 0.0
        """When it came."""
        self.pid, self.leader = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            given = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
            os.execve(command[0], command, given)

    def read(self, seconds: float) -> bool:
        """What comes within so many seconds, into the model. The model is slower than any terminal: what is timed is
        only `taken`."""
        return self.take(seconds) and self.draw()

    def take(self, seconds: float) -> bool:
        if not select.select([self.leader], [], [], max(0.0, seconds))[0]:
            return False
        try:
            data = os.read(self.leader, 1 << 16)
        except OSError:
            return False
        self.at = time.perf_counter()
        self.written += len(data)
        self.taken += data
        return bool(data)

    def draw(self) -> bool:
        self._stream.feed(self.taken)
        self.taken = b""
        return True

    def until(self, seen: Callable[[list[str]], bool], seconds: float = 120.0) -> float:
        """Seconds until something stands on the screen."""
        begun = time.perf_counter()
        while not seen(self.screen.display):
            if not self.read(begun + seconds - time.perf_counter()):
                sys.exit("it did not come:\n" + "\n".join(self.screen.display))
        return time.perf_counter() - begun

    def type(self, keys: bytes) -> None:
        os.write(self.leader, keys)

    def quiet(self, seconds: float = 0.5) -> None:
        while self.read(seconds):
            pass

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.type(b"\x1bOQ")
        end = time.monotonic() + 5
        while time.monotonic() < end and self.read(0.2):
            pass
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.leader)


def child(*words: str) -> list[str]:
    return [sys.executable, __file__, "--child", *words]


def p95(samples: list[float]) -> float:
    return statistics.quantiles(samples, n=20)[-1]


def echoes(terminal: Terminal) -> list[float]:
    """How long each key takes until what is typed comes out of the program again."""
    took = []
    typed = b""
    for number in range(KEYS):
        terminal.draw()
        letter = b"abcdefghij"[number % 10 : number % 10 + 1]
        typed += letter
        begun = time.perf_counter()
        terminal.type(letter)
        while typed not in terminal.taken:
            if not terminal.take(30):
                sys.exit("a key was not answered")
        took.append(terminal.at - begun)
        pause = time.perf_counter() + 0.04
        while (left := pause - time.perf_counter()) > 0:
            terminal.take(left)
    terminal.draw()
    terminal.until(lambda rows: any(typed.decode() in row for row in rows[-4:]), 30)
    return took


def pages(terminal: Terminal) -> list[float]:
    """How long a page takes from the key to the last byte of what it draws."""
    took = []
    for key in [b"\x1b[5~"] * 30 + [b"\x1b[6~"] * 10:
        terminal.draw()
        begun = time.perf_counter()
        terminal.type(key)
        while terminal.take(0.1):
            pass
        took.append(terminal.at - begun)
    return took


# ── what is measured ───────────────────────────────────────────────────────────────────────────────────────────────


def streamed(kind: list[str]) -> tuple[list[float], int]:
    """(processor time, peak and present MB, widgets) after an answer has come in, and the bytes that were drawn."""
    with tempfile.NamedTemporaryFile() as file:
        terminal = Terminal(child(*kind, file.name))
        while terminal.read(120):
            pass
        os.waitpid(terminal.pid, 0)
        os.close(terminal.leader)
        return [float(each) for each in Path(file.name).read_text().split()], terminal.written


def streaming(report: Report) -> None:
    mine, beside, whole = [], [], []
    for _ in range(rounds(3)):
        mine.append(streamed(["some"]))
        beside.append(streamed(["plain"]))
        whole.append(streamed(["stream"]))

    def of(samples: list[tuple[list[float], int]], place: int) -> float:
        return statistics.median(each[place] for each, _ in samples)

    note = f"{of(mine, 0):.1f} s beside {of(beside, 0):.1f} s, both with their start"
    report.figure(f"{COMPARED} tokens / MarkdownStream, processor", of(mine, 0) / of(beside, 0), 0.5, "x", note)
    note = f"{of(mine, 1):.0f} MB beside {of(beside, 1):.0f} MB"
    report.figure("  memory", of(mine, 1) / of(beside, 1), 1, "x", note)
    report.figure("  widgets", of(mine, 3), 10, "", f"beside {of(beside, 3):.0f}")
    drawn = whole[0][1] / 1e6
    report.figure(f"{TOKENS} tokens, processor, start included", of(whole, 0), 4.0, "s", f"{drawn:.1f} MB drawn")
    report.figure("  memory at its highest", of(whole, 1), 90, "MB")


def long_session(report: Report) -> None:
    blank = Terminal(child("empty"))
    blank.quiet(1.0)
    bare = echoes(blank)
    blank.close()
    for name, mode in (("idle", "long"), ("while 20,000 tokens stream in", "long-stream")):
        with tempfile.NamedTemporaryFile() as file:
            terminal = Terminal(child(mode, file.name))
            terminal.until(lambda rows: any("all of it, really" in row for row in rows))
            if mode == "long":
                terminal.quiet(1.0)
            took = echoes(terminal)
            middle, alone = statistics.median(took), statistics.median(bare)
            note = f"{middle * 1e3:.1f} ms beside {alone * 1e3:.1f} ms for an input line alone"
            limit = 1.5 if mode == "long" else 2.5
            report.figure(f"key echo among {MESSAGES} messages, {name}", middle / alone, limit, "x", note)
            report.figure("  of 100 keys 95 within", p95(took) * 1e3, None, "ms", f"alone {p95(bare) * 1e3:.1f} ms")
            if mode == "long":
                scrolled = pages(terminal)
                note = f"median {statistics.median(scrolled) * 1e3:.1f} ms"
                report.figure("a page further up or down, p95", p95(scrolled) * 1e3, 33, "ms", note)
            terminal.close()


def growing(report: Report) -> None:
    with tempfile.NamedTemporaryFile() as file:
        terminal = Terminal(child("grow", file.name))
        while terminal.read(300):
            pass
        os.waitpid(terminal.pid, 0)
        os.close(terminal.leader)
        steps = [float(each) for each in Path(file.name).read_text().split()]
    # The log itself stays in this process; what it weighs is in all of the steps.
    shown = ", ".join(f"{each:.0f}" for each in steps)
    report.figure("memory, the last fifth / the one before", steps[-1] / steps[-2], 1.1, "x", f"MB by fifths: {shown}")


def opening(report: Report) -> None:
    from long_session import EVENTS, long_log

    from protea.adapters.storage.jsonl import JsonlStore

    with tempfile.TemporaryDirectory() as folder:
        environment = make_home(Path(folder, "home"), {})
        long = long_log(Path(folder, "home/sessions"))
        store = JsonlStore(str(Path(folder, "home/sessions")))
        short = store.create("20250102-000000-short")
        short.append(list(store.read(long, 0, 10)), durable=False)
        short.close()
        took = []
        for _ in range(rounds(5)):
            for session in (long, "20250102-000000-short"):
                terminal = Terminal([*PROTEA, "-r", session], environment, folder)
                took.append(terminal.until(lambda rows: any("It is so. It is so." in row for row in rows)))
                terminal.close()
        longest, shortest = statistics.median(took[::2]), statistics.median(took[1::2])
        note = f"{longest * 1e3:.0f} ms beside {shortest * 1e3:.0f} ms for a session of 10 events, start included"
        report.figure(f"the end of {EVENTS} events, more than of 10", (longest - shortest) * 1e3, 400, "ms", note)


def main() -> None:
    if "--child" in sys.argv:
        mode, *rest = sys.argv[sys.argv.index("--child") + 1 :]
        if mode == "plain":
            plain(rest[0])
        elif mode == "empty":
            empty()
        else:
            ours(mode, rest[0])
        return
    report = Report("the transcript on a screen")
    parts = {"streaming": streaming, "long": long_session, "growing": growing, "opening": opening}
    wanted = [part for part in parts if part in sys.argv] or list(parts)
    for part in wanted:
        parts[part](report)
    report.exit()


if __name__ == "__main__":
    main()
