"""The application: wires the desk, the screen and the terminal together, and nothing else."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.theme import BUILTIN_THEMES
from textual.theme import Theme as TextualTheme

from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.driver import FirstFrame, ScreenDriver, Typed, driver_for
from protea.interfaces.tui.screen import MainScreen
from protea.interfaces.tui.tab import Tab


class ProteaApp(App[int], inherit_bindings=False):
    """The full screen."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "Protea"

    def __init__(self, desk: Desk, first: Tab, frame: FirstFrame | None = None) -> None:
        super().__init__(driver_class=driver_for(frame), ansi_color=True)
        self.desk = desk
        self.main = MainScreen(desk, first)
        self.animation_level = "none"
        self.fault: Exception | None = None
        """What ended it."""
        desk.dress = self.dress
        self.dress()

    def dress(self) -> None:
        """Take the background of the theme."""
        theme = self.desk.look.theme
        background = "ansi_default" if theme.background == "default" else theme.background
        # The variables of Textual's own ANSI theme, for the style sheets of its widgets; ours ask the `Look`.
        plain = BUILTIN_THEMES["ansi-dark"]
        name = f"protea-{theme.name}"
        self.register_theme(
            TextualTheme(
                name=name,
                primary="ansi_cyan",
                background=background,
                foreground="ansi_default",
                surface="ansi_default",
                panel="ansi_default",
                boost="ansi_default",
                ansi=True,
                variables=plain.variables,
            )
        )
        self.theme = name

    def on_mount(self) -> None:
        if (typed := self.typed) is not None:
            self.main.begin_with(typed)
        self.push_screen(self.main)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """The composer stands: what was typed early is its text, and keys may come."""
        driver = self._driver
        if isinstance(driver, ScreenDriver):
            driver.begin_reading()

    @property
    def typed(self) -> Typed | None:
        """What was typed before the screen stood."""
        return self._driver.typed if isinstance(self._driver, ScreenDriver) else None

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback; whoever runs us tells faults in one line and keeps the rest in a file.
        if self.fault is None:
            self.fault = error
        self._close_messages_no_wait()

    async def on_event(self, event: events.Event) -> None:
        # Keys and pastes go straight to the screen on top, past focus and bindings: one table says what they do.
        screen: Any = self.screen_stack[-1] if self.screen_stack else None
        if isinstance(event, events.Key) and hasattr(screen, "take_key"):
            screen.take_key(event)
        elif isinstance(event, events.Paste) and hasattr(screen, "take_paste"):
            screen.take_paste(event.text)
        else:
            await super().on_event(event)
