"""Draws docs/protea.svg: what a real run of the README's main job looks like in a terminal.

    .venv/bin/python scripts/picture.py

The command runs in a terminal of its own (a pseudo-terminal read by pyte), in this checkout, with an empty home and no
key: the picture shows what the offline model did, not what someone would like it to look like.
"""

from __future__ import annotations

import os
import pty
import select
import sys
import tempfile
import time
from html import escape
from pathlib import Path

import pyte

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "find every TODO in src, then tell me which file has the most"
WIDTH, HEIGHT = 100, 60
CELL, LINE = 8.4, 18
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


def rows(screen: pyte.Screen) -> list[str]:
    """Each line of the screen as SVG spans, trailing empty lines left out."""
    found = []
    for y in range(screen.lines):
        spans, x = [], 0
        line = screen.buffer[y]
        while x < screen.columns:
            cell, text, start = line[x], "", x
            style = (cell.fg, cell.bold, cell.italics)
            while x < screen.columns and (line[x].fg, line[x].bold, line[x].italics) == style:
                text += line[x].data
                x += 1
            if text.strip():
                lead = len(text) - len(text.lstrip())
                colour = COLOURS.get(cell.fg, f"#{cell.fg}" if len(cell.fg) == 6 else COLOURS["default"])
                weight = ' font-weight="bold"' if cell.bold else ""
                left = 16 + (start + lead) * CELL
                spans.append(f'<tspan x="{left:.1f}" fill="{colour}"{weight}>{escape(text.strip())}</tspan>')
        found.append("".join(spans))
    while found and not found[-1]:
        found.pop()
    return found


def main() -> None:
    screen, code = run([str(ROOT / "scripts/run"), "-p", PROMPT])
    if code != 0:
        sys.exit(f"the run ended with {code}")
    typed = f'<tspan x="16" fill="{COLOURS["green"]}">$</tspan> scripts/run -p "{escape(PROMPT)}"'
    lines = [typed, *rows(screen)]
    width, height = 32 + WIDTH * CELL, 56 + LINE * len(lines)
    body = "\n".join(f'<text y="{52 + LINE * n}">{line}</text>' for n, line in enumerate(lines))
    dots = "".join(f'<circle cx="{20 + 18 * n}" cy="18" r="5" fill="#4b5263"/>' for n in range(3))
    (ROOT / "docs/protea.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" font-size="14" '
        f'font-family="ui-monospace, Menlo, DejaVu Sans Mono, monospace" fill="{COLOURS["default"]}" '
        f'xml:space="preserve"><title>{escape(PROMPT)}</title>'
        f'<rect width="100%" height="100%" rx="8" fill="#282c34"/>{dots}\n{body}\n</svg>\n',
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
