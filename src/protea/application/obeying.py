"""What a session does with each command. Called by `session` for every one it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from protea.application.approvals import Approvals
from protea.application.hub import Hub
from protea.application.parts import Parts
from protea.application.past import Past
from protea.application.tool_runner import ToolRunner
from protea.application.undoing import Undoing
from protea.application.window import Window
from protea.application.worker import Worker
from protea.domain.commands import (
    AnyCommand,
    Background,
    Compact,
    Copy,
    EditSummary,
    EndSession,
    Interrupt,
    Redo,
    ResolveApproval,
    ResumeTask,
    Rewind,
    SetMode,
    SetModel,
    SetPins,
    SetTitle,
    Steer,
    StopTask,
    SubmitPrompt,
    Swap,
    Undo,
    UndoCompaction,
    WithdrawPrompt,
)
from protea.domain.errors import UsageError
from protea.domain.events import PinsChanged, TitleChanged
from protea.ports.session_store import EventLog

if TYPE_CHECKING:  # opened where a command asks for them
    from protea.application.delegation import Delegation
    from protea.application.swapping import Swapping
    from protea.application.tasks import Tasks

MOST_TITLE = 200
"""Characters of a title."""


class Body(Protocol):
    """The session, as far as it is needed here."""

    @property
    def parts(self) -> Parts: ...
    @property
    def log(self) -> EventLog: ...
    @property
    def hub(self) -> Hub: ...
    @property
    def past(self) -> Past: ...
    @property
    def worker(self) -> Worker: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def runner(self) -> ToolRunner: ...
    @property
    def undoing(self) -> Undoing | None: ...
    @property
    def window(self) -> Window: ...
    @property
    def swapping(self) -> Swapping: ...
    @property
    def agents(self) -> Delegation | None: ...
    @property
    def begun_tasks(self) -> Tasks | None: ...

    async def resume_task(self, id: str, text: str) -> None: ...
    async def set_mode(self, mode: str, by: str) -> None: ...
    async def set_model(self, name: str, effort: str | None) -> None: ...
    async def close(self, reason: str | None = None) -> None: ...


async def obey(body: Body, command: AnyCommand) -> str | None:
    """See `Gateway.submit`."""
    match command:
        case SubmitPrompt():
            return await body.worker.take(command)
        case Steer():
            return await body.worker.take(SubmitPrompt(text=command.text, delivery="steer", by=command.by))
        case WithdrawPrompt():
            await body.worker.withdraw(command.id)
        case Interrupt():
            _interrupt(body, command.call_id)
        case Background():
            _let_go_on(body, command.call_id)
        case ResolveApproval():
            await body.approvals.resolve(command)
        case SetModel():
            await body.set_model(command.model, command.effort)
        case SetMode():
            await body.set_mode(command.mode, command.by)
        case SetPins():
            await body.hub.commit(PinsChanged(pins=command.pins))
        case SetTitle():
            await _set_title(body, command.title)
        case Compact():
            body.window.wanted = command.focus
            body.worker.shrink()
        case EditSummary() | UndoCompaction() | Rewind() | Undo() | Redo():
            await _take_back(body, command)
        case Swap():
            await body.swapping.swap(command)
        case Copy():
            await _copy(body, command.text)
        case StopTask():
            await _stop_task(body, command.id)
        case ResumeTask():
            await body.resume_task(command.id, command.text)
        case EndSession():
            await body.close(command.reason)
    return None


def _interrupt(body: Body, call_id: str | None) -> None:
    if call_id is None:
        body.worker.interrupt()
    elif not body.runner.stop(call_id):
        raise UsageError(f"no call {call_id} is running")


def _let_go_on(body: Body, call_id: str | None) -> None:
    if why := body.runner.let_go_on(call_id):
        raise UsageError(f"nothing can go on in the background now: {why}")


async def _take_back(body: Body, command: EditSummary | UndoCompaction | Rewind | Undo | Redo) -> None:
    from protea.application import rewinding  # when somebody first does

    match command:
        case Rewind():
            await rewinding.rewind(command, body.past, body.log, body.hub)
        case UndoCompaction():
            await rewinding.undo_compaction(body.past, body.log, body.hub)
        case EditSummary():
            await rewinding.edit_summary(command, body.past.transcript, body.hub)
        case Undo() | Redo():
            await rewinding.restore_files(command, body.past.transcript, body.undoing)


async def _set_title(body: Body, text: str) -> None:
    title = " ".join(text.split())
    if not title:
        raise UsageError("the title is empty; say what the session should be called")
    await body.hub.commit(TitleChanged(title=title[:MOST_TITLE]))


async def _copy(body: Body, text: str) -> None:
    clipboard = body.parts.clipboard
    if clipboard is None:
        raise UsageError(
            'nothing is there to copy with; set [ports.clipboard] adapter = "osc52" (the terminal\'s) or "system"'
        )
    if not await clipboard.copy(text):
        raise UsageError("the clipboard did not take it; `protea doctor --port clipboard` looks at why")


async def _stop_task(body: Body, id: str) -> None:
    agent = body.agents.of(id) if body.agents is not None else None
    if body.begun_tasks is not None and await body.begun_tasks.stop(id) is not None:
        return
    if agent is None:
        raise UsageError(f"no task {id} is running")
    agent.child.interrupt()
