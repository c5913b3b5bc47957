"""The yardstick of tui.py: Textual's own Markdown widget, streamed into, above an input. No session, no log.

plain_screen.py TOKENS SECONDS      streams so many tokens over so many seconds once Enter is pressed
"""

from __future__ import annotations

import asyncio
import sys

from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, Label, Markdown

sys.path.insert(0, __file__.rpartition("/")[0])
from provider import paced_text


class Plain(App[None]):
    CSS = "VerticalScroll { height: 1fr; } Input { dock: bottom; }"

    def compose(self) -> ComposeResult:
        yield Label("plain")
        with VerticalScroll() as scroll:
            scroll.anchor()
            yield Markdown()
        yield Input(placeholder="ready")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.value = ""
        self.run_worker(self.stream())

    async def stream(self) -> None:
        tokens, seconds = int(sys.argv[1]), float(sys.argv[2])
        stream = Markdown.get_stream(self.query_one(Markdown))
        pieces = paced_text(tokens).split(" ")
        begin = asyncio.get_running_loop().time()
        for number, piece in enumerate(pieces):
            await stream.write(piece + " ")
            due = begin + seconds * number / len(pieces)
            wait = due - asyncio.get_running_loop().time()
            if wait > 0.001 or number % 20 == 0:
                await asyncio.sleep(max(0.0, wait))
        await stream.stop()
        self.query_one(Label).update("streamed to the end")


Plain().run()
