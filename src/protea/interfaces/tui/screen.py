"""The main screen: tabs, panes, the status bar, and which of them a key is for."""

from __future__ import annotations

import time

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen

from protea.domain.commands import SubmitPrompt
from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.driver import Typed
from protea.interfaces.tui.status import Facts, StatusBar
from protea.interfaces.tui.tab import Tab

HINT = 4.0
"""Seconds a hint stands."""
TWICE = 2.0
"""Seconds within which a second Ctrl+C leaves, or a second Esc goes back."""


class MainScreen(Screen[None], inherit_bindings=False):
    """Everything but what opens over it."""

    DEFAULT_CSS = """
    MainScreen { layout: vertical; background: $background; }
    #body { height: 1fr; }
    """

    def __init__(self, desk: Desk, first: Tab) -> None:
        super().__init__()
        self.desk = desk
        self.tabs = [first]
        self.tab = first
        self.status = StatusBar(lambda: desk.look, self.facts)
        self._hint = ""
        self._hint_timer: object | None = None
        self._pressed: tuple[str, float] = ("", 0.0)
        """The action that is waiting to be done a second time, and since when."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            yield self.tab
        yield self.status

    def on_mount(self) -> None:
        for tab in self.tabs:
            self._adopt(tab)
        self.desk.hint = self.hint

    def begin_with(self, typed: Typed) -> None:
        """What was typed before anything stood: prompts that were sent, and what is still being written."""
        for text in typed.sent:
            self.tab.submit(SubmitPrompt(text=text))
            self.desk.history.add(text)
        self.tab.composer.buffer.set(typed.text, typed.cursor)

    def _adopt(self, tab: Tab) -> None:
        tab.changed = lambda tab: self.status.again()

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────────────────

    def hint(self, text: str) -> None:
        """One line in the status bar, for a moment."""
        self._hint = text
        if self._hint_timer is not None:
            self._hint_timer.stop()  # type: ignore[attr-defined]  # a Timer
        self._hint_timer = self.set_timer(HINT, self._hint_over) if text else None
        self.status.again()

    def _hint_over(self) -> None:
        self._hint_timer = None
        self._hint = ""
        self.status.again()

    def facts(self) -> Facts:
        state = self.tab.state
        waiting = sum(len(tab.state.questions) for tab in self.tabs if tab is not self.tab)
        return Facts(
            state=state,
            hint=self._hint,
            used=state.last.input + state.last.output or None,
            cached=state.last.cache_read / state.last.input if state.last.input else None,
            inbox=waiting,
        )

    # ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def contexts(self) -> list[str]:
        """Whose keys count now, the nearest first."""
        tab = self.tab
        found = []
        if tab.card.question is not None and not tab.composer.text and not tab.card.commenting:
            found.append("approval")
        return [*found, "composer", "global"]

    def take_key(self, event: events.Key) -> None:
        """A key that was pressed."""
        key = event.character if event.is_printable and event.character and "+" not in event.key else event.key
        key = "space" if key == " " and self.desk.keys.pressed else key
        action = self.desk.keys.press(key, self.contexts())
        if action:
            self.do(action)
        elif action is None and event.is_printable and event.character:
            self._pressed = ("", 0.0)
            self.tab.composer.insert(event.character)

    def take_paste(self, text: str) -> None:
        self.tab.composer.paste(text)

    def do(self, action: str) -> None:
        """Do an action, whoever's it is."""
        if action not in ("app.clear_or_quit", "session.interrupt"):
            self._pressed = ("", 0.0)
        match action:
            case "app.quit":
                self.app.exit()
            case "app.clear_or_quit":
                self._clear_or_quit()
            case "composer.delete_or_quit" if not self.tab.composer.text:
                self.app.exit()
            case "composer.delete_or_quit":
                self.tab.act("composer.delete")
            case "session.interrupt":
                self._escape()
            case "app.redraw":
                self.refresh(layout=True)
            case _:
                self.tab.act(action)

    def _twice(self, action: str) -> bool:
        """Whether this is the second time within a moment."""
        now = time.monotonic()
        was, at = self._pressed
        self._pressed = (action, now)
        return was == action and now - at < TWICE

    def _clear_or_quit(self) -> None:
        if self.tab.composer.text:
            self.tab.composer.clear()
            self._pressed = ("", 0.0)
            return
        if self._twice("quit"):
            self.app.exit()
            return
        if self.tab.state.busy:
            self.tab.interrupt()
        self.hint("Ctrl+C again leaves")

    def _escape(self) -> None:
        tab = self.tab
        if tab.card.commenting:
            tab.card.commenting = False
            tab.card.again()
        elif tab.told.text:
            tab.told.show("")
        elif tab.state.busy:
            tab.interrupt()
