"""Draws docs/screen.svg, the full screen in the midst of a plan, docs/protea.svg, what a real run of the README's main
job looks like in a terminal, and docs/web-ui.png, the screen in a browser with work going on beside it.

    .venv/bin/python scripts/picture.py                the two of the terminal
    .venv/bin/python scripts/picture.py browser        the one of the browser; it needs Chromium

The commands run in a terminal of their own (a pseudo-terminal read by pyte), with an empty home, no key and a project
that is trusted: the pictures show what the offline model did, not what someone would like it to look like.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from tests.interfaces.web.chromium import Page

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "find every TODO in src, then tell me which file has the most"
WIDTH, HEIGHT = 100, 60
CELL, LINE = 8.4, 18
NO_BREAK = "\u00a0"
"""A blank that is drawn wherever it stands."""
BACKGROUND = "#282c34"
COLOURS = {
    "default": "#d7dae0", "black": "#5c6370", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#ffffff",
    "brightblack": "#7f848e", "yellow": "#e5c07b",
}  # fmt: skip


def environment(home: str | Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}


def run(command: list[str], seconds: float = 60) -> tuple[pyte.Screen, int]:
    """The screen after the command, and its exit code."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as home:
        kept = environment(home)
        subprocess.run(
            [command[0], "trust"], cwd=ROOT, env=kept, stdin=subprocess.DEVNULL, check=True, capture_output=True
        )
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(ROOT)
            os.execve(command[0], command, {**kept, "COLUMNS": str(WIDTH), "LINES": str(HEIGHT)})
        until = time.monotonic() + seconds
        while time.monotonic() < until and select.select([terminal], [], [], until - time.monotonic())[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # how Linux says that the other side is gone
                break
            if not data:
                break
            stream.feed(data)
        _, status = os.waitpid(child, 0)
        os.close(terminal)
    return screen, os.waitstatus_to_exitcode(status)


def use(project: Path, keys: list[tuple[str, str]], size: tuple[int, int]) -> pyte.Screen:
    """The full screen in a project, after each wait for a text and the keys typed then."""
    screen = pyte.Screen(*size)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(project)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.execve(str(ROOT / "scripts/run"), ["run"], environment(project.parent))
    until = time.monotonic() + 60
    for wanted, typed in keys:
        while wanted not in "\n".join(screen.display):
            if not select.select([terminal], [], [], until - time.monotonic())[0]:
                sys.exit(f"{wanted!r} did not come:\n" + "\n".join(screen.display))
            stream.feed(os.read(terminal, 65536))
        settle(stream, terminal)  # what is typed in the first moment of a question is no answer to it
        os.write(terminal, typed.encode())
    settle(stream, terminal)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(terminal)
    return screen


def settle(stream: pyte.ByteStream, terminal: int) -> None:
    """Read until nothing was drawn for a while."""
    while select.select([terminal], [], [], 1)[0]:
        stream.feed(os.read(terminal, 65536))


def rows(screen: pyte.Screen) -> list[str]:
    """Each line of the screen as SVG spans, trailing empty lines left out."""
    found = []
    for y in range(screen.lines):
        spans, x = [], 0
        line = screen.buffer[y]
        while x < screen.columns:
            cell, text, start = line[x], "", x
            style = (cell.fg, cell.bg, cell.bold, cell.reverse)
            while x < screen.columns and (line[x].fg, line[x].bg, line[x].bold, line[x].reverse) == style:
                text += line[x].data
                x += 1
            colour, ground = _colour(cell.fg), "" if cell.bg == "default" else _colour(cell.bg)
            if cell.reverse:
                colour, ground = ground or BACKGROUND, colour
            if ground:
                spans.append((start, "█" * len(text), ground, False))
            if text.strip():
                lead = len(text) - len(text.lstrip())
                spans.append((start + lead, text.strip(), colour, cell.bold))
        found.append(
            "".join(
                f'<tspan x="{16 + at * CELL:.1f}" fill="{colour}"'
                + (' font-weight="bold"' if bold else "")
                + (f' textLength="{len(text) * CELL:.1f}"' if text[0] in "█─" else "")
                + f">{escape(text).replace(' ', NO_BREAK)}</tspan>"
                for at, text, colour, bold in spans
            )
        )
    while found and not found[-1]:
        found.pop()
    return found


def _colour(name: str) -> str:
    return COLOURS.get(name, f"#{name}" if len(name) == 6 else COLOURS["default"])


def draw(path: Path, title: str, lines: list[str], columns: int) -> None:
    width, height = 32 + columns * CELL, 56 + LINE * len(lines)
    body = "\n".join(f'<text y="{52 + LINE * n}">{line}</text>' for n, line in enumerate(lines))
    dots = "".join(f'<circle cx="{20 + 18 * n}" cy="18" r="5" fill="#4b5263"/>' for n in range(3))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="14" '
        f'font-family="ui-monospace, Menlo, DejaVu Sans Mono, monospace" fill="{COLOURS["default"]}">'
        f"<title>{escape(title)}</title>"
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>{dots}\n{body}\n</svg>\n',
        encoding="utf-8",
    )


