"""The conversation as plain lines, until the transcript's own widget stands here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from protea.domain.events import AnyEvent, MessageCompleted, PromptSubmitted, TextDelta, ToolCallChanged, TurnFinished
from protea.domain.messages import text_of
from protea.domain.view import call_object, result_summary
from protea.interfaces.terminal import visible
from protea.interfaces.tui.frame import wrap
from protea.interfaces.tui.themes import Look


class Transcript(ScrollView, can_focus=False):
    """`load` what was, `advance` by what happens."""

    DEFAULT_CSS = "Transcript { height: 1fr; scrollbar-size: 1 1; overflow-x: hidden; }"

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__()
        self._look = look
        self._lines: list[tuple[str, str]] = []
        self._open = ""

    def load(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            self._take(event)
        self._settle()

    def advance(self, event: AnyEvent) -> None:
        self._take(event)
        self._settle()

    def act(self, action: str) -> bool:
        """Scroll."""
        page = max(1, self.size.height - 2)
        steps = {
            "page_up": -page,
            "page_down": page,
            "half_up": -page // 2,
            "half_down": page // 2,
            "line_up": -1,
            "line_down": 1,
            "top": -(10**9),
            "bottom": 10**9,
        }
        step = steps.get(action.removeprefix("transcript."))
        if step is not None:
            self.scroll_relative(y=step, animate=False)
        return step is not None

    def _take(self, event: AnyEvent) -> None:
        match event:
            case PromptSubmitted():
                self._say("user", event.text)
            case TextDelta():
                self._open += event.text
            case MessageCompleted():
                self._open = ""
                self._say("text", text_of(event.content))
            case ToolCallChanged(state="success" | "error" | "cancelled"):
                self._say("dim", f"● {event.call.name} {call_object(event.call)} {result_summary(event.result)}")
            case TurnFinished() if event.outcome != "finished":
                self._say("bad", event.error.message if event.error else event.outcome)
            case _:
                pass

    def _say(self, role: str, text: str) -> None:
        if text:
            width = max(10, self.size.width - 2)
            self._lines += [(role, visible(text)[begin:end]) for begin, end in wrap(visible(text), width)]
            self._lines.append(("text", ""))

    def _settle(self) -> None:
        at_end = self.scroll_offset.y >= self.max_scroll_y - 1
        width = max(10, self.size.width - 2)
        self._tail = [("text", self._open[begin:end]) for begin, end in wrap(self._open, width)] if self._open else []
        self.virtual_size = Size(self.size.width, len(self._lines) + len(self._tail))
        if at_end:
            self.scroll_end(animate=False)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        at = self.scroll_offset.y + y
        shown = [*self._lines, *self._tail][at : at + 1] if at >= 0 and hasattr(self, "_tail") else []
        if not shown:
            return Strip.blank(self.size.width)
        role, text = shown[0]
        return Strip([Segment(" " + text, self._look()[role])]).adjust_cell_length(self.size.width)
