"""The main screen: tabs, panes, the status bar; which of them a key is for, and what an action does."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
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
from protea.domain.messages import Image
from protea.interfaces.tui.announcing import announced
from protea.interfaces.tui.calling import clipboard
from protea.interfaces.tui.desk import Desk, keep_first_frame
from protea.interfaces.tui.doing import DOING, edited, zoom_pane
from protea.interfaces.tui.driver import ScreenDriver, Typed
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.keys import Keys
from protea.interfaces.tui.menus import MENUS
from protea.interfaces.tui.opening import end_session, is_unused, open_tab
from protea.interfaces.tui.painting import Unscrolled
from protea.interfaces.tui.panes.arrangement import Arrangement
from protea.interfaces.tui.panes.diff import Changes
from protea.interfaces.tui.panes.pane import Pane
from protea.interfaces.tui.panes.tasks import Tasks
from protea.interfaces.tui.panes.todos import Todos
from protea.interfaces.tui.panes.tree import Tree
from protea.interfaces.tui.panes.viewer import Viewer
from protea.interfaces.tui.status import Facts, StatusBar
from protea.interfaces.tui.tab import Tab
from protea.interfaces.tui.tabbar import TabBar
from protea.interfaces.tui.themes import AUTO, THEMES, Look, first_frame_colours, theme_named
from protea.interfaces.tui.transcript.markdown import prepare
from protea.interfaces.tui.transcript.widget import Transcript
from protea.interfaces.tui.watched import Watched
from protea.interfaces.tui.which_key import WhichKey

_PICTURE = re.compile(r"data:(image/(?:png|jpeg|gif|webp));base64,([A-Za-z0-9+/]+={0,2})\s*\Z")
"""A picture, as an address that holds it whole."""
HINT = 4.0
"""Seconds a hint stands."""
TWICE = 2.0
"""Seconds within which a second Ctrl+C leaves, or a second Esc goes back."""


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
        self.file_tree = Tree(look, self.open_file)
        self.viewer = Viewer(look, self._read_file)
        self.changes = Changes(look, self.open_file)
        self.todos = Todos(look)
        self.tasks = Tasks(look, self._open_task, self._task_command)
        self.arrangement = Arrangement((self.file_tree, self.viewer, self.changes, self.todos, self.tasks))
        self.body = Body(id="body")
        """The tabs, and each pane from the first time it is shown."""
        self.which_key = WhichKey(look)
        self.status = StatusBar(look, self.facts)
        self.stands: Callable[[], None] = lambda: None
        """Called once all of it has been drawn."""
        self.focus_on = "composer"
        """`composer`, `transcript`, or the name of a pane."""
        self._hint = ""
        self._hint_timer: Timer | None = None
        self.files = Watched(self, self.file_tree, self.viewer, self._load_files)
        self._pressed: tuple[str, float] = ("", 0.0)
        """The action that is waiting to be done a second time, and since when."""

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
        await self._load_files()
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
        if isinstance(event, ToolCallChanged) and event.state == "success" and event.result and event.result.diff:
            if tab is self.tab:
                for path, diff in self.desk.changes_of(event):
                    self.changes.add(path, diff)
                self.file_tree.touch(self.changes.files)
            self.desk.spawn(self._load_files())
        if tab is self.tab and isinstance(event, ApprovalRequested) and self.focus_on != "composer":
            here = "its keys answer it from here, too" if self.tab.display else "Esc goes to it"
            self.hint(f"a question waits for you; {here}")
        if tab is not self.tab and isinstance(event, ApprovalRequested):
            self.tab.spoken.say(f"Tab {self.tabs.index(tab) + 1}. {announced(event)}")
        if tab.state.questions and not self.app.app_focus:
            self.desk.notify("Protea asks", tab.state.questions[0].why)
        elif isinstance(event, TurnFinished) and not self.app.app_focus and not tab.state.busy:
            self.desk.notify("Protea", f"{tab.state.title}: {event.outcome}")
        if isinstance(event, FilesChanged | FilesRestored) and tab is self.tab:
            self.desk.spawn(self._load_changes())
            self.desk.spawn(self._load_files())
        if isinstance(event, MessageCompleted) and (usage := event.usage).input:
            counted = {"used": usage.input + usage.output, "cache_read": usage.cache_read / usage.input}
            tab.context = {**tab.context, **counted}  # in a long turn nobody asks for the parts
        if isinstance(event, TurnFinished | Compacted | CompactionUndone | Rewound | ModelSwitched) and tab is self.tab:
            self.desk.spawn(self._about())
        if isinstance(event, TurnFinished) and tab is self.tab:
            self.desk.remember(welcomed=True)

    def to_tab(self, place: int) -> None:
        """Show a tab."""
        if not 0 <= place < len(self.tabs) or self.tabs[place] is self.tab:
            return
        self.tab.display = False
        self.tab = self.tabs[place]
        self.tab.display = True
        self.focus_part("composer")
        self._reload_panes()
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

    async def _load_changes(self) -> None:
        """What the session did to files as it stands now, by tools and commands alike; kept by the undo store."""
        tab = self.tab
        told = await self.desk.gateway.describe("changes", tab.session)
        files = told.get("files") if isinstance(told, dict) else None
        if files is not None and not told.get("missing") and tab is self.tab:
            root = self.desk.place.open.cwd.rstrip("/") + "/"
            self.changes.load((str(each["path"]).removeprefix(root), str(each.get("diff", ""))) for each in files)
            self.file_tree.changed = set(self.changes.files)
            self.file_tree.again()

    def _reload_panes(self) -> None:
        self.changes.load(self.tab.diffs)
        self.file_tree.forget()
        self.file_tree.changed = set(self.changes.files)
        self._feed_panes()
        self.desk.spawn(self._load_changes())

    async def _load_files(self) -> None:
        paths = await self.desk.files(self.tab.session)
        self.file_tree.load(paths, self.desk.offers.files)

    def open_file(self, path: str, line: int = 0, *, grows: bool = False) -> None:
        if "viewer" not in self.arrangement.open:
            self.arrangement.toggle("viewer")
        self.focus_part("viewer")
        self.desk.spawn(self.viewer.open(path, line, grows=grows))

    async def _read_file(self, path: str, size: int, last: bool) -> bytes:
        return await self.desk.gateway.read(self.tab.session, path, size, last=last)

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

    # ── keys ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def contexts(self) -> list[str]:
        """Whose keys count now, the nearest first."""
        tab = self.tab
        if self.focus_on == "transcript":
            return ["transcript", "global"]
        if self.focus_on != "composer":
            writing = self.arrangement.panes[self.focus_on].writing
            return ["list", "global"] if writing else ["pane", "list", "global"]
        found = []
        if tab.card.question is not None and not tab.composer.text and not tab.card.commenting:
            found.append("approval")
        if tab.suggestions.offers:
            found.append("suggestions")
        return [*found, "normal" if tab.vim.mode != "insert" else "composer", "global"]

    def take_key(self, event: events.Key) -> None:
        """A key that was pressed."""
        self.look_at_keys()
        if self.focus_on == "transcript" and self.tab.transcript.take_key(event):
            return
        pane = self.arrangement.panes.get(self.focus_on)
        if pane is not None and pane.writing and (event.key == "backspace" or (event.is_printable and event.character)):
            pane.write(event.character or "\b" if event.key != "backspace" else "\b")
            return
        key, character = named(event)
        keys = self.desk.keys
        if self.focus_on != "composer" and self._answers_from_here(key):
            return
        contexts = self.contexts()
        action = keys.press(key, contexts)
        self.which_key.show(keys.following(contexts) if keys.pressed else [])
        if action:
            self.do(action)
        elif key.startswith("alt+") and not keys.pressed and (action == "" or (escape := self._escape())):
            # Over a slow line Esc and the key behind it come as one: where Esc ends something, both are meant.
            if action is None:
                self.do(escape)
            behind = event.character if event.is_printable and event.character else key.removeprefix("alt+")
            self.take_key(events.Key(behind, event.character))
        elif action is None:
            self._write(event, character)

    def _answers_from_here(self, key: str) -> bool:
        """Whether the key, pressed elsewhere than where one writes, answered the question that is in sight. Characters
        do, and Tab; what is being typed, selected or searched here comes first."""
        tab, card = self.tab, self.tab.card
        action = self.desk.keys.table["approval"].get(key, "")
        pane = self.arrangement.panes.get(self.focus_on)
        if not action or not (len(key) == 1 or key == "tab") or self.desk.keys.pressed:
            return False
        if card.commenting or not tab.display or not card.answers_at_distance(action):
            return False
        if tab.transcript.busy if pane is None else pane.busy:
            return False
        if action in ("approval.comment", "approval.edit"):
            self.focus_part("composer")
        self.do(action)
        return True

    def look_at_keys(self) -> None:
        """Keys that were changed in their file count at once. It is looked at when a key comes and when the window is
        turned to, never by the clock: nothing wakes a screen at which nobody does anything."""
        problems = self.desk.changed_keys()
        if problems is not None:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            self.hint(problems[0] + more if problems else "keys read again")

    def _escape(self) -> str:
        """What Esc does where it ends something or leads to other keys; else nothing."""
        tab = self.tab
        contexts = self.contexts()
        action = next((keys["escape"] for each in contexts if "escape" in (keys := self.desk.keys.table[each])), "")
        ends = action != "session.interrupt" or tab.card.commenting or tab.told.text or tab.composer.buffer.marking
        return action if self.focus_on != "composer" or ends else ""

    def _write(self, event: events.Key, character: str | None) -> None:
        """A key that is no action where it was pressed."""
        if self.focus_on == "composer":
            if self.tab.vim.mode != "insert":
                self.tab.vim.press(character or event.key)
                self.status.again()
            elif character and character == "?" and not self.tab.composer.text:
                self.do("app.help")
            elif character:
                self._forget_pressed()
                self.tab.composer.insert(character)
        elif self.focus_on in self.arrangement.panes and (character or event.key == "backspace"):
            self.arrangement.panes[self.focus_on].write(character or "\b")

    def take_paste(self, text: str) -> None:
        if self.focus_on == "transcript" and self.tab.transcript.take_paste(text):
            return
        self.focus_part("composer")
        self._forget_pressed()
        if (image := _PICTURE.match(text)) is not None:
            # A page of `protea web` sends so what was pasted there; whoever pastes such an address means it, too.
            self.tab.composer.attach(Image(image[1], image[2]))
        else:
            self.tab.composer.paste(text)

    def do(self, action: str) -> None:
        """Do an action, whoever's it is."""
        if action not in ("app.clear_or_quit", "session.interrupt"):
            self._forget_pressed()
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

    def _forget_pressed(self) -> None:
        """What is pressed now is no second time of anything, and what told of one has become untrue."""
        if self._pressed[0] and self._hint:
            self.hint("")
        self._pressed = ("", 0.0)

    def _act_in_pane(self, action: str) -> bool:
        pane: Pane = self.arrangement.panes[self.focus_on]
        if action == "list.close":
            if not pane.act(action):
                self.focus_part("composer")
            return True
        done = pane.act(action)
        self.status.again()
        return done

    def twice(self, action: str) -> bool:
        """Whether this is the second time within a moment."""
        now = time.monotonic()
        was, at = self._pressed
        self._pressed = (action, now)
        return was == action and now - at < TWICE

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


_MODIFIED = ("alt+", "ctrl+", "super+", "hyper+", "meta+")
_SPELLED = {"ctrl+\r": "ctrl+enter", "shift+\r": "shift+enter", "alt+\r": "alt+enter", "ctrl+shift+\r": "ctrl+enter"}
"""As tmux and xterm send them, which Textual passes on as they are."""


def named(event: events.Key) -> tuple[str, str | None]:
    """What a key is called in tables of keys, and the character it would write, if it would write one."""
    key = _SPELLED.get(event.key, event.key)
    if key.startswith(_MODIFIED) or not event.is_printable:
        return key, None
    character = event.character
    return (character if character and "+" not in key and character != " " else key), character


async def _awaited(found: Any) -> None:
    await found
