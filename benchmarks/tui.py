"""The full screen over a real terminal with a screen model: first frame, key echo, what it costs while nothing happens
and while 20,000 tokens come in; beside a plain Textual app that streams the same text into its Markdown widget."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from long_session import long_log
from measure import Report, rounds
from msgspec.structs import replace
from project import PROTEA, make_home, make_project
from provider import PACED_SECONDS, PACED_TOKENS, Provider
from terminal import Terminal, percentile
from transcript import MESSAGES, log_of

from protea.adapters.storage.jsonl import JsonlStore
from protea.domain.events import SessionStarted
from protea.interfaces.tui.fuzzy import Finder
from protea.interfaces.tui.tab import AT_ONCE

MARK = "❯ "
READING = 2.0
"""Seconds from when the end of a long session is shown in which the rest of it is still being read."""


def first_frames(report: Report, project: str, environment: dict[str, str]) -> None:
    """From the start of the process until the composer stands, and until it has taken a key."""
    bare, frames, keys, whole = [], [], [], []
    nothing = [sys.executable, "-I", "-c", "import os; os.write(1, b'ready')"]
    for number in range(rounds(15) + 1):
        with Terminal(nothing, environment, project) as terminal:
            before = terminal.until(lambda shown: "ready" in shown)
        with Terminal(PROTEA, environment, project) as terminal:
            frame = terminal.until(lambda shown: MARK in shown)
            terminal.type("k")
            key = terminal.until(lambda shown: f"{MARK}k" in shown)
            full = terminal.until(lambda shown: " NORMAL " in shown)
        if number:  # the first round is for caches and bytecode
            bare.append(before)
            frames.append(frame)
            keys.append(key)
            whole.append(full)
    middle = [percentile(values, 0.5) * 1e3 for values in (bare, frames, keys, whole)]
    note = f"{middle[1]:.1f} ms beside {middle[0]:.1f} ms"
    report.figure("first frame beyond the bare interpreter", middle[1] - middle[0], 12, "ms", note)
    report.figure("first key taken and shown, beyond it", middle[2] - middle[0], None, "ms")
    report.figure("the whole screen, beyond it", middle[3] - middle[0], None, "ms")


def far_away(report: Report, project: str, environment: dict[str, str]) -> None:
    """The first frame over a line that takes 32 kB a second, and inside tmux; beside as many bytes, and as little, from
    the bare interpreter."""
    with Terminal(PROTEA, environment, project) as terminal:
        terminal.put_off()
        terminal.until_written(MARK)
        size = terminal.unread
    bare = [sys.executable, "-I", "-c", f"import os; os.write(1, b'.' * {size - 5} + b'ready')"]
    frame = [*PROTEA]
    tmux = shutil.which("tmux")
    ways = {"over 32 kB a second": 32_000, "inside tmux": 0} if tmux else {"over 32 kB a second": 32_000}
    for name, rate in ways.items():
        took: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds(7) + 1):
            for command, mark, times in ((bare, "ready", took[0]), (frame, MARK, took[1])):
                given = {**environment, "TERM": "xterm-256color"}
                # A server of its own each time: one that has been told to end may still take the next one's call.
                server = [str(tmux), "-L", f"bench-{os.getpid()}-{len(took[0])}-{len(took[1])}"]
                around = [] if rate else [*server, "-f", os.devnull, "new-session", "--"]
                with Terminal([*around, *command], given, project, rate) as terminal:
                    terminal.put_off()
                    times.append(terminal.until_written(mark))
                if around:
                    subprocess.run([*server, "kill-server"], capture_output=True, check=False)
        theirs, ours = (percentile(each[1:], 0.5) * 1e3 for each in took)
        note = f"{ours:.1f} ms beside {theirs:.1f} ms, {size} bytes"
        report.figure(f"first frame {name}, beyond it", ours - theirs, 12, "ms", note)


def reading_on(report: Report, environment: dict[str, str]) -> None:
    """Keys while a session of 100,000 events, whose end is shown, is read to go on with it."""
    session = long_log(Path(environment["PROTEA_HOME"], "sessions"))
    with Terminal([*PROTEA, "-r", session], environment) as terminal:
        terminal.until(lambda shown: "It is so. It is so." in shown and " NORMAL " in shown)
        terminal.type("x")
        terminal.until(lambda shown: composer(terminal) == "x")
        row = next(y for y, line in enumerate(terminal.screen.display) if line.startswith(f"{MARK}x"))
        terminal.put_off()
        cpu = terminal.cpu()
        times = echoes(terminal, row, READING)
        share = (terminal.cpu() - cpu) / READING
        note = f"p50 {percentile(times, 0.5) * 1e3:.1f} ms, slowest {max(times) * 1e3:.1f} ms, {len(times)} keys"
        report.figure("key echo while 100,000 events are read, p95", percentile(times, 0.95) * 1e3, 16, "ms", note)
        report.figure("the processor is busy meanwhile", share * 100, None, "%")


def composer(terminal: Terminal) -> str:
    """What stands in the composer."""
    for line in reversed(terminal.screen.display):
        if line.startswith(MARK):
            text = line.removeprefix(MARK).rstrip()
            return "" if text.startswith("Ask, or") else text
    return ""


def says(text: str) -> Callable[[str], bool]:
    return lambda shown: text in shown


def holds(where: Callable[[Terminal], str], terminal: Terminal, text: str, shown: str) -> bool:
    return bool(where(terminal) == text)


def plain_input(terminal: Terminal) -> str:
    text = terminal.screen.display[-2].strip(" ▊▎│┃█▏▌").rstrip()
    return "" if text == "ready" else text


def idle_and_echo(report: Report, project: str, environment: dict[str, str]) -> None:
    with Terminal(PROTEA, environment, project) as terminal:
        terminal.until(lambda shown: " NORMAL " in shown)
        terminal.settle(2)
        cpu, woken, begin = terminal.cpu(), terminal.woken(), time.perf_counter()
        while time.perf_counter() - begin < 10:
            terminal.read(0.5)
        seconds = time.perf_counter() - begin
        report.figure("processor time while nothing happens", (terminal.cpu() - cpu) / seconds * 100, 0.3, "%")
        report.figure("times it is woken meanwhile", (terminal.woken() - woken) / seconds, 0.2, "/s")
        terminal.type("x")
        terminal.until(lambda shown: f"{MARK}x" in shown)
        row = next(y for y, line in enumerate(terminal.screen.display) if line.startswith(f"{MARK}x"))
        terminal.put_off()
        cpu = terminal.cpu()
        times = echoes(terminal, row, 30)
        cost = (terminal.cpu() - cpu) / len(times) * 1e3
        note = f"p50 {percentile(times, 0.5) * 1e3:.1f} ms, {len(times)} keys of {cost:.1f} ms of processor time"
        report.figure("key echo, idle, p95", percentile(times, 0.95) * 1e3, 16, "ms", note)


def echoes(terminal: Terminal, row: int, seconds: float) -> list[float]:
    """How long each key takes that is typed behind an `x` in that row, for so many seconds or a row full."""
    found = []
    typed = "x"
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and len(typed) < 60:
        pause = time.perf_counter() + 0.04 + len(typed) * 7 % 10 / 200
        while (left := pause - time.perf_counter()) > 0:
            terminal.read(left)
        character = "abcdefgh"[len(typed) % 8]
        found.append(terminal.echo_in_row(character, typed, row))
        typed += character
    return found


def streaming(report: Report, project: str, environment: dict[str, str]) -> None:
    figures = []
    model = ["-m", "bench-openai-chat/one"]
    # A quarter of the text for the plain app: with all of it, it does not come to an end within minutes.
    less, shorter = PACED_TOKENS // 4, PACED_SECONDS / 4
    plain = [sys.executable, str(Path(__file__).with_name("plain_screen.py")), str(less), str(shorter)]
    for command, ready, where, end, seconds in (
        ([*PROTEA, *model], " NORMAL ", composer, "the end of it", PACED_SECONDS),
        (plain, "ready", plain_input, "streamed to the end", shorter),
    ):
        with Terminal(command, environment, project) as terminal:
            terminal.until(says(ready))
            terminal.settle(1)
            cpu = terminal.cpu()
            terminal.type("go")
            terminal.until(lambda shown: "go" in shown)
            row = next(y for y, line in enumerate(terminal.screen.display) if "go" in line)
            terminal.type("\r")
            terminal.until(lambda shown: "word" in shown)
            terminal.type("x")
            terminal.until(partial(holds, where, terminal, "x"))
            terminal.put_off()
            times = echoes(terminal, row, seconds * 0.8)
            while not terminal.wrote(end):
                terminal.read(1)
            terminal.settle(1, 3)
            terminal.catch_up()
            figures.append((percentile(times, 0.95) * 1e3, percentile(times, 0.5) * 1e3, terminal.cpu() - cpu,
                            terminal.peak(), len(times)))  # fmt: skip
    (ours, middle, cost, memory, count), (theirs, their_middle, their_cost, their_memory, _) = figures
    report.figure("key echo while 20,000 tokens come, p95", ours, 16, "ms",
                  f"p50 {middle:.1f} ms, {count} keys; beside {theirs:.1f} ms, p50 {their_middle:.1f} ms")  # fmt: skip
    report.figure("the same, beside the plain app", ours / theirs, 1, "x")
    report.figure("processor time of 20,000 tokens", cost, 4, "s", f"beside {their_cost:.1f} s of {less:,}")
    report.figure("the same per token, beside the plain app", cost / PACED_TOKENS / (their_cost / less), 1, "x")
    report.figure("memory at its highest", memory, None, "MB", f"beside {their_memory:.0f} MB")


def files(report: Report) -> None:
    """The slowest key of some that are typed behind an @ in a project of 50,000 files (processor time)."""
    chance = random.Random(3)
    words = [
        "auth",
        "user",
        "login",
        "token",
        "view",
        "model",
        "test",
        "index",
        "main",
        "core",
        "util",
        "server",
        "client",
        "page",
        "form",
        "list",
        "item",
        "data",
    ]
    paths = [
        "/".join(chance.choices(words, k=chance.randint(1, 5)))
        + f"/{chance.choice(words)}_{chance.choice(words)}{n}.py"
        for n in range(50_000)
    ]
    finder = Finder(paths)
    held, whole = [], []
    for query in ("authlogin", "zzzz", "user_view", "srvclnt", "ttttttt", "core/page", "aeiou", "test_data49999.py"):
        for length in range(1, len(query) + 1):
            begin = last = time.process_time()
            for number, _ in enumerate(finder.search(query[:length], 8), 1):
                if number >= AT_ONCE:  # as the screen does: so many pieces, then keys may come between two
                    held.append(time.process_time() - last)
                    last = time.process_time()
            whole.append(time.process_time() - begin)
            held.append(time.process_time() - last)
    note = f"p50 {percentile(held, 0.5) * 1e3:.1f} ms"
    report.figure("a key behind @ among 50,000 files, slowest", max(held) * 1e3, 30, "ms", note)
    note = f"p50 {percentile(whole, 0.5) * 1e3:.1f} ms"
    report.figure("the same until all files were looked at", max(whole) * 1e3, None, "ms", note)


def long_session(report: Report, project: str, environment: dict[str, str]) -> None:
    """A session of 10,000 messages: keys, pages, another size, another window; keys while an answer comes."""
    store, session = JsonlStore(f"{environment['PROTEA_HOME']}/sessions"), "20250101-000000-many"
    begun = SessionStarted(version="1", cwd=project, profile="coding", model="bench-openai-chat/one")
    log = store.create(session)
    stamp = {"session": session, "at": "2025-01-01T00:00:00.000Z"}
    events = [begun, *log_of(MESSAGES)]
    log.append([replace(event, seq=seq, **stamp) for seq, event in enumerate(events, 1)], durable=False)
    log.close()
    with Terminal([*PROTEA, "-r", session], environment, project) as terminal:
        terminal.until(lambda shown: "all of it, really" in shown and " NORMAL " in shown)
        terminal.settle(2, 20)
        terminal.type("x")
        terminal.until(lambda shown: composer(terminal) == "x")
        row = next(y for y, line in enumerate(terminal.screen.display) if line.startswith(f"{MARK}x"))
        terminal.put_off()
        times = echoes(terminal, row, 20)
        note = f"p50 {percentile(times, 0.5) * 1e3:.1f} ms"
        report.figure("key echo among 10,000 messages, p95", percentile(times, 0.95) * 1e3, 16, "ms", note)
        pages = [terminal.drawn(partial(terminal.type, key)) for key in ["\x1b[5~"] * 20 + ["\x1b[6~"] * 25]
        note = f"p50 {percentile([each[0] for each in pages], 0.5) * 1e3:.1f} ms"
        report.figure("a page up or down, p95", percentile([each[0] for each in pages], 0.95) * 1e3, 33, "ms", note)
        whole = [terminal.drawn(lambda: terminal.type("\x0c")) for _ in range(9)]  # Ctrl+L
        other = [terminal.drawn(partial(terminal.resize, *size)) for size in [(110, 40), (120, 39), (120, 40)] * 3]
        left = [terminal.drawn(partial(terminal.type, key)) for key in ["\x1b[O", "\x1b[I"] * 5]

        def middle(found: list[tuple[float, float, int]], place: int) -> float:
            return percentile([each[place] for each in found], 0.5)

        note = f"processor {middle(other, 1) * 1e3:.1f} ms beside {middle(whole, 1) * 1e3:.1f} ms"
        report.figure("another size draws, of all that is seen", middle(other, 2) / middle(whole, 2), 1.5, "x", note)
        note = f"processor {middle(left, 1) * 1e3:.1f} ms"
        report.figure("another window draws, of all that is seen", middle(left, 2) / middle(whole, 2), 0.1, "x", note)
        terminal.type("\x15go\r")
        while not terminal.wrote("word"):
            terminal.read(1)
        terminal.catch_up()
        terminal.type("x")
        terminal.until(lambda shown: composer(terminal) == "x")
        row = next(y for y, line in enumerate(terminal.screen.display) if line.startswith(f"{MARK}x"))
        terminal.put_off()
        times = echoes(terminal, row, PACED_SECONDS * 0.7)
        while not terminal.wrote("the end of it"):
            terminal.read(1)
        note = f"p50 {percentile(times, 0.5) * 1e3:.1f} ms, {len(times)} keys"
        report.figure("the same while 20,000 tokens come, p95", percentile(times, 0.95) * 1e3, 16, "ms", note)


def main() -> None:
    report = Report("tui")
    with tempfile.TemporaryDirectory() as folder, Provider("paced") as provider:
        project = str(make_project(Path(folder, "project")))
        environment = make_home(Path(folder, "home"), {"openai-chat": provider.address("openai-chat")})
        os.makedirs(project, exist_ok=True)
        parts = {
            "start": lambda: first_frames(report, project, environment),
            "far": lambda: far_away(report, project, environment),
            "idle": lambda: idle_and_echo(report, project, environment),
            "files": lambda: files(report),
            "long": lambda: long_session(report, project, environment),
            "reading": lambda: reading_on(report, environment),
            "streaming": lambda: streaming(report, project, environment),
        }
        for part in [part for part in parts if part in sys.argv] or parts:
            parts[part]()
    report.exit()


if __name__ == "__main__":
    main()
