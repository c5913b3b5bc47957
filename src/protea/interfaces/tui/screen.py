"""The main screen: tabs, panes, the status bar; what an action does."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.screen import Screen
from textual.timer import Timer

from protea.domain.commands import ResolveApproval, SubmitPrompt
from protea.domain.errors import ProteaError
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    Compacted,
    CompactionUndone,
    FilesChanged,
    FilesRestored,
    MessageCompleted,
    ModelSwitched,
    Rewound,
    TaskChanged,
    ToolCallChanged,
    TurnFinished,
)
from protea.interfaces.tui.announcing import announced
from protea.interfaces.tui.calling import clipboard
from protea.interfaces.tui.desk import Desk, keep_first_frame
from protea.interfaces.tui.doing import DOING, edited, zoom_pane
from protea.interfaces.tui.driver import ScreenDriver, Typed
from protea.interfaces.tui.files import Files
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.keys import Keys
from protea.interfaces.tui.menus import MENUS
from protea.interfaces.tui.opening import end_session, is_unused, open_tab
from protea.interfaces.tui.painting import Unscrolled
from protea.interfaces.tui.panes.arrangement import Arrangement
from protea.interfaces.tui.panes.pane import Pane
from protea.interfaces.tui.panes.tasks import Tasks
from protea.interfaces.tui.panes.todos import Todos
from protea.interfaces.tui.pressing import Pressing
from protea.interfaces.tui.status import Facts, StatusBar
from protea.interfaces.tui.tab import Tab
from protea.interfaces.tui.tabbar import TabBar
from protea.interfaces.tui.themes import AUTO, THEMES, Look, first_frame_colours, theme_named
from protea.interfaces.tui.transcript.markdown import prepare
from protea.interfaces.tui.transcript.widget import Transcript
from protea.interfaces.tui.which_key import WhichKey

HINT = 4.0
"""Seconds a hint stands."""


class Body(Horizontal, Unscrolled):
    """What stands side by side."""

    BLANK = True


class MainScreen(Screen[None], Unscrolled, inherit_bindings=False):
    """Everything but what opens over it."""

    DEFAULT_CSS = """
    MainScreen { layout: vertical; background: $background; }
    #body { height: 1fr; }
    """
    BLANK = True

    def __init__(self, desk: Desk, first: Tab) -> None:
        super().__init__()
        self.desk = desk
        self.tabs: list[Tab] = [first]
        self.tab = first
        look = desk.looking
        self.tab_bar = TabBar(look, lambda: ([tab.state for tab in self.tabs], self.tabs.index(self.tab)))
        self.files = Files(self)
        self.todos = Todos(look)
        self.tasks = Tasks(look, self._open_task, self._task_command)
        self.arrangement = Arrangement((self.files.tree, self.files.viewer, self.files.changes, self.todos, self.tasks))
        self.body = Body(id="body")
        """The tabs, and each pane from the first time it is shown."""
        self.which_key = WhichKey(look)
        self.pressing = Pressing(self, self.which_key)
        self.status = StatusBar(look, self.facts)
        self.stands: Callable[[], None] = lambda: None
        """Called once all of it has been drawn."""
        self.focus_on = "composer"
        """`composer`, `transcript`, or the name of a pane."""
        self._hint = ""
        self._hint_timer: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.tab_bar
        with self.body:
            yield self.tab
        yield self.which_key
        yield self.status

    def on_mount(self) -> None:
        self.desk.hint = self.hint
        self._adopt(self.tab)
        self.tab_bar.chosen = self.to_tab
        for pane in self.arrangement.panes.values():
            pane.focus_me = lambda pane: self.focus_part(pane.name_of)
            pane.drag_me = self._drag_pane
            pane.zoom_me = lambda: zoom_pane(self)
        kept = self.desk.remembered
        self.arrangement.open = [name for name in kept.open if name in self.arrangement.panes]
        self.arrangement.widths = dict(kept.widths)
        self.tab.composer.stashed = kept.stash
        self.lay_panes()
        self.desk.spawn(self._about())
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.stands()
        self.desk.spawn(self._prepare())

    async def _prepare(self) -> None:
        """What can be offered, and what draws answers: once the screen stands, before anybody asks."""
        await self.desk.refresh_offers(self.tab.session)
        await self.files.load_names()
        await asyncio.to_thread(prepare)

    def begin_with(self, typed: Typed) -> None:
        """What was typed before anything stood: prompts that were sent, and what is still being written."""
        for text in typed.sent:
            self.tab.submit(SubmitPrompt(text=text))
            self.desk.history.add(text)
        self.tab.composer.buffer.set(typed.text, typed.cursor)

    # ── tabs ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _adopt(self, tab: Tab) -> None:
        tab.changed = self._tab_changed
        tab.happened = self._happened
        tab.face = self._face
        tab.edit_plan = self._edit_plan
        tab.do = self.do
        tab.copy = self.copy

    def _tab_changed(self, tab: Tab) -> None:
        self.tab_bar.again()
        if tab is self.tab:
            self._feed_panes()
            self.status.again()
        self.desk.title(self.tab.state)

    def _happened(self, tab: Tab, event: AnyEvent) -> None:
        here = tab is self.tab
        match event:
            case ToolCallChanged(state="success", result=result) if result is not None and result.diff:
                if here:
                    self.files.add(self.desk.changes_of(event))
                self.desk.spawn(self.files.load_names())
            case ApprovalRequested() if not here:
                self.tab.spoken.say(f"Tab {self.tabs.index(tab) + 1}. {announced(event)}")
            case ApprovalRequested() if self.focus_on != "composer":
                where = "its keys answer it from here, too" if tab.display else "Esc goes to it"
                self.hint(f"a question waits for you; {where}")
            case FilesChanged() | FilesRestored() if here:
                self.desk.spawn(self.files.load_changes())
                self.desk.spawn(self.files.load_names())
            case MessageCompleted(usage=usage) if usage.input:
                counted = {"used": usage.input + usage.output, "cache_read": usage.cache_read / usage.input}
                tab.context = {**tab.context, **counted}  # in a long turn nobody asks for the parts
            case TurnFinished() | Compacted() | CompactionUndone() | Rewound() | ModelSwitched() if here:
                self.desk.spawn(self._about())
        if isinstance(event, TurnFinished) and here:
            self.desk.remember(welcomed=True)
        if not self.app.app_focus:
            self._call(tab, event)

    def _call(self, tab: Tab, event: AnyEvent) -> None:
        """Call who looks elsewhere."""
        if isinstance(event, ApprovalRequested):
            self.desk.notify("Protea asks", event.why)
        elif isinstance(event, TurnFinished) and not tab.state.busy:
            self.desk.notify("Protea", f"{tab.state.title}: {event.outcome}")

    def to_tab(self, place: int) -> None:
        """Show a tab."""
        if not 0 <= place < len(self.tabs) or self.tabs[place] is self.tab:
            return
        self.tab.display = False
        self.tab = self.tabs[place]
        self.tab.display = True
        self.focus_part("composer")
        self.files.show(self.tab)
        self._feed_panes()
        self._tab_changed(self.tab)
        self.desk.spawn(self._about())

    async def open_session(self, id: str | None, *, fork: bool = False) -> None:
        for place, tab in enumerate(self.tabs):
            if id is not None and tab.session.startswith(id) and not fork:
                self.to_tab(place)
                return
        spec = replace(self.desk.place.open, resume=id, fork=fork)
        before = self.tab
        blank = id is not None and not before.composer.text and await is_unused(self.desk, before.session)
        tab = await open_tab(self.desk, spec)
        tab.display = False
        self._adopt(tab)
        self.tabs.append(tab)
        await self.body.mount(tab, after=self.tab)
        self.to_tab(len(self.tabs) - 1)
        if blank and len(self.tabs) > 1 and before in self.tabs:  # it takes the place of one in which nothing was said
            await self._drop(before, "left")

    async def close_tab(self) -> None:
        """The session of this tab ends; with the last one the screen does."""
        if len(self.tabs) == 1:
            self.app.exit()
            return
        tab, place = self.tab, self.tabs.index(self.tab)
        self.to_tab(place - 1 if place else 1)
        self.tabs.remove(tab)
        await tab.leave()
        await tab.remove()
        self._tab_changed(self.tab)
        if not any(
            task.child == tab.session and task.state == "running" for each in self.tabs for task in each.state.tasks
        ):
            await end_session(self.desk, tab.session, "closed")  # an agent works on for who sent it

    async def another(self, *, instead: bool) -> None:
        """A new session, in a tab of its own or in place of this one."""
        before = self.tab
        await self.open_session(None)
        if instead:
            await self._drop(before, "cleared")

    async def _drop(self, tab: Tab, reason: str) -> None:
        """Close a tab that is not shown any more."""
        self.tabs.remove(tab)
        await tab.leave()
        await tab.remove()
        self._tab_changed(self.tab)
        await end_session(self.desk, tab.session, reason)

    def _face(self, name: str, rest: str) -> bool:
        """The slash commands a face carries out itself."""
        match name:
            case "exit" | "quit" | "q":
                self.app.exit()
            case "clear" | "new":
                self.desk.spawn(self.another(instead=True))
            case "theme":
                if rest in THEMES or rest == AUTO:
                    self.use_theme(rest)
                else:
                    self.do("app.theme")
            case "resume":
                self.desk.spawn(self.open_session(rest)) if rest else self.do("session.sessions")
            case "rewind" | "model" | "effort" | "profile" | "sessions" if not rest:
                self.do(f"session.{name}")
            case "help" if not rest:
                self.do("app.help")
            case _:
                return False
        return True

    # ── panes ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def lay_panes(self) -> None:
        widths = self.arrangement.lay_out(self.app.size.width, self.focus_on)
        for name, pane in self.arrangement.panes.items():
            was = pane.display
            pane.display = widths[name] > 0
            if pane.display:
                self._mount(pane)
                pane.styles.width = widths[name]
                pane.active = self.focus_on == name
                if not was:
                    self.call_after_refresh(self._begin_pane, pane)
                pane.paint()
        self.tab.display = widths[""] > 0
        self.files.watch()
        self.desk.remember(open=tuple(self.arrangement.open), widths=dict(self.arrangement.widths))

    def _begin_pane(self, pane: Pane) -> None:
        pane.again()
        self.status.again()  # it tells what can be done with what is marked

    def _drag_pane(self, pane: Pane, step: int) -> None:
        self.arrangement.widen(pane.name_of, step, self.app.size.width)
        self.lay_panes()

    def _mount(self, pane: Pane) -> None:
        """Put a pane in its place beside the others, the first time it is shown."""
        if pane.parent is None:
            later = [*self.arrangement.panes.values()]
            later = later[later.index(pane) + 1 :]
            before = self.tab if pane.side == "left" else next((each for each in later if each.parent), None)
            self.body.mount(pane, before=before)

    def focus_part(self, name: str) -> None:
        """Give the keys to the composer, the conversation or a pane."""
        self.focus_on = name
        for tab in self.tabs:
            tab.composer.active = name == "composer"
            tab.composer.border_role = "rule"
            tab.transcript_active(name == "transcript")
            tab.composer.update()
        self.lay_panes()
        self.status.again()

    def toggle_pane(self, name: str) -> None:
        if self.arrangement.toggle(name):
            self.focus_part(name)
            self._feed_panes()
        else:
            self.focus_part("composer")

    def _feed_panes(self) -> None:
        state = self.tab.state
        self.todos.load(state.todos, state.plan)
        self.tasks.load(state.tasks)

    def open_file(self, path: str, line: int = 0, *, grows: bool = False) -> None:
        if "viewer" not in self.arrangement.open:
            self.arrangement.toggle("viewer")
        self.focus_part("viewer")
        self.desk.spawn(self.files.viewer.open(path, line, grows=grows))

    def _open_task(self, task: TaskChanged) -> None:
        if task.child:
            self.desk.spawn(self.open_session(task.child))
        elif task.log:
            self.open_file(task.log, grows=True)

    def _task_command(self, text: str, more: bool) -> None:
        if more:
            self.tab.composer.paste(text)
            self.focus_part("composer")
        else:
            self.tab.command(text)

    def _screen_resized(self, size: Size) -> None:
        # Textual tells a screen of the size it has just been laid out in, too, as if it were another. While sizes come
        # quickly that is an older one: laid out in turns, the two would tell of each other for ever.
        if self.app.size == self._compositor.size:
            return
        if self.is_mounted:
            self.desk.look_at_pictures()
            self.lay_panes()
        super()._screen_resized(self.app.size)
        for tab in self.tabs:
            tab.composer.update()  # it may stand elsewhere, and the terminal's cursor with it

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────────────────

    def hint(self, text: str) -> None:
        """One line in the status bar, for a moment."""
        self.tab.spoken.say(text)
        if width_of(text) > self.app.size.width - 12:
            # There is no room for it in the bar: a piece of it there would say nothing.
            self.tab.told.show(text)
            text = ""
        self._hint = text
        if self._hint_timer is not None:
            self._hint_timer.stop()
        self._hint_timer = self.set_timer(HINT, self._hint_over) if text else None
        self.status.again()

    def _hint_over(self) -> None:
        self._hint_timer = None
        self._hint = ""
        self.status.again()

    async def _about(self) -> None:
        """What the bar and the welcome show that no event tells."""
        tab = self.tab
        about = await self.desk.gateway.describe("session", tab.session)
        context = await self.desk.gateway.describe("context", tab.session)
        tab.context = context if isinstance(context, dict) else {}
        if isinstance(about, dict):
            tab.about = about
            tab.state = replace(
                tab.state,
                model=about.get("model") or tab.state.model,
                effort=about.get("effort") or tab.state.effort,
                mode=about.get("mode") or tab.state.mode,
                profile=about.get("profile") or tab.state.profile,
            )
        tab.welcome.tell(tab.about, tab.state)
        self.desk.find_branch()
        self.status.again()

    def facts(self) -> Facts:
        tab = self.tab
        state, context = tab.state, tab.context
        waiting = sum(len(other.state.questions) for other in self.tabs if other is not tab)
        used = context.get("used") or state.last.input + state.last.output
        cached = context.get("cache_read") or (state.last.cache_read / state.last.input if state.last.input else 0)
        return Facts(
            state=state,
            hint=self._hint,
            keys=pane.keys() if (pane := self.arrangement.panes.get(self.focus_on)) is not None else "",
            branch=self.desk.branch,
            window=context.get("window") or tab.about.get("context"),
            used=used or None,
            cached=cached or None,
            vim=tab.vim.mode.upper() if tab.vim.mode != "insert" and self.focus_on == "composer" else "",
            inbox=waiting,
        )

    # ── what is pressed and done ───────────────────────────────────────────────────────────────────────────────────

    def take_key(self, event: events.Key) -> None:
        self.pressing.key(event)

    def take_paste(self, text: str) -> None:
        self.pressing.paste(text)

    def contexts(self) -> list[str]:
        return self.pressing.contexts()

    def twice(self, action: str) -> bool:
        return self.pressing.twice(action)

    def do(self, action: str) -> None:
        """Do an action, whoever's it is."""
        if action not in ("app.clear_or_quit", "session.interrupt"):
            self.pressing.forget()
        if action in MENUS:
            found = MENUS[action](self)
            if inspect.isawaitable(found):
                self.desk.spawn(_awaited(found))
        elif self.focus_on in self.arrangement.panes and self._act_in_pane(action):
            return
        elif action in DOING:
            DOING[action](self)
        elif action.startswith("tab.") and action[4:].isdigit():
            self.to_tab(int(action[4:]) - 1)
        elif action.startswith("pane.") and action[5:] in self.arrangement.panes:
            self.toggle_pane(action[5:])
        else:
            self.tab.act(action)

    def _act_in_pane(self, action: str) -> bool:
        pane: Pane = self.arrangement.panes[self.focus_on]
        if action == "list.close":
            if not pane.act(action):
                self.focus_part("composer")
            return True
        done = pane.act(action)
        self.status.again()
        return done

    def _edit_plan(self, plan: str) -> None:
        question, text = self.tab.card.question, edited(self, plan)
        if question is not None and text is not None and text.strip():
            changed = text if text.strip() != plan.strip() else None
            self.tab.submit(ResolveApproval(id=question.id, decision="once", comment=changed))

    # ── what the conversation wants ────────────────────────────────────────────────────────────────────────────────

    def on_transcript_clicked(self) -> None:
        # Who opens a block or follows a link with the mouse goes on writing: the keys stay with the composer.
        if self.focus_on in self.arrangement.panes:
            self.focus_part("composer")

    def on_transcript_copied(self, message: Transcript.Copied) -> None:
        self.copy(message.text)

    def copy(self, text: str) -> None:
        self.desk.draw(clipboard(self.desk.place.environment, text))
        lines = text.count("\n") + 1
        self.hint(f"copied {lines} line{'s' if lines > 1 else ''}")

    def on_transcript_open_wanted(self, message: Transcript.OpenWanted) -> None:
        if "://" in message.target:
            self.app.open_url(message.target)
        else:
            self.open_file(message.target)

    # ── how it looks and behaves ───────────────────────────────────────────────────────────────────────────────────

    def use_theme(self, name: str, *, keep: bool = True) -> None:
        theme = theme_named(name, light=self.desk.light)
        if theme is None:
            return
        before = self.desk.look
        self.desk.look = Look(theme, colour=before.colour, words_only=before.words_only)
        self.desk.dress()
        if keep:
            self.prefer(theme=name)
            keep_first_frame(self.desk.place.home, first_frame_colours(self.desk.look, self.app.console.color_system))
        for widget in self.walk_children():
            widget.refresh()

    def use_background(self, *, light: bool) -> None:
        """The terminal has said how bright it is."""
        if light != self.desk.light:
            self.desk.light = light
            if self.desk.preferences.theme == AUTO:
                self.use_theme(AUTO, keep=False)

    def use_keymap(self, name: str) -> None:
        self.prefer(keymap=name)
        self.desk.keys = Keys(self.desk.read_keys())
        for tab in self.tabs:
            tab.vim.insert()

    def prefer(self, **changes: Any) -> None:
        self.desk.preferences = replace(self.desk.preferences, **changes)
        for name, value in changes.items():
            try:
                self.desk.keep(name, value)
            except ProteaError as error:
                self.hint(f"not kept: {error}")
        self.desk.look.words_only = self.desk.preferences.screen_reader
        if isinstance(driver := self.app._driver, ScreenDriver):
            driver.show_cursor(self.desk.preferences.screen_reader)
        for tab in self.tabs:
            tab.activity.motion = self.desk.preferences.motion and not self.desk.preferences.screen_reader


async def _awaited(found: Any) -> None:
    await found
