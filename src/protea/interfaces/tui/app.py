"""The application: wires the desk, the screen and the terminal together, and nothing else."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES
from textual.theme import Theme as TextualTheme

from protea.domain.errors import ProteaError
from protea.interfaces.tui.background import Colour, answers, is_light
from protea.interfaces.tui.calling import call, tell_page, way_of, window_title
from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.driver import FirstFrame, ScreenDriver, driver_for
from protea.interfaces.tui.screen import MainScreen
from protea.interfaces.tui.state import State
from protea.interfaces.tui.tab import Tab
from protea.interfaces.tui.tabbar import state_mark
from protea.interfaces.tui.themes import AUTO

if TYPE_CHECKING:
    from protea.interfaces.tui.pictures.asking import Drawing


GARBAGE = (10_000, 5, 100)
"""Garbage is looked for little by little: a key may have to wait for it."""


class ProteaApp(App[int], inherit_bindings=False):
    """The full screen."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "Protea"

    def __init__(self, desk: Desk, first: Tab, frame: FirstFrame | None = None, *, choose: bool = False) -> None:
        super().__init__(driver_class=driver_for(frame))
        self.desk = desk
        self.main = MainScreen(desk, first)
        self.animation_level = "none"
        self.fault: Exception | None = None
        """What ended it."""
        self._choose = choose
        self._named = ""
        self._page_of = ""
        """The session that the page around us was told of; see `calling.tell_page`."""
        desk.dress = self.dress
        desk.notify = self._call
        desk.title = self._name_window
        desk.ask_pictures = self._ask_pictures
        desk.draw = self._write
        desk.give_up = self._give_up
        self.dress()

    def dress(self) -> None:
        """Take the background of the theme."""
        theme = self.desk.look.theme
        name = f"protea-{theme.name}"
        if theme.background == "default":
            # Textual's own ANSI theme: the terminal's colours, and its background.
            own = BUILTIN_THEMES["ansi-dark" if theme.dark else "ansi-light"]
            self.register_theme(TextualTheme(**{**vars(own), "name": name}))
        else:
            role = self.desk.look.hex
            self.register_theme(
                TextualTheme(
                    name=name,
                    primary=role("info"),
                    secondary=role("accent"),
                    accent=role("accent"),
                    success=role("good"),
                    error=role("bad"),
                    warning=role("warn"),
                    foreground=role("text"),
                    background=theme.background,
                    surface=role("panel"),
                    panel=role("panel"),
                    dark=theme.dark,
                )
            )
        self.theme = name

    def on_mount(self) -> None:
        driver = self._driver
        if isinstance(driver, ScreenDriver) and driver.typed is not None:
            self.main.begin_with(driver.typed)
        self.main.stands = self._begin

    def get_default_screen(self) -> Screen[Any]:
        # No empty one below it: that would be laid out with every change of size.
        return self.main

    def _begin(self) -> None:
        """The composer stands: keys may come."""
        if isinstance(self._driver, ScreenDriver):
            self._driver.begin_reading(self._take)
            self._driver.told_background = self._told_background
            self._driver.redraw = lambda: self.main.do("app.redraw")
            self._ask_background()
            if self.desk.preferences.screen_reader:
                self._driver.show_cursor(True)
        gc.freeze()  # what was loaded stays
        gc.set_threshold(*GARBAGE)
        gc.enable()
        if self.desk.key_problems:
            self.desk.hint(self.desk.key_problems[0])
        self._name_window(self.main.tab.state)
        if self._choose:
            self.main.do("session.sessions")

    def _ask_background(self) -> None:
        wished = self.desk.preferences.theme == AUTO and answers(self.desk.place.environment)
        if wished and isinstance(self._driver, ScreenDriver):
            self._driver.ask_background()

    def _ask_pictures(self, told: Callable[[Drawing | None], None]) -> None:
        from protea.interfaces.tui.pictures import asking  # there is a picture: now it is wanted

        environment, wish = self.desk.place.environment, self.desk.preferences.images
        if self.console.color_system is None:
            told(None)
        elif wish == "blocks" or self.console.color_system != "truecolor":
            told(asking.BLOCKS)
        elif asking.in_tmux(environment):
            self.desk.spawn(self._ask_tmux(told))
        elif asking.may_be_asked(environment) and isinstance(self._driver, ScreenDriver):
            self._driver.ask(asking.QUESTION, asking.is_answered, lambda said: told(asking.drawing_of(said)))
        else:
            told(asking.BLOCKS)

    async def _ask_tmux(self, told: Callable[[Drawing | None], None]) -> None:
        from protea.interfaces.tui.pictures.between import ask_tmux

        told(await ask_tmux(self.desk.place.environment))

    def _told_background(self, colour: Colour) -> None:
        self.main.use_background(light=is_light(colour))

    def _give_up(self, error: ProteaError) -> None:
        if len(self.main.tabs) == 1 and self.fault is None:
            self.fault = error
            self.exit()
        else:
            self.desk.hint(str(error))

    def _write(self, text: str) -> None:
        if text and isinstance(self._driver, ScreenDriver):
            self._driver.write(text)
            self._driver.flush()

    def _call(self, title: str, text: str) -> None:
        self._write(call(way_of(self.desk.preferences.notify, self.desk.place.environment), title, text))

    def _name_window(self, state: State) -> None:
        if self._driver is None:
            return  # nobody could be told yet; `_begin` does
        mark, _ = state_mark(state)
        name = f"{mark} {state.title or 'Protea'}"
        if name != self._named:
            self._named = name
            self._write(window_title(name))
        # What was left unsaid leaves no session to come back to.
        if state.title and (session := self.main.tab.session) != self._page_of:
            self._page_of = session
            self._write(tell_page(self.desk.place.environment, "session", session))

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        if told := tell_page(self.desk.place.environment, "open", url):
            self._write(told)  # the browser is where the person is, and that may be another machine
        else:
            super().open_url(url, new_tab=new_tab)

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback; whoever runs us tells faults in one line and keeps the rest in a file.
        if self.fault is None:
            self.fault = error
        self._close_messages_no_wait()

    def _take(self, event: events.Event) -> bool:
        """What was typed or pasted, the moment it is read: past the queue, unless something waits in it."""
        screen: Any = self.screen_stack[-1] if self.screen_stack else None
        if not self._message_queue.empty() or screen is None or not screen.is_mounted:
            return False
        try:
            return _given(screen, event)
        except Exception as error:
            self._handle_exception(error)
            return True

    async def on_event(self, event: events.Event) -> None:
        if _given(self.screen_stack[-1] if self.screen_stack else None, event):
            return
        if isinstance(event, events.AppFocus | events.AppBlur):
            # Textual would style and draw everything again, to find that nothing looks otherwise.
            self.set_reactive(App.app_focus, isinstance(event, events.AppFocus))
            if self.app_focus:
                self.main.pressing.look_at_table()
                self.desk.look_at_pictures()
                self._ask_background()  # one that turns dark in the evening has another by now
            return
        await super().on_event(event)

    def on_resize(self, event: events.Resize) -> None:
        # It was another size in between, too shortly to be drawn for: what stood there may be gone.
        if isinstance(self._driver, ScreenDriver) and event.size == self.screen._compositor.size:
            self._driver.redraw()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # To a terminal that has not taken the last frame no other is sent: one that is true when it has.
        if isinstance(driver := self._driver, ScreenDriver) and driver.behind:
            driver.when_caught_up(self._draw_again)
        else:
            super()._display(screen, renderable)

    def _draw_again(self) -> None:
        self.screen.refresh(layout=True)


def _given(screen: Any, event: events.Event) -> bool:
    """Keys and pastes go straight to the screen on top, past focus and bindings: one table says what they do."""
    if isinstance(event, events.Key) and hasattr(screen, "take_key"):
        screen.take_key(event)
    elif isinstance(event, events.Paste) and hasattr(screen, "take_paste"):
        screen.take_paste(event.text)
    else:
        return False
    return True
