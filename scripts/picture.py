"""Draws docs/protea.svg, what a real run of the README's main job looks like in a terminal, and docs/screen.svg, the
full screen while it asks, and docs/web-ui.png, the same in a browser.

    .venv/bin/python scripts/picture.py                the two of the terminal
    .venv/bin/python scripts/picture.py browser        the one of the browser; it needs Chromium

The command runs in a terminal of its own (a pseudo-terminal read by pyte), in this checkout, with an empty home and no
key: the picture shows what the offline model did, not what someone would like it to look like.
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

import pyte

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "find every TODO in src, then tell me which file has the most"
WIDTH, HEIGHT = 100, 60
CELL, LINE = 8.4, 18
BACKGROUND = "#282c34"
COLOURS = {
    "default": "#d7dae0", "black": "#5c6370", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#ffffff",
    "brightblack": "#7f848e", "yellow": "#e5c07b",
}  # fmt: skip


def run(command: list[str], seconds: float = 60) -> tuple[pyte.Screen, int]:
    """The screen after the command, and its exit code."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as home:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(ROOT)
            kept = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
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
        home = str(project.parent / "home")
        kept = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        os.execve(str(ROOT / "scripts/run"), ["run"], kept)
    until = time.monotonic() + 60
    for wanted, typed in keys:
        while wanted not in "\n".join(screen.display):
            if not select.select([terminal], [], [], until - time.monotonic())[0]:
                sys.exit(f"{wanted!r} did not come:\n" + "\n".join(screen.display))
            stream.feed(os.read(terminal, 65536))
        os.write(terminal, typed.encode())
    while select.select([terminal], [], [], 1.5)[0]:
        stream.feed(os.read(terminal, 65536))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(terminal)
    return screen


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
                + f">{escape(text)}</tspan>"
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
        f'font-family="ui-monospace, Menlo, DejaVu Sans Mono, monospace" fill="{COLOURS["default"]}" '
        f'xml:space="preserve"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>{dots}\n{body}\n</svg>\n',
        encoding="utf-8",
    )


def garden(folder: str) -> Path:
    """A small project."""
    project = Path(folder, "garden")
    (project / "src").mkdir(parents=True)
    (project / "README.md").write_text("# Garden\n\nWhat grows where.\n")
    (project / "src/beds.py").write_text("def area(width, depth):\n    return width * depth  # TODO: paths\n")
    (project / "src/plants.py").write_text("PLANTS = ['leek', 'kale']  # TODO: more\n")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=project, check=True)
    return project


def full_screen() -> pyte.Screen:
    """The file tree open, a change asked about."""
    with tempfile.TemporaryDirectory() as folder:
        project = garden(folder)
        keys = [
            (" NORMAL ", "find every TODO in src\r"),
            (" out · ", "\x18f"),
            ("files 3", "ireplace Garden with Kitchen garden in README.md\r"),
            ("y allow once", ""),
        ]
        return use(project, keys, (104, 30))


def browser(path: Path) -> None:
    """The same in a browser."""
    sys.path.insert(0, str(ROOT))
    from tests.interfaces.web.chromium import PROGRAM, Chromium

    if PROGRAM is None:
        sys.exit("this picture needs Chromium (package chromium)")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        home.mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}
        command = [str(ROOT / "scripts/run"), "web", "--port=0", "--no-open", "-C", str(garden(folder))]
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        try:
            with Chromium() as running:
                page = running.open()
                scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
                page.ask("Emulation.setEmulatedMedia", features=scheme)
                page.resize(1040, 620)
                page.go(address)
                page.see(" NORMAL ")
                page.type("find every TODO in src\r")
                page.see(" out · ")
                page.press("x", control=True)
                page.type("f")
                page.see("files 3")
                page.type("ireplace Garden with Kitchen garden in README.md\r")
                page.see("y allow once")
                page.quiet(0.5)
                page.picture(str(path))
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()


def main(words: list[str]) -> None:
    if words == ["browser"]:
        browser(ROOT / "docs/web-ui.png")
        return
    screen, code = run([str(ROOT / "scripts/run"), "-p", PROMPT])
    if code != 0:
        sys.exit(f"the run ended with {code}")
    typed = f'<tspan x="16" fill="{COLOURS["green"]}">$</tspan> scripts/run -p "{escape(PROMPT)}"'
    draw(ROOT / "docs/protea.svg", PROMPT, [typed, *rows(screen)], WIDTH)
    draw(ROOT / "docs/screen.svg", "The full screen", rows(full_screen()), 104)


if __name__ == "__main__":
    main(sys.argv[1:])
