"""One session on the screen: its conversation, its questions, its composer. Keys become commands here."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Vertical

from protea.domain.commands import Interrupt, Invoke, SetMode, SubmitPrompt, WithdrawPrompt
from protea.domain.errors import ProteaError, UsageError
from protea.domain.events import AnyEvent, CommandAnswered, LastingEvent, ToolCallChanged
from protea.domain.messages import Image
from protea.domain.question import plan_of
from protea.interfaces.tui.announcing import announced
from protea.interfaces.tui.card import Card
from protea.interfaces.tui.composer.editor import Composer
from protea.interfaces.tui.composer.vim import Vim
from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.painting import Unscrolled
from protea.interfaces.tui.state import PASSING, State, advance, state_of
from protea.interfaces.tui.strips import Activity, Queue, Spoken, Told
from protea.interfaces.tui.suggestions import Offer, Suggestions, Wanted, wanted
from protea.interfaces.tui.transcript.pages import older_of
from protea.interfaces.tui.transcript.widget import Transcript
from protea.interfaces.tui.welcome import Welcome

if TYPE_CHECKING:
    from protea.interfaces.tui.pictures.gallery import Gallery

_numbers = itertools.count(1)
LARGEST_PICTURE = 20_000_000
"""Bytes of a file that are read for a picture."""
AT_ONCE = 4
"""Pieces of a search among files that a key waits for."""
AT_A_TIME = 400
"""Events read between two keys where a long log is read behind what is shown."""


class _Pictures:
    """Where the pictures of a conversation come from."""

    def __init__(self, desk: Desk, session: str) -> None:
        self._desk = desk
        self._session = session

    def gallery(self) -> Gallery:
        return self._desk.gallery()

    async def read(self, path: str) -> bytes:
        try:
            return await self._desk.gateway.read(self._session, path, LARGEST_PICTURE)
        except ProteaError:
            return b""


class _Clipboard:
    """The clipboard, for vim's registers."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    def put(self, text: str) -> None:
        self._tab.copy(text)

    def get(self, then: Callable[[str | None], None]) -> None:
        async def read() -> None:
            found = await self._tab.desk.clipboard(self._tab.session)
            then(found if isinstance(found, str) else None)

        self._tab.desk.spawn(read())


