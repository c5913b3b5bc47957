"""`protea -p`: one run without anybody watching; the answer on standard output, an exit code, a result in every case.

Called by `cli` with a gateway and three descriptors. Whichever way a run ends — finished, failed, interrupted, its
reader gone — the turn is closed in the log, what it started is ended, and in `json` and `stream-json` the last line
is the result.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from protea.domain.commands import AnyCommand, EndSession, Interrupt, Invoke, ResolveApproval, SubmitPrompt
from protea.domain.errors import ConfigError, Failure, ModelError, ProteaError, SessionError, StoreError, UsageError
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    CommandAnswered,
    HookRan,
    MessageCompleted,
    NoticeGiven,
    Outcome,
    PromptSubmitted,
    PromptWithdrawn,
    RetryScheduled,
    SessionEnded,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.spelling import nearest
from protea.domain.view import (
    EXIT_CODES,
    Figures,
    advance,
    call_object,
    change_text,
    hook_details,
    hook_text,
    result_summary,
    retry_text,
)
from protea.interfaces.input import LARGEST, Lines
from protea.interfaces.json_lines import event_line, failure_object, json_line, read_command
from protea.interfaces.output import Output
from protea.interfaces.terminal import is_terminal, one_line, say, utf8, visible, write_all
from protea.ports.gateway import Gateway, OpenSession

OutputFormat = Literal["text", "json", "stream-json"]
InputFormat = Literal["text", "stream-json"]

COMMAND = "command"
"""What the answer of the slash command that was given as the prompt is known by."""
GRACE = 2.0
"""Seconds an interrupted turn has to come to its end."""
CLOSING = 5.0
"""Seconds the gateway has to end child processes and write what is pending."""


class HeadlessRun(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    open: OpenSession
    prompt: str | None = None
    """None only with `input_format` stream-json."""
    latest: bool = False
    """Go on with the latest session of `open.cwd`."""
    output_format: OutputFormat = "text"
    input_format: InputFormat = "text"
    verbose: bool = False


async def run(
    gateway: Gateway,
    spec: HeadlessRun,
    stdin: int = 0,
    stdout: int = 1,
    stderr: int = 2,
    on_open: Callable[[], None] = lambda: None,
) -> int:
    """Run to the end, close the gateway and return the exit code (docs/headless.md lists them).

    `on_open` is called once the session is open.
    """
    return await _Run(gateway, spec, stdin, stdout, stderr, on_open).run()


class _Run:
    """One headless run: what has happened so far, and what it waits for."""

    def __init__(
        self,
        gateway: Gateway,
        spec: HeadlessRun,
        stdin: int,
        stdout: int,
        stderr: int,
        on_open: Callable[[], None],
    ) -> None:
        self.gateway = gateway
        self.on_open = on_open
        self.spec = spec
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.output = Output(stdout, self._output_broke)
        self.progress = is_terminal(stderr) or spec.verbose
        self.session = ""
        self.figures = Figures()
        self.failure: BaseException | None = None
        self.interrupts = 0
        self.retries = 0
        """Attempts that followed the first, for the reply that is being waited for."""
        self.usable = 0
        """Lines of standard input that were commands."""
        self.reading = spec.input_format == "stream-json"
        """Whether more commands may come from standard input."""
        self.ending: EndSession | None = None
        """The session ends with this run, because a command said so; else it may be gone on with."""
        self.waiting: set[str] = set()
        """Prompts whose turn has not begun."""
        self.seen: set[str] = set()
        """Prompts whose event has come; `unseen` are those that were taken and whose event is on its way."""
        self.unseen: set[str] = set()
        self.turn: str | None = None
        self.answer: str | None = None
        """What the slash command said that this run is for; None before, and where it is for none."""
        self.brought = ""
        """What the last call gave of a turn that such a command began."""
        self.changes: list[str] = []
        """What such a command brought about that events of their own tell."""
        self.questions: dict[str, ApprovalRequested] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.background: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        caught = self._catch_signals()
        work = asyncio.create_task(self._work())
        try:
            try:
                await asyncio.wait((work, self.done), return_when=asyncio.FIRST_COMPLETED)
            finally:
                await self._close(work)
                self._leave_on_signals(caught)
                self.output.close()
            return self._finish()
        finally:
            for number, was in caught.items():
                signal.signal(number, signal.SIG_DFL if was is None else was)

    async def _work(self) -> None:
        """Open, submit, follow, until the session closes or nobody wants to know more."""
        after = await self._open()
        self.on_open()
        if self.spec.prompt is not None and await self._is_command(self.spec.prompt):
            self.answer = ""
            self.unseen.add(COMMAND)
            self._in_background(Invoke(text=self.spec.prompt, id=COMMAND))  # its answer is heard by who follows
        elif self.spec.prompt is not None:
            await self._submit(SubmitPrompt(text=self.spec.prompt))
        if self.reading:
            self._read_commands()
        await self._follow(after)

    async def _is_command(self, prompt: str) -> bool:
        """Whether it is a slash command, one's own included, or nearly one, which is refused with the nearest name.
        What merely begins with a slash is a prompt."""
        name = prompt[1:].partition("\n")[0].partition(" ")[0]
        if not prompt.startswith("/") or not name or "/" in name:
            return False
        rows = await self.gateway.describe("commands", self.session)
        names = [each for row in rows for each in (row["name"], *row["aliases"])]
        if name in names or nearest(name, names) is not None:
            return True
        file = f"/{name.replace(':', '/')}.md: "
        return any(file in problem for problem in await self.gateway.describe("commands_left_out", self.session))

    # ── opening and closing ────────────────────────────────────────────────────────────────────────────────────────

    async def _open(self) -> int:
        """Open the session; the number of the last event that is not this run's."""
        spec = self.spec.open
        if self.spec.latest:
            found = await self.gateway.sessions(spec.cwd)
            if not found:
                raise SessionError(f"there is no session of {spec.cwd} to go on with; leave -c out to begin one")
            spec = replace(spec, resume=found[0].id)
        after = 0
        if spec.resume is not None:
            last = await self.gateway.history(spec.resume, limit=-1)
            after = last[-1].seq or 0 if last else 0
        self.session = await self.gateway.open(spec)
        if spec.fork and self.spec.output_format == "stream-json":
            # What is copied keeps its numbers and is not news; that there is a new session is.
            for event in await self.gateway.history(self.session, limit=1):
                self.output.put(event_line(event))
        return after

    async def _close(self, work: asyncio.Task[None]) -> None:
        """Close the gateway; then let the follower see the last events."""
        bound = 0.5 if self.interrupts > 1 else CLOSING
        for task in self.background:
            task.cancel()
        try:
            await asyncio.wait_for(self._end_session(), bound)
            await asyncio.wait_for(self.gateway.close(), bound)
        except TimeoutError:
            self._say("it took too long to end what was running")
        except ProteaError as error:
            self.failure = self.failure or error
        if self.session and not work.done() and self.spec.output_format == "stream-json":
            await asyncio.wait((work,), timeout=0.25)
        work.cancel()
        try:
            await work
        except asyncio.CancelledError:
            pass
        except ProteaError as error:
            self.failure = self.failure or error
        except OSError as error:  # mostly the disk under the log
            self.failure = self.failure or StoreError(f"{error.strerror or error}: {error.filename or 'the session'}")
        if self.spec.output_format == "stream-json" and self.interrupts < 2:
            await self.output.flush()

    async def _end_session(self) -> None:
        if self.session and self.ending is not None and self.failure is None:
            await self.gateway.submit(self.session, self.ending)

    # ── events ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _follow(self, after: int) -> None:
        streaming = self.spec.output_format == "stream-json"
        async for event in self.gateway.events(self.session, after):
            if streaming:
                self.output.put(event_line(event))
                await self.output.room()
            if event.seq is not None or isinstance(event, (RetryScheduled, CommandAnswered)):
                self._take(event)

    def _take(self, event: AnyEvent) -> None:
        self.figures = advance(self.figures, event)
        self._tell(event)
        match event:
            case PromptSubmitted():
                self.seen.add(event.id)
                self.unseen.discard(event.id)
                if event.delivery != "steer" or (self.turn is None and not event.waits):
                    self.waiting.add(event.id)
            case PromptWithdrawn():
                self.waiting.discard(event.id)
            case TurnStarted():
                self.turn = event.id
                self.waiting.discard(event.prompt)
            case ApprovalRequested():
                self.questions[event.id] = event
                if self.spec.input_format == "stream-json" and not self.reading:
                    self._refuse(event.id)
            case ApprovalResolved():
                self.questions.pop(event.id, None)
            case CommandAnswered(id=id) if id == COMMAND:
                self.unseen.discard(COMMAND)
                self.answer = event.text
                self._end_if_idle()
            case ToolCallChanged(parent=None, result=result) if self.answer is not None and result is not None:
                self.brought = result.text
            case TurnFinished():
                self.turn = None
                self._end_if_idle()
            case SessionEnded():
                self._end()
            case _:
                if self.answer is not None and (text := change_text(event)):
                    self.changes.append(text)

    def _end_if_idle(self) -> None:
        if self.turn is None and (self.interrupts or not (self.reading or self.waiting or self.unseen)):
            self._end()

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    # ── commands ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _submit(self, command: AnyCommand) -> None:
        if isinstance(command, ResolveApproval):
            self.questions.pop(command.id, None)  # it is answered: the end of input must not refuse it
        prompt = await self.gateway.submit(self.session, command)
        if prompt is not None and prompt not in self.seen:
            self.unseen.add(prompt)  # until its turn is over, this run is not

    def _in_background(self, command: AnyCommand) -> None:
        async def submit() -> None:
            try:
                await self._submit(command)
            except ProteaError as error:
                if isinstance(error, UsageError) and not isinstance(command, Invoke):
                    return  # the question was answered, or the turn was over, before this arrived

                self.failure = self.failure or error
                self._end()

        task = asyncio.create_task(submit())
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    def _refuse(self, question: str) -> None:
        comment = "Standard input has ended: nobody is there to answer."
        self._in_background(ResolveApproval(id=question, decision="deny", comment=comment, by="policy"))

    def _read_commands(self) -> None:
        lines = Lines(self.stdin)

        async def take() -> None:
            number = 0
            async for line in lines:
                number += 1
                if line.strip():
                    await self._take_line(line, number)
                if self.interrupts or not self.reading:
                    return
            self._input_ended()

        task = asyncio.create_task(take())
        self.background.add(task)
        task.add_done_callback(self.background.discard)

    async def _take_line(self, line: bytes, number: int) -> None:
        try:
            if len(line) > LARGEST:
                raise UsageError("it is longer than 64 MiB")
            command = read_command(line)
            self.usable += 1
            if isinstance(command, EndSession):
                self.ending = command
                self._input_ended()
                return
            await self._submit(command)
        except UsageError as error:
            self._say(f"line {number} of standard input was left out: {error}")
        except ModelError as error:
            self._say(f"line {number} of standard input could not be done: {error}")
        except ProteaError as error:
            self.failure = self.failure or error
            self._end()

    def _input_ended(self) -> None:
        self.reading = False
        for question in list(self.questions):
            self._refuse(question)
        self._end_if_idle()

    # ── interrupting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _catch_signals(self) -> dict[signal.Signals, Any]:
        """Which are caught now, and what was done about each before."""
        loop = asyncio.get_running_loop()
        before: dict[signal.Signals, Any] = {}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            was = signal.getsignal(number)
            if was is not signal.SIG_IGN:  # nohup, or a shell's background job: whoever started us wants it ignored
                before[number] = was
                loop.add_signal_handler(number, self._interrupt)
        return before

    def _leave_on_signals(self, caught: Iterable[signal.Signals]) -> None:
        """The work is over and the result is next: only a reader that does not read can be waited for now."""
        for number in caught:
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, lambda *_: os._exit(4))

    def _interrupt(self) -> None:
        """Once: ask the turn to end and wait a little. Twice: leave."""
        self.interrupts += 1
        if self.interrupts > 1 or (self.turn is None and not (self.waiting or self.unseen)):
            self._end()
            return
        self._in_background(Interrupt())
        asyncio.get_running_loop().call_later(GRACE, self._end)

    def _output_broke(self, error: OSError) -> None:
        """Nobody can be told any more: end the turn rather than pay for an answer without a reader."""
        if not self.interrupts and not self.done.done():
            self._interrupt()

    # ── telling ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, text: str) -> None:
        say(text, self.stderr)

    def _tell(self, event: AnyEvent) -> None:
        """Progress and warnings, on standard error."""
        if isinstance(event, NoticeGiven) and event.level != "info":
            self._say(event.text)
        if isinstance(event, ToolCallChanged) and event.result is not None and event.result.denied is not None:
            refusal = self.figures.denied[-1]
            self._say(f"refused: {refusal.tool} {one_line(call_object(event.call), 200)}: {one_line(refusal.why, 400)}")
            return
        if isinstance(event, HookRan) and event.failed:
            self._say(one_line(event.failed, 400))
        if isinstance(event, RetryScheduled):
            self.retries = event.attempt - 1
            if self.progress or self.spec.output_format != "stream-json":  # a stream has the event itself
                self._say(retry_text(event))
        elif isinstance(event, (MessageCompleted, TurnStarted)):
            self.retries = 0
        if not self.progress:
            return
        match event:
            case ToolCallChanged(call=call, state="executing"):
                self._line(f"· {call.name} {one_line(call_object(call), 160)}")
            case HookRan(failed=""):
                self._line(f"· {one_line(hook_text(event), 200)}")
                for what, text in hook_details(event):
                    self._line(f"  {what}: {one_line(text, 200)}")
            case ToolCallChanged(call=call, state="error" | "cancelled" as state, result=result):
                self._line(f"  {state}: {one_line(result_summary(result), 160)}")
            case TurnFinished(usage=usage, cost_usd=cost_usd) if usage.input or usage.output:
                from protea.domain.columns import usage_text  # with --verbose only

                self._line(usage_text(usage, cost_usd))
            case _:
                pass

    def _line(self, text: str) -> None:
        with suppress(OSError):  # progress nobody reads is no reason to stop
            write_all(self.stderr, utf8(text + "\n"))

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _finish(self) -> int:
        outcome, code, error = self._outcome()
        if self.answer is not None and not self.figures.text:
            # What is wrong with the command is told on standard error, and not as an answer.
            brought = "" if code == 1 else self.brought or "\n".join(self.changes)
            self.figures = replace(self.figures, text=self.answer or brought)
        broken = self.output.broken
        if broken is None:
            try:
                self._print(result_object(self.session, self.figures, outcome, code, error))
            except OSError as trouble:
                broken = trouble
        if broken is not None and not isinstance(broken, BrokenPipeError):
            where = f"; session {self.session} has it: protea export {self.session}" if self.session else ""
            self._say(f"the answer could not be written to standard output: {broken.strerror or broken}{where}")
            return 2
        if broken is None:
            self._explain(outcome, error)
        return code

    def _outcome(self) -> tuple[Outcome, int, dict[str, Any] | None]:
        if self.failure is not None:
            return outcome_of(self.failure)
        if self.interrupts and self.figures.outcome != "finished":
            return "interrupted", 4, None
        if self.interrupts and self.spec.input_format == "stream-json":
            return "interrupted", 4, None
        if self.figures.outcome is None:
            if self.answer is not None:
                return "finished", 0, None
            if self.spec.prompt is None and not self.usable:
                return outcome_of(UsageError(_NO_COMMAND))
            if self.spec.prompt is None:  # input ended before any prompt
                return "finished", 0, None
            lost = Failure("internal", "The session ended before the turn did.")
            return "error", 2, failure_object(lost)
        error = self.figures.error
        return (
            self.figures.outcome,
            1 if error is not None and error.kind == "usage" else EXIT_CODES[self.figures.outcome],
            None if error is None else failure_object(error),
        )

    def _print(self, result: dict[str, Any]) -> None:
        if self.spec.output_format != "text":
            write_all(self.stdout, json_line(result))
            return
        text = self.figures.text
        if self.figures.structured is not None:
            text = msgspec.json.encode(self.figures.structured).decode()
        if text:
            shown = visible(text) if is_terminal(self.stdout) else text
            write_all(self.stdout, utf8(shown if shown.endswith("\n") else shown + "\n"))

    def _explain(self, outcome: Outcome, error: dict[str, Any] | None) -> None:
        """Why it did not finish, in one line on standard error."""
        match outcome:
            case "finished":
                return
            case "error":
                message = (error or {}).get("message") or "the run failed"
                self._say(f"{message.rstrip('. ')} (tried {self.retries + 1} times)" if self.retries else message)
            case "limit":
                limit = self.figures.limit or "length"
                self._say(f"stopped: {_LIMITS.get(limit, limit)}; 'protea -p -r {self.session} …' goes on")
            case "interrupted":
                goes_on = f"; 'protea -p -r {self.session} …' goes on" if self.session else ""
                self._say(f"interrupted{goes_on}")
            case "denied":
                message = (error or {}).get("message")
                self._say(one_line(message, 1000) if message else "stopped: an action it needs is not allowed")


