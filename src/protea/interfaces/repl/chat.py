"""A plain chat from its first line to its last. Called by `cli`.

Two threads: the first reads the keyboard (readline belongs to the main thread, and so do signals), the other runs the
event loop with the gateway and draws. They meet in `_State`: what the keyboard is wanted for now.
"""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar, cast

import msgspec
from msgspec.structs import replace

from protea.domain.commands import EndSession, Interrupt, Invoke, ResolveApproval, SubmitPrompt
from protea.domain.errors import ProteaError, SessionError, UsageError
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    CommandAnswered,
    HookRan,
    MessageCompleted,
    PromptSubmitted,
    PromptWithdrawn,
    TaskChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.interfaces.drawing import Drawing
from protea.interfaces.nudges import Nudges
from protea.interfaces.repl.answering import Answers
from protea.interfaces.repl.lines import History, forget_typed_ahead, piped_line
from protea.interfaces.tables import session_rows, table
from protea.interfaces.terminal import Paint, one_line, utf8, wants_colour, write_all
from protea.ports.gateway import Gateway, OpenSession, Topic

T = TypeVar("T")

TWICE = 2.0
"""Seconds within which a second Ctrl+C leaves."""

SHOWN = 10
"""Sessions there are to choose from, the latest of them last, where the eye is."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """How a chat begins."""

    open: OpenSession
    prompt: str | None = None
    latest: bool = False
    """Go on with the latest session of this directory."""
    choose: bool = False
    """Show the sessions of this directory and let one be chosen."""
    plain: bool = False
    """No terminal: lines come over a pipe or from a file, no prompt is drawn, and at their end the chat ends."""
    history: str
    """The file of what was typed before, mode 0600."""


def run(create: Callable[[], Awaitable[Gateway]], spec: Conversation, environment: Mapping[str, str]) -> int:
    """Chat until it is left. Returns the exit code; raises what `create` and `Gateway.open` raise."""
    return _Chat(create, spec, environment).run()


class _Leave(Exception):
    """The person, or a signal, ends the chat."""


class _State:
    """What the keyboard is wanted for: written by the loop, read by the keyboard; `wake` tells of changes."""

    def __init__(self) -> None:
        self.busy = False
        self.questions: deque[ApprovalRequested] = deque()
        self.broken: BaseException | None = None
        self.reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)

    def wake(self) -> None:
        with suppress(BlockingIOError):  # it is full of wake-ups already
            os.write(self._writing, b".")

    def awake(self) -> None:
        os.read(self.reading, 4096)

    def close(self) -> None:
        os.close(self.reading)
        os.close(self._writing)


class _Chat:
    def __init__(
        self, create: Callable[[], Awaitable[Gateway]], spec: Conversation, environment: Mapping[str, str]
    ) -> None:
        self.create = create
        self.spec = spec
        self.environment = environment
        self.paint = Paint(wants_colour(1, environment))
        self.drawing = Drawing(self.write, self.paint, lambda: shutil.get_terminal_size().columns, wraps=not spec.plain)
        self.answering = Answers(self._ask, self.drawing, self.paint, environment, editor=not spec.plain)
        self.state = _State()
        self.loop = asyncio.new_event_loop()
        self.session = ""
        self.waiting: dict[str, str] = {}
        """Prompts whose turn has not begun, and what they say."""
        self.queued: set[str] = set()
        """Those that came while others were before them: they are shown again when their turn starts."""
        self.running = False
        self.seen: set[str] = set()
        self.invoked = 0
        self.ended: deque[TaskChanged] = deque()
        """Tasks whose end was not told yet."""
        self.answers: dict[str, asyncio.Future[None]] = {}
        """Slash commands whose answer has not been drawn."""
        self.follower: asyncio.Task[None] | None = None
        self.interrupted_at = 0.0
        self.compacting = False
        """Whether a `/compact` is waited for."""
        self.gateway: Gateway
        self.nudges: Nudges

    # ── the whole ──────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> int:
        thread = threading.Thread(target=self.loop.run_forever, name="protea", daemon=True)
        thread.start()
        self.nudges = Nudges(self.loop, _Leave)
        lines = History(self.spec.history, self._complete, plain=self.spec.plain)
        try:
            self.gateway = self.call(self._create())
            try:
                self._begin()
                self._talk(lines)
            except _Leave:
                self.nudges.noticed()
            finally:
                self._close()
                if self.seen and not self.spec.plain:
                    self.write(f"To go on: protea repl -r {self.session}\n")
        finally:
            lines.save()
            self.nudges.close()
            self.loop.call_soon_threadsafe(self.loop.stop)
            thread.join(2)
            if not thread.is_alive():
                self.loop.close()
                self.state.close()
        return 0

    async def _create(self) -> Gateway:
        return await self.create()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop and wait for it; Ctrl+C interrupts the waiting."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def write(self, text: str) -> None:
        with suppress(OSError):  # a terminal that is gone is noticed by the keyboard
            write_all(1, utf8(text))

    def _close(self) -> None:
        with suppress(KeyboardInterrupt, TimeoutError):
            asyncio.run_coroutine_threadsafe(self._shut(), self.loop).result(5)

    async def _shut(self) -> None:
        if self.session and not self.seen:
            with suppress(ProteaError):
                await self._forget_unused(self.session)
        await self.gateway.close()
        if self.follower is not None:
            await asyncio.wait([self.follower], timeout=0.25)  # what hooks say of the end is seen as well
            self.follower.cancel()

    async def _forget_unused(self, session: str) -> None:
        """Leave nothing of a session in which nothing was ever said."""
        if not any(isinstance(event, PromptSubmitted) for event in await self.gateway.history(session, limit=100)):
            await self.gateway.submit(session, EndSession(reason="left"))
            await self.gateway.delete(session)

    # ── sessions ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self) -> None:
        spec = self.spec.open
        if self.spec.latest or self.spec.choose:
            found = self.call(self._sessions())
            if not found:
                raise SessionError(f"there is no session of {spec.cwd} to go on with; leave -c or -r out to begin one")
            chosen = found[0].id if self.spec.latest else self._choose(found)
            spec = replace(spec, resume=chosen)
        self._open(spec)
        if self.spec.prompt:
            self.drawing.line(self.paint.bold("> ") + one_line(self.spec.prompt))
            self._send(self.spec.prompt)

    async def _sessions(self) -> list[Any]:
        return list(await self.gateway.sessions(self.spec.open.cwd))

    def _choose(self, found: list[Any]) -> str:
        shown = found[:SHOWN][::-1]
        self.write(table(["", "ID", "WHEN", "TITLE"], session_rows(shown, numbered=True)))
        while True:
            answer = self._ask("which one? ").strip()
            if answer.isdigit() and 1 <= int(answer) <= len(shown):
                return str(shown[int(answer) - 1].id)
            if answer:
                return answer

    def _open(self, spec: OpenSession) -> None:
        """Open a session and follow it."""
        self.call(self._open_and_follow(spec))
        about = self.call(self._about())
        words = [str(about[key]) for key in ("model", "mode", "profile") if about.get(key)]
        self.drawing.line(self.paint.dim(f"Protea · {' · '.join(words)} · /help"))

    async def _open_and_follow(self, spec: OpenSession) -> None:
        session = await self.gateway.open(spec)
        if self.follower is not None:
            self.follower.cancel()
        self.session = session
        self.waiting.clear()
        self.queued.clear()
        self.running = False
        self.state.busy = False
        self.state.questions.clear()
        after = 0
        if spec.resume is not None:
            past = await self.gateway.history(session)
            after = past[-1].seq or 0 if past else 0
            self._retell(past)
        self.follower = asyncio.create_task(self._follow(session, after))

    def _retell(self, past: Any) -> None:
        """Draw the last exchange of a session that goes on."""
        begin = 0
        for index, event in enumerate(past):
            if isinstance(event, PromptSubmitted) and event.origin == "user":
                begin = index
        for event in past[begin:]:
            if isinstance(event, PromptSubmitted):
                self.drawing.prompt(event.text)
            elif isinstance(event, (MessageCompleted, HookRan, PromptWithdrawn)) or (
                isinstance(event, ToolCallChanged) and event.state in ("success", "error", "cancelled")
            ):
                self.drawing.draw(event)

    async def _about(self) -> dict[str, Any]:
        about = await self.gateway.describe("session", self.session)
        return about if isinstance(about, dict) else {}

    # ── events (the loop's thread) ─────────────────────────────────────────────────────────────────────────────────

    async def _follow(self, session: str, after: int) -> None:
        try:
            async for event in self.gateway.events(session, after):
                if isinstance(event, CommandAnswered):
                    self._answered(event)
                    continue
                self.drawing.draw(event)
                if isinstance(event, TaskChanged):
                    self._task(event)
                if event.seq is not None:
                    self._note(event)
        except ProteaError as error:
            self.state.broken = error
            self.state.wake()

    def _answered(self, event: CommandAnswered) -> None:
        """Draw the answer to what was typed here; those of others on this session are theirs."""
        drawn = self.answers.get(event.id)
        if drawn is not None and not drawn.done():
            self.drawing.draw(event)
            drawn.set_result(None)

    def _task(self, event: TaskChanged) -> None:
        """Tell how a task ended: while a turn runs at once, else before the next prompt, as a shell does."""
        if event.background and event.state != "running":
            self.ended.append(event)
            if self.running:
                self._tell_ended()

    def _tell_ended(self) -> None:
        while self.ended:
            self.drawing.ended(self.ended.popleft())

    def _note(self, event: AnyEvent) -> None:
        """Keep the state: what the keyboard is for."""
        state = self.state
        match event:
            case PromptSubmitted(id=id):
                self.seen.add(id)
                if event.delivery != "steer":
                    if self.running or self.waiting:
                        self.queued.add(id)
                    self.waiting[id] = event.text
                state.busy = state.busy or not event.waits
            case PromptWithdrawn(id=id):
                self.waiting.pop(id, None)
                self.queued.discard(id)
            case TurnStarted():
                text = self.waiting.pop(event.prompt, "")
                if event.prompt in self.queued:
                    self.queued.discard(event.prompt)
                    self.drawing.prompt(text)
                self.running = state.busy = True
            case ApprovalRequested():
                state.questions.append(event)
            case ApprovalResolved(id=id):
                for question in list(state.questions):
                    if question.id == id:
                        state.questions.remove(question)
            case TurnFinished():
                self.running = False
                # After an interrupt the queue is held until the next prompt, so the keyboard is free.
                state.busy = bool(self.waiting) and event.outcome != "interrupted"
                state.questions.clear()
            case _:
                return
        state.wake()

    # ── the keyboard (the main thread) ─────────────────────────────────────────────────────────────────────────────

    def _talk(self, lines: History) -> None:
        while True:
            try:
                while True:  # a signal is raised where a loop begins anew: within, then
                    self._take_turns(lines)
            except (KeyboardInterrupt, SystemError) as error:
                # While readline gives up on an exception, Python may run the handler of a nudge, and complains of both.
                came = error.__cause__ if isinstance(error, SystemError) and error.__cause__ is not None else error
                if not isinstance(came, KeyboardInterrupt):
                    raise came from None
                self.nudges.noticed()
                self._interrupt(lines)
            except EOFError:
                if not self.spec.plain:
                    self.write("\n")
                return
            except UsageError as error:
                self.drawing.line(self.paint.bad(one_line(str(error))))

    def _take_turns(self, lines: History) -> None:
        """Whoever's turn it is: a question, the model, or the keyboard."""
        if self.state.broken is not None:
            raise self.state.broken
        if self.state.questions:
            self._answer(self.state.questions[0])
        elif self.state.busy:
            self._wait_or_queue()
        else:
            self._tell_ended()
            text = lines.read(self.paint)
            self._tell_ended()
            self._take(text)

    def _wait_or_queue(self) -> None:
        """While a turn runs: what is typed waits in line."""
        # Without a terminal the lines are read one after the other, each when the one before is done.
        wanted = [self.state.reading] if self.spec.plain else [0, self.state.reading]
        ready, _, _ = select.select(wanted, [], [])
        if self.state.reading in ready:
            self.state.awake()
        elif 0 in ready:
            data = os.read(0, 1 << 16)
            if not data:
                raise EOFError
            text = data.decode("utf-8", "replace").strip()
            if text:
                self._take(text, busy=True)

    def _take(self, text: str, *, busy: bool = False) -> None:
        self.interrupted_at = 0.0
        if not text.strip():
            return
        if text.startswith("/") and not text.startswith("//") and "/" not in text[1:].partition(" ")[0]:
            self._command(text[1:])
            return
        self._send(text.removeprefix("/") if text.startswith("//") else text)
        if busy:
            self.drawing.line(self.paint.dim("  (queued)"))

    def _send(self, text: str) -> None:
        self.state.busy = True
        try:
            origin = "shell" if text.startswith("!") and text[1:].strip() else "user"
            self.call(self.gateway.submit(self.session, SubmitPrompt(text=text, origin=origin)))
        except ProteaError:
            self.state.busy = False
            raise

    def _interrupt(self, lines: History) -> None:
        working, self.compacting = self.state.busy or self.compacting, False
        if not working and lines.typed():
            self.interrupted_at = 0.0  # it was for what stood there
            self.write("\n")
            return
        now = _now()
        if now - self.interrupted_at < TWICE:
            self.write("\n")
            raise _Leave
        self.interrupted_at = now
        if working:
            self.state.questions.clear()
            self.call(self.gateway.submit(self.session, Interrupt()))
            if count := len(self.waiting):
                waiting = "1 waiting prompt runs" if count == 1 else f"{count} waiting prompts run"
                self.drawing.line(self.paint.dim(f"\n{waiting} before your next one"))
            else:
                self.drawing.line("")
        else:
            self.drawing.line(self.paint.dim("\n(Ctrl+C again leaves)"))

    def _answer(self, question: ApprovalRequested) -> None:
        self.drawing.question(question)
        if not self.spec.plain:
            forget_typed_ahead()
        try:
            reply = self.answering.reply(question)
        except EOFError:
            if not self.spec.plain:
                raise
            comment = "Standard input has ended: nobody is there to answer."
            reply = ResolveApproval(id=question.id, decision="deny", comment=comment, by="policy")
        with suppress(UsageError):  # it was answered elsewhere meanwhile
            self.call(self.gateway.submit(self.session, reply))
        with suppress(IndexError, ValueError):
            self.state.questions.remove(question)

    def _ask(self, prompt: str) -> str:
        return piped_line() if self.spec.plain else input(prompt)

    # ── slash commands ─────────────────────────────────────────────────────────────────────────────────────────────

    def _command(self, text: str) -> None:
        """What this face does itself is done here, everything else behind the gateway."""
        name, _, rest = text.strip().partition(" ")
        row = next((each for each in self._commands() if name in (each["name"], *each["aliases"])), None)
        if row is not None and row["face"]:
            _DOING[row["name"]](self, rest.strip())
            return
        self.compacting = name == "compact"
        try:
            self.call(self._invoke(f"/{text.strip()}"))
        except ProteaError:
            self.compacting = False
            raise
        self.compacting = False  # where it was interrupted, `_interrupt` still has to know
        if row is not None and row["name"] == "help" and not rest:
            self.write(_HELP)

    def _commands(self) -> list[dict[str, Any]]:
        described: list[dict[str, Any]] = self.call(self.gateway.describe("commands", self.session))
        return [each for each in described if not each["face"] or each["name"] in _DOING]

    async def _invoke(self, text: str) -> None:
        """Send a slash command and wait until its answer is drawn."""
        self.invoked += 1
        id = f"repl-{os.getpid()}-{self.invoked}"
        drawn = self.answers[id] = asyncio.get_running_loop().create_future()
        try:
            await self.gateway.submit(self.session, Invoke(text=text, id=id))
            if self.follower is not None:
                await asyncio.wait([drawn, self.follower], return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self.answers[id]

    def resume(self, wanted: str) -> None:
        others = [each for each in self.call(self._sessions()) if each.id != self.session]
        if not wanted and not others:
            raise SessionError("there is no other session of this directory")
        wanted = wanted or self._choose(others)
        before = self.session
        self._open(replace(self.spec.open, resume=wanted, fork=False))
        if before != self.session:
            self.call(self.gateway.submit(before, EndSession(reason="left")))

    def clear(self) -> None:
        before = self.session
        self._open(replace(self.spec.open, resume=None, fork=False))
        self.call(self.gateway.submit(before, EndSession(reason="cleared")))

    def exit(self) -> None:
        raise _Leave

    def _complete(self, text: str) -> list[str]:
        """What a beginning can become: commands, and what stands behind them."""
        if not text.startswith("/"):
            return []
        name, blank, _ = text[1:].partition(" ")
        rows = self._commands()
        if not blank:
            return [f"/{each['name']} " for each in rows if each["name"].startswith(name)]
        kind = next((each["completes"] for each in rows if each["name"] == name), ())
        words = self.call(self.gateway.describe(cast(Topic, kind), self.session)) if isinstance(kind, str) else kind
        found = (each if isinstance(each, str) else str(each.get("id") or each.get("name")) for each in words)
        return [each for each in (f"/{name} {word}" for word in found) if each.startswith(text)]


_DOING: dict[str, Callable[[_Chat, str], None]] = {
    "resume": lambda chat, rest: chat.resume(rest),
    "clear": lambda chat, rest: chat.clear(),
    "exit": lambda chat, rest: chat.exit(),
}
"""What this face does itself, and with what stands behind the command's name."""

_HELP = (
    "A line that ends with \\ goes on in the next. Ctrl+C interrupts, twice leaves; Ctrl+D leaves.\n"
    "What is typed while the model works waits in line. !COMMAND runs a shell command of your own.\n"
)


def _now() -> float:
    import time

    return time.monotonic()