class Tab(Vertical, Unscrolled):
    """A session that is open, followed from its beginning."""

    DEFAULT_CSS = "Tab { width: 1fr; height: 1fr; }"
    BLANK = True

    def __init__(self, desk: Desk, session: str, past: Sequence[LastingEvent] = ()) -> None:
        super().__init__()
        self.desk = desk
        self.session = session
        self.state = state_of(past)
        self._past = past
        look = desk.looking
        self.welcome = Welcome(look, desk)
        self.transcript = Transcript(look, older=older_of(desk.gateway, session), pictures=_Pictures(desk, session))
        self.card = Card(look)
        self.activity = Activity(
            look,
            motion=desk.preferences.motion and not desk.preferences.screen_reader,
            behind=lambda: desk.keys.of("session.background"),
        )
        self.queue = Queue(look)
        self.told = Told(look)
        self.spoken = Spoken(look)
        self.suggestions = Suggestions(look)
        self.composer = Composer(look, desk.history)
        self.do: Callable[[str], None] = lambda action: None
        """Does an action, whoever's it is."""
        self.copy: Callable[[str], None] = lambda text: None
        """Puts a text into the clipboard."""
        self.vim = Vim(
            lambda: self.composer.buffer,
            self.composer.update,
            do=lambda action: self.do(action),
            clipboard=_Clipboard(self),
        )
        self.about: dict[str, Any] = {}
        """What `describe("session")` last said."""
        self.context: dict[str, Any] = {}
        """What `describe("context")` last said."""
        self.diffs: list[tuple[str, str]] = []
        """(file, diff) of everything that was changed, in order."""
        self.changed: Callable[[Tab], None] = lambda tab: None
        """Called when something changed that others show."""
        self.happened: Callable[[Tab, AnyEvent], None] = lambda tab, event: None
        """Told of every lasting event."""
        self.face: Callable[[str, str], bool] = lambda name, rest: False
        """Carries out a slash command of the face's own; whether it knows it."""
        self.edit_plan: Callable[[str], None] = lambda plan: None
        """Lets a plan be changed in an editor, and answers with what came of it."""
        self.broken: ProteaError | None = None
        self._growing: Iterator[list[Offer]] | None = None
        """The search for what is offered, while it goes on."""
        self._follower: asyncio.Task[None] | None = None
        self._asked: set[str] = set()
        """Ids of commands whose answers are shown here."""
        self._compacting: set[str] = set()
        """Those of them that make room and are not done."""

    def compose(self) -> ComposeResult:
        yield self.welcome
        yield self.transcript
        yield self.card
        yield self.activity
        yield self.spoken
        yield self.told
        yield self.queue
        yield self.suggestions
        yield self.composer

    def on_mount(self) -> None:
        self._show_welcome()
        self.composer.changed = self._offer
        if self._past:
            self.transcript.load(self._past)
            for event in self._past:
                if isinstance(event, ToolCallChanged) and event.state == "success":
                    self.diffs += self.desk.changes_of(event)
        self._spread()
        self._follower = asyncio.create_task(self._follow())
        self.set_timer(0.1, lambda: self.desk.spawn(self.desk.gateway.keep(self.session)))  # once its end is drawn
        first = (self._past[0].seq or 1) if self._past else 1
        self._past = ()
        if first > 1:
            self.set_timer(1.0, lambda: self._catch_up(State(), []))

    async def _catch_up(self, state: State, diffs: list[tuple[str, str]]) -> None:
        """What the screen shows of the whole session: figures, changes, the title. Read piece by piece behind the end,
        which stands there already; keys come first."""
        page = await self.desk.gateway.history(self.session, state.seq, AT_A_TIME)
        state = state_of(page, state)
        for event in page:
            if isinstance(event, ToolCallChanged) and event.state == "success":
                diffs += self.desk.changes_of(event)
        if page and state.seq < self.state.seq:
            self.set_timer(0.02, lambda: self._catch_up(state, diffs))
            return
        self.state = replace(state, doing=self.state.doing, effort=self.state.effort)
        self.diffs = diffs
        self._spread()
        self.changed(self)

    async def leave(self) -> None:
        """Stop following; the session itself goes on or is ended by who asks for it."""
        if self._follower is not None:
            self._follower.cancel()

    # ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _follow(self) -> None:
        try:
            async for event in self.desk.gateway.events(self.session, self.state.seq):
                self._take(event)
        except ProteaError as error:
            self.broken = error
            self.desk.give_up(error)

    def _take(self, event: AnyEvent) -> None:
        before, self.state = self.state, advance(self.state, event)
        self.activity.heard = time.monotonic()
        if isinstance(event, CommandAnswered):
            if event.id in self._asked:
                self._asked.discard(event.id)
                self._answered(event)
            return
        self.transcript.advance(event)
        if self.state is before or (isinstance(event, PASSING) and self.state.doing == before.doing):
            return
        self._spread()
        if not isinstance(event, PASSING):
            self.spoken.say(announced(event))
            self.changed(self)
            if isinstance(event, ToolCallChanged) and event.state == "success":
                self.diffs += self.desk.changes_of(event)
            self.happened(self, event)

    def _spread(self) -> None:
        state = self.state
        if (state.prompts > 0) == self.welcome.display:
            self._show_welcome()
        self.activity.show(state)
        self.queue.show(state)
        self.card.show(state.questions)

    def _show_welcome(self) -> None:
        fresh = self.state.prompts == 0
        self.welcome.display = fresh
        self.transcript.display = not fresh

    def _answered(self, event: CommandAnswered) -> None:
        if event.command == "rewind" and isinstance(event.data, dict) and not self.composer.text:
            self.composer.set(str(event.data.get("text", "")))
        self.told.show(event.text)

    def transcript_active(self, active: bool) -> None:
        """Whether the keys go to the conversation."""
        self.transcript.active = active

    # ── what is offered ────────────────────────────────────────────────────────────────────────────────────────────

    def _offer(self) -> None:
        """The text or the cursor has changed: look for what completes it."""
        text, cursor = self.composer.text, self.composer.buffer.cursor
        what = wanted(text, cursor) if len(text) < 10_000 and self.composer.offering else None
        if what is None:
            self._growing = None
            self.suggestions.show(None, [])
            return
        self._growing = growing = self.desk.offers.of(what)
        found = list(itertools.islice(growing, AT_ONCE))
        self.suggestions.show(what, found[-1])
        if len(found) == AT_ONCE:
            self.desk.spawn(self._grow(what, growing))

    async def _grow(self, what: Wanted, growing: Iterator[list[Offer]]) -> None:
        """Look on for what completes it, between keys; the next one ends it."""
        found: list[Offer] | None = None
        while (more := next(growing, None)) is not None:
            found = more
            await asyncio.sleep(0)
            if self._growing is not growing:
                return
        if found is not None and found != self.suggestions.offers:
            self.suggestions.show(what, found)

    def _take_offer(self) -> None:
        offer, what = self.suggestions.chosen, self.suggestions.what
        if offer is None or what is None:
            return
        buffer = self.composer.buffer
        buffer.set(buffer.text[: what.begin] + offer.insert + buffer.text[what.end :], what.begin + len(offer.insert))
        self.composer.update()

    def _is_whole(self) -> bool:
        """Whether the command that stands here needs nothing more."""
        name, _, rest = self.composer.text.strip().removeprefix("/").partition(" ")
        takes = next((str(each.get("arguments", "")) for each in self.desk.offers.commands if each["name"] == name), "")
        return bool(rest) or not takes or takes.startswith("[")

    def _suggest(self, action: str) -> bool:
        what = self.suggestions.what
        match action:
            case "suggestions.next":
                self.suggestions.move(1)
            case "suggestions.previous":
                self.suggestions.move(-1)
            case "suggestions.close":
                self.suggestions.show(None, [])
            case "suggestions.take":
                self._take_offer()
            case "suggestions.accept":
                self._take_offer()
                if what is not None and what.kind != "mention" and self._is_whole():
                    self.suggestions.show(None, [])
                    self.send()
            case _:
                return False
        return True

    # ── what a person does ─────────────────────────────────────────────────────────────────────────────────────────

    def send(self, *, steer: bool = False) -> None:
        """What is written: an answer, a command, or a prompt."""
        if self.card.question is not None and (self.card.commenting or self.card.question.kind == "question"):
            self._answer_in_words()
            return
        if not self.composer.text.strip() and not self.composer.images:
            return
        before = self.composer.text
        text, images = self.composer.take()
        self.told.show("")
        self.transcript.to_end()  # who writes wants to see what comes of it, wherever they had read
        self.desk.spawn(self._send(text, images, before, steer=steer))

    async def _send(self, text: str, images: tuple[Image, ...], written: str, *, steer: bool) -> None:
        try:
            if name := command_name(text):
                rest = text.strip().partition(" ")[2].strip()
                if not self.face(name, rest):
                    await self.invoke(text.strip())
                return
            if text.startswith("!") and text[1:].strip():
                await self.desk.gateway.submit(self.session, SubmitPrompt(text=text, origin="shell"))
                return
            text = text.removeprefix("/") if text.startswith("//") else text
            delivery: Any = "steer" if steer and self.state.busy else "now"
            await self.desk.gateway.submit(self.session, SubmitPrompt(text=text, images=images, delivery=delivery))
        except ProteaError:
            if not self.composer.text:
                self.composer.set(written)
            raise

    async def invoke(self, text: str) -> None:
        """A slash command; its answer is shown here."""
        id = f"screen-{next(_numbers)}"
        self._asked.add(id)
        if command_name(text) == "compact":
            self._compacting.add(id)
            self.desk.hint("making room; Esc ends it")
        try:
            await self.desk.gateway.submit(self.session, Invoke(text=text, id=id))
        except ProteaError:
            self._asked.discard(id)
            raise
        finally:
            self._compacting.discard(id)

    def submit(self, command: Any) -> None:
        """Send a command; what is wrong with it is told."""
        self.desk.spawn(self.submitted(command))

    async def submitted(self, command: Any) -> None:
        """Send a command and wait until it was taken."""
        await self.desk.gateway.submit(self.session, command)

    def command(self, text: str) -> None:
        """Do what a slash command says, as if it had been written."""
        self.desk.spawn(self._send(text, (), "", steer=False))

    def _answer_in_words(self) -> None:
        text, _ = self.composer.whole()
        question = self.card.question
        if question is None:
            return
        if not text.strip() and not self.card.commenting:
            return
        reply = self.card.answer(f"approval.{self.card.commenting or 'once'}", text.strip())
        if reply is not None:
            self.composer.take()
            self.card.commenting = ""
            self.submit(reply)

    async def _paste(self) -> None:
        """What is in the clipboard, a picture too."""
        found = await self.desk.clipboard(self.session)
        if isinstance(found, Image):
            self.composer.attach(found)
        elif found:
            self.composer.paste(found)
        else:
            self.desk.hint("nothing in the clipboard can be read; paste with the terminal's own key")

    @property
    def at_work(self) -> bool:
        """Whether there is something to interrupt: a turn, or room that is being made."""
        return self.state.busy or bool(self._compacting)

    def interrupt(self) -> None:
        self.submit(Interrupt())

    def next_mode(self) -> None:
        """Normal, plan, yolo, and again."""
        modes = ("normal", "plan", "yolo")
        at = modes.index(self.state.mode) if self.state.mode in modes else -1
        self.submit(SetMode(mode=modes[(at + 1) % len(modes)]))

    def unqueue(self) -> None:
        """Take the last prompt in line back into the composer."""
        if not self.state.waiting:
            self.desk.hint("nothing waits in line")
            return
        last = self.state.waiting[-1]
        self.desk.spawn(self._unqueue(last.id, last.text))

    async def _unqueue(self, id: str, text: str) -> None:
        try:
            await self.desk.gateway.submit(self.session, WithdrawPrompt(id=id))
        except UsageError:
            self.desk.hint("its turn has begun")
            return
        self.composer.set(f"{text}\n{self.composer.text}".strip("\n"))

    def act(self, action: str) -> bool:
        """Do an action that concerns this session; whether it was one."""
        if action.startswith("approval."):
            return self._approve(action)
        if action.startswith("suggestions."):
            return self._suggest(action)
        if action in _PAGES and self.composer.active and self.told.is_cut:
            self.told.turn(_PAGES[action])
            return True
        if action.startswith("transcript."):
            return self.transcript.act(action)
        match action:
            case "composer.send" | "composer.steer":
                if self.composer.text[: self.composer.buffer.cursor].endswith("\\"):
                    self.composer.buffer.delete(self.composer.buffer.cursor - 1, self.composer.buffer.cursor)
                    self.composer.insert("\n")
                else:
                    self.send(steer=action == "composer.steer")
            case "composer.complete" | "composer.queue" if self.card.commenting and self.card.can_allow_with_words:
                self.card.commenting = "once" if self.card.commenting == "deny" else "deny"
                self.card.again()
            case "composer.queue" if self.state.busy and self.composer.text.strip():
                self.send()
            case "composer.complete" | "composer.queue":
                self._offer()
                if len(self.suggestions.offers) == 1:
                    self._take_offer()
            case "composer.paste":
                self.desk.spawn(self._paste())
            case "composer.unqueue":
                self.unqueue()
            case "session.mode":
                self.next_mode()
            case _:
                return self.composer.act(action)
        return True

    def _approve(self, action: str) -> bool:
        if self.card.question is None:
            return False
        if action == "approval.comment":
            if self.card.question.kind != "question" and self.card.readable:
                self.card.commenting = "deny"
                self.card.again()
        elif action == "approval.edit":
            if plan_of(self.card.question) and self.card.readable:
                self.edit_plan(plan_of(self.card.question))
        elif action in ("approval.page_up", "approval.page_down"):
            down = action == "approval.page_down"
            if self.card.whole:
                self.card.scroll(1 if down else -1)
            else:
                self.transcript.act(action.replace("approval", "transcript"))
        elif action == "approval.expand":
            self.card.whole = not self.card.whole
            self.card.again()
        elif (reply := self.card.answer(action)) is not None:
            self.submit(reply)
        return True


_PAGES = {"transcript.page_up": -1, "transcript.page_down": 1}


def command_name(text: str) -> str:
    """`model` of `/model x`; empty where it is a prompt: `//…`, or a path such as `/etc/hosts says what?`."""
    word = text.strip().partition(" ")[0]
    if not word.startswith("/") or word.startswith("//") or "/" in word[1:] or len(word) < 2 or "\n" in word:
        return ""
    return word[1:]