_NO_COMMAND = 'no line of standard input was a command; write lines like {"type":"submit_prompt","text":"…"}'

_LIMITS = {
    "turns": "the limit on turns (--max-turns) is reached",
    "budget": "the budget is used up (--max-budget-usd, limits.budget_usd or [budgets])",
    "time": "the time limit (--time-limit) is reached",
    "length": "the answer is longer than the model may write",
    "refusal": "the model refused to answer",
    "content_filter": "the provider's content filter stopped the answer",
    "loop": "the model repeated the same calls again and again",
}


def result_object(
    session: str, figures: Figures, outcome: Outcome, code: int, error: dict[str, Any] | None
) -> dict[str, Any]:
    """The last line of `json` and `stream-json`; all keys, always."""
    return {
        "type": "result",
        "outcome": outcome,
        "exit_code": code,
        "session": session,
        "text": figures.text,
        "structured": figures.structured,
        "turns": figures.turns,
        "usage": msgspec.to_builtins(figures.usage),
        "cost_usd": None if figures.cost_usd is None else round(figures.cost_usd, 6),
        "denied": [msgspec.to_builtins(refusal) for refusal in figures.denied],
        "limit": figures.limit if outcome == "limit" else None,
        "error": error,
    }


def outcome_of(error: BaseException) -> tuple[Outcome, int, dict[str, Any] | None]:
    """Outcome, exit code and the `error` of the result for what stopped a run."""
    if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
        return "interrupted", 4, None
    if isinstance(error, ModelError):
        # A key that is missing is configuration: no provider was asked, so none has failed.
        missing_key = error.failure.kind == "auth" and error.failure.status is None
        return "error", 1 if missing_key else 2, failure_object(error.failure)
    if isinstance(error, UsageError):
        kind = "config" if isinstance(error, ConfigError) else "session" if isinstance(error, SessionError) else "usage"
        return "error", 1, failure_object(Failure(kind, str(error)))
    kind = "store" if isinstance(error, StoreError) else "internal"
    return "error", 2, failure_object(Failure(kind, str(error) or type(error).__name__))


def failed(error: BaseException, output_format: str, stdout: int = 1) -> None:
    """Print the result of a run that ended before it could begin. For `text` nothing: its answer does not exist."""
    if output_format == "text":
        return
    outcome, code, failure = outcome_of(error)
    with suppress(OSError):  # the exit code still tells
        write_all(stdout, json_line(result_object("", Figures(), outcome, code, failure)))