BEDS = '''PATH = 0.4


def area(width: float, depth: float) -> float:
    """What can be planted of a bed, in square metres."""
    return width * depth  # TODO: paths take room
'''
PLANTS = '''PLANTS = ["leek", "kale"]


def row(plant: str, metres: float) -> int:
    """How many of it stand in a row."""
    return int(metres / 0.3)  # TODO: by plant
'''


def garden(folder: str) -> Path:
    """A small project in somebody's home."""
    project = Path(folder, "garden")
    project.mkdir()
    (project / "README.md").write_text("# Garden\n\nWhat grows where.\n")
    (project / "Makefile").write_text("test:\n\tpython3 -m unittest\nserve:\n\t@echo listening at 8000; sleep 300\n")
    (project / "beds.py").write_text(BEDS)
    (project / "plants.py").write_text(PLANTS)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=project, check=True)
    return project


def full_screen() -> pyte.Screen:
    """A plan that was agreed to: its first change is made, the second is made by an agent, which asks about it."""
    plan = (
        'propose: find every TODO; replace "/ 0.3" with "/ SPACING[plant]" in plants.py; '
        'send an agent to replace "width * depth" with "(width - PATH) * depth" in beds.py'
    )
    with tempfile.TemporaryDirectory() as folder:
        project = garden(folder)
        keys = [
            (" NORMAL ", "\x1b[Z"),
            (" PLAN ", f"{plan}\r"),
            ("y carry it out", "y"),
            ("Edit(~/garden/plants.py)", "y"),
            ("effects: delegate", "y"),
            ("Edit(~/garden/beds.py)", "\x14"),
            ("plan 2 of 3 done", "\x1b"),
        ]
        return use(project, keys, (116, 38))


def browser(path: Path) -> None:
    """A command and an agent in the background, their pane and the files open, a change asked about, in a browser."""
    sys.path.insert(0, str(ROOT))
    from tests.interfaces.web.chromium import PROGRAM, Chromium

    if PROGRAM is None:
        sys.exit("this picture needs Chromium (package chromium)")
    with tempfile.TemporaryDirectory() as folder:
        command = [str(ROOT / "scripts/run"), "web", "--port=0", "--no-open", "-C", str(garden(folder))]
        server = subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        try:
            with Chromium() as running:
                page = running.open()
                scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
                page.ask("Emulation.setEmulatedMedia", features=scheme)
                page.resize(1180, 640)
                page.go(address)
                page.see(" NORMAL ")
                page.type("run `make serve` in the background\r")
                answer(page, "y allow once", " out · ")
                page.type("send an agent to find every TODO, in the background\r")
                answer(page, "effects: delegate", "has ended: done")
                page.press("x", control=True)
                page.type("k")
                page.see("tasks ")
                page.press("x", control=True)
                page.type("f")
                page.see("files 4")
                page.type("ireplace Garden with Kitchen garden in README.md\r")
                page.see("Edit(~/garden/README.md)")
                page.quiet(0.5)
                page.picture(str(path))
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()


def answer(page: Page, question: str, then: str) -> None:
    """Allow what is asked, once, and wait for what comes of it."""
    page.see(question)
    page.quiet(0.5)
    page.type("y")
    page.see(then)
    page.quiet(0.5)


def main(words: list[str]) -> None:
    if words == ["browser"]:
        browser(ROOT / "docs/web-ui.png")
        return
    screen, code = run([str(ROOT / "scripts/run"), "-p", PROMPT])
    if code != 0:
        sys.exit(f"the run ended with {code}")
    typed = f'<tspan x="16" fill="{COLOURS["green"]}">$</tspan> scripts/run -p "{escape(PROMPT)}"'
    draw(ROOT / "docs/protea.svg", PROMPT, [typed, *rows(screen)], WIDTH)
    draw(ROOT / "docs/screen.svg", "The full screen", rows(full_screen()), 116)


if __name__ == "__main__":
    main(sys.argv[1:])
