"""Everything that happens in a session, as values; the log of them is the only truth.

**Lasting** events are numbered (`seq`, from 1, without gaps) and written before anyone sees them. **Passing** events
have no `seq`: they are told to whoever watches and forgotten; the lasting event that follows carries the whole.

The order within one prompt:

    prompt_submitted
    turn_started
      (text_delta | thinking_delta | usage_updated | retry_scheduled)*
      message_completed
      for each of its calls, any interleaving between calls:
        tool_call_changed validating → scheduled → [awaiting_approval, approval_requested, approval_resolved]
                          → executing → tool_output_delta* → success | error | cancelled
      instructions_found*
      … until a message has no calls …
    files_changed?
    turn_finished

A call may end from any state. The calls of one message all begin, or none does (where the message was cut off or
refused, or the turn was interrupted before); none is open, nor any question, when the next message or the end of the
turn comes. Deltas that no `message_completed` follows are void: those before a `retry_scheduled` or `model_switched`.
Two calls of one message never have the same id; calls of different messages may.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from protea.domain.changes import ChangedFile, Direction, SkippedFile
from protea.domain.errors import Failure
from protea.domain.messages import Content, Image, Native, ToolCall
from protea.domain.reply import Stop
from protea.domain.tools import CallState, TodoItem, ToolResult
from protea.domain.usage import Usage

Outcome = Literal["finished", "error", "limit", "interrupted", "denied"]
Delivery = Literal["now", "queue", "steer"]
Answer = Literal["once", "session", "always", "deny"]


def snake(name: str) -> str:
    """`TurnStarted` as it is written in logs and on wires: `turn_started`."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=snake):
    """What every event has. `session`, `seq` and `at` are filled in by the hub when the event is published."""

    session: str = ""
    seq: int | None = None
    at: str = ""
    """RFC 3339, UTC."""
    identity: str = ""
    """Who produced it: the profile in force, and `+port=adapter` for each port that is not as the profile says."""


class Lasting(Event, frozen=True, kw_only=True, tag=snake):
    """Base of events that are written to the log."""


class Passing(Event, frozen=True, kw_only=True, tag=snake):
    """Base of events that are only told."""


# ── lasting ────────────────────────────────────────────────────────────────────────────────────────────────────────


class SessionStarted(Lasting, frozen=True, kw_only=True):
    """Always seq 1."""

    version: str
    """Of Protea."""
    cwd: str
    profile: str = ""
    model: str = ""
    parent: str | None = None
    """The session this was forked from or started by."""
    parent_seq: int | None = None
    """The last event of the parent that this session's history begins with."""
    agent: str = ""
    """The agent it is, where another session sent it: see `parent`."""


class PromptSubmitted(Lasting, frozen=True, kw_only=True):
    id: str
    text: str
    images: tuple[Image, ...] = ()
    delivery: Delivery = "now"
    """`queue` waits for its own turn; `steer` joins the running one before its next request."""
    origin: str = "user"
    """Who submitted it: `user`, `task`, `cron`, `channel:…`, `agent:…`; `mention` tells of what another one points at.
    Behind the colon of `mention:…` and `task:…` stands whose words that brings along."""
    command: str = ""
    """The slash command of one's own that it was made of: `/review`."""
    only: tuple[str, ...] = ()
    """The tools that this command says it needs."""
    runs: tuple[str, ...] = ()
    """Shell commands that are run before a model is asked."""

    @property
    def waits(self) -> bool:
        """Whether it begins no turn and is told with the next one: news of a task, and what a hook says."""
        return self.delivery == "steer" and self.origin.partition(":")[0] in ("task", "hook")


class PromptWithdrawn(Lasting, frozen=True, kw_only=True):
    """A queued prompt that was taken back before its turn began, or one that is refused: no model is shown it."""

    id: str
    why: str = ""
    """Who refused it, and for what reason; it stays where it was for the person who wrote it."""


class TurnStarted(Lasting, frozen=True, kw_only=True):
    id: str
    prompt: str
    """The id of the prompt it answers."""
    model: str
    mode: str = "normal"


class MessageCompleted(Lasting, frozen=True, kw_only=True):
    """What the provider said, whole, whether or not the tools it names exist."""

    role: Literal["assistant"] = "assistant"
    model: str
    content: tuple[Content, ...]
    stop: Stop
    usage: Usage
    cost_usd: float | None = None
    native: Native | None = None
    seen: int = 0
    """The last event its request knew of: a steering prompt after it is read by the next request."""
    partial: bool = False
    """It was cut off by an interrupt; its calls were never run."""
    detail: str | None = None


class ToolCallChanged(Lasting, frozen=True, kw_only=True):
    """A call in another of its states; `success`, `error` or `cancelled` is the last, and has the result."""

    call: ToolCall
    state: CallState
    result: ToolResult | None = None
    """Present in the three last states."""
    parent: str | None = None
    """The id of the call this one is a part of; the model asked for that one and gets its result."""


class ApprovalRequested(Lasting, frozen=True, kw_only=True):
    """A question to a person: its call waits. Answered by `ResolveApproval`, told by `ApprovalResolved`."""

    id: str
    call: ToolCall
    why: str
    rule: str | None = None
    proposals: tuple[str, ...] = ()
    """The rules `always` would save; for a question of the model's, the answers it offers."""
    kind: Literal["permission", "question", "plan", "trust"] = "permission"
    """`trust`: files of the project are not as a person has looked at them; a yes lets them be used as they are now."""
    detail: dict[str, Any] | None = None
    """What is shown beside it: `diff`, the unified diff of what the call would change, and `effects`, what it brings
    about; of a `plan`, the `plan` in Markdown; of `trust`, the `files`; where an agent asks, its name as `agent` and
    its `session`."""


class ApprovalResolved(Lasting, frozen=True, kw_only=True):
    id: str
    decision: Answer
    comment: str | None = None
    rules: tuple[str, ...] = ()
    """The rules that were saved, for this session or for always."""
    by: str = "user"
    """`user`, `policy` (nobody was there to ask), `interrupt` (closed because its turn was), or the client's name."""


class ProfileSwapped(Lasting, frozen=True, kw_only=True):
    """The first event of a new identity: those before it came from the old one, those from it on come from this."""

    profile: str
    changed: dict[str, str] = {}
    """Port → the adapter that fills it now, of all that were exchanged."""
    ports: dict[str, str] = {}
    """Port → adapter, of those that are not as the profile says."""
    by: str = "user"


class ModelSwitched(Lasting, frozen=True, kw_only=True):
    model: str
    effort: str | None = None
    reason: str = "asked"


class ModeChanged(Lasting, frozen=True, kw_only=True):
    mode: str
    by: str = "user"


class Compacted(Lasting, frozen=True, kw_only=True):
    """What the model is shown of the history up to `upto` is made smaller; the log keeps all of it."""

    upto: int
    summary: str
    """Stands in the place of all of it, where that is `how`."""
    strategy: str = ""
    """In words for a person: who did it, or why."""
    how: Literal["summarise", "clear", "shorten"] = "summarise"
    """The other two touch only results of calls: without their text, or with `longest` characters of it."""
    longest: int = 0
    model: str = ""
    """Who summed it up, where a model did."""
    usage: Usage = Usage()
    cost_usd: float | None = None


class CompactionUndone(Lasting, frozen=True, kw_only=True):
    """The model is shown again what `Compacted` number `compacted` had made smaller."""

    compacted: int


class PinsChanged(Lasting, frozen=True, kw_only=True):
    """What is never summed up, word for word: the whole list."""

    pins: tuple[str, ...]


class TaskChanged(Lasting, frozen=True, kw_only=True):
    """Work beside the turns, or an agent: it begins, goes on and ends. The latest is the whole of it."""

    id: str
    title: str
    state: Literal["running", "done", "failed", "stopped", "lost"]
    """`lost`: its process ended before it did."""
    detail: str | None = None
    """A line on how it stands, or how it ended."""
    kind: str = ""
    """`shell`, `agent` or `monitor`."""
    child: str = ""
    """Of an agent: the id of its session, which can be opened, steered and interrupted like any other."""
    agent: str = ""
    """Its name."""
    call_id: str = ""
    """The call that began it."""
    background: bool = False
    """Whether the turn went on without it."""
    model: str = ""
    tool: str = ""
    """What it runs just now; empty: it thinks."""
    tokens: int = 0
    """In and out so far."""
    seconds: float = 0.0
    """Since it began."""
    stalled: float = 0.0
    """Seconds without news, where that is long."""
    log: str = ""
    """A file with all of its output."""


class TodoChanged(Lasting, frozen=True, kw_only=True):
    items: tuple[TodoItem, ...]


class Rewound(Lasting, frozen=True, kw_only=True):
    """The model's history ends at `to`; what came after stays in the log, unseen by the model."""

    to: int


class InstructionsFound(Lasting, frozen=True, kw_only=True):
    """An instruction file that concerns what the last calls touched: the model is told once, before its next reply."""

    path: str
    text: str


class HookRan(Lasting, frozen=True, kw_only=True):
    """A hook had something to say, or failed. One that only looked on is not recorded."""

    hook: str
    moment: str
    call_id: str | None = None
    verdict: Literal["allow", "ask", "deny"] | None = None
    why: str = ""
    arguments: dict[str, Any] | None = None
    """What the call is made with instead of what the model wrote."""
    prompt: str = ""
    """The id of the prompt it is about."""
    text: str | None = None
    """What stands instead: the prompt as it is sent, the result as the model reads it, what a summary is asked for, the
    summary."""
    was: str = ""
    """What `text` stands for, where no other event has it: a result, or what a summary was to be asked for."""
    context: str = ""
    """What the model was told by it."""
    failed: str = ""


class FilesChanged(Lasting, frozen=True, kw_only=True):
    """What a turn did to files; the last event before its end. A turn that changed none has no such event."""

    turn: str
    checkpoint: str
    """By which it can be undone."""
    files: tuple[ChangedFile, ...] = ()
    """The first of them."""
    more: int = 0
    """How many more there are."""
    uncovered: tuple[SkippedFile, ...] = ()
    """What was changed and cannot be undone."""


class FilesRestored(Lasting, frozen=True, kw_only=True):
    """Turns were taken back, or done again."""

    direction: Direction
    turns: tuple[str, ...]
    """In the order in which it was done."""
    files: tuple[ChangedFile, ...] = ()
    """What happened to files by that: one that a turn had created is `deleted` by its undo."""
    more: int = 0
    skipped: tuple[SkippedFile, ...] = ()
    """Files that were left as they are, above all those that changed since."""
    by: str = "user"


class TitleChanged(Lasting, frozen=True, kw_only=True):
    title: str


class NoticeGiven(Lasting, frozen=True, kw_only=True):
    """Something a person should know: data lost by a crash, a loop noticed, a configuration kept."""

    level: Literal["info", "warning", "error"]
    text: str


class TurnFinished(Lasting, frozen=True, kw_only=True):
    """The last event of a turn: how it ended, and what it took."""

    id: str
    outcome: Outcome
    error: Failure | None = None
    turns: int = 0
    """Replies of the model in it."""
    usage: Usage = Usage()
    cost_usd: float | None = None
    structured: Any = None
    """The answer as JSON, where a schema was asked for and it fits."""
    limit: str | None = None
    """Which limit, where the outcome is `limit`: turns, budget, time, length, refusal, content_filter, loop."""


class SessionEnded(Lasting, frozen=True, kw_only=True):
    reason: str = "closed"


class UnknownEvent(Lasting, frozen=True, kw_only=True):
    """An event written by a newer version: kept as it is, read by nobody."""

    name: str
    data: dict[str, Any]


# ── passing ────────────────────────────────────────────────────────────────────────────────────────────────────────


class TextDelta(Passing, frozen=True, kw_only=True):
    """A piece of the answer as it comes in; `MessageCompleted` has it whole."""

    text: str


class ThinkingDelta(Passing, frozen=True, kw_only=True):
    text: str


class ToolOutputDelta(Passing, frozen=True, kw_only=True):
    call_id: str
    text: str
    stream: Literal["stdout", "stderr"] = "stdout"


class UsageUpdated(Passing, frozen=True, kw_only=True):
    usage: Usage


class RetryScheduled(Passing, frozen=True, kw_only=True):
    attempt: int
    """The attempt that will be made, from 2."""
    delay: float
    """Seconds until then."""
    error: Failure


class CommandAnswered(Passing, frozen=True, kw_only=True):
    """What a slash command answers, for the one who sent it; it comes after all that the command brought about."""

    id: str = ""
    """As the `invoke` had it."""
    command: str
    """Its name, without the slash."""
    text: str = ""
    """For a person: lines of plain text, columns aligned. Empty where the events before it have said it all."""
    data: Any = None
    """The same as plain data, for a face that draws it in its own way."""
    by: str = "user"
    """Who sent it."""


LastingEvent = (
    SessionStarted
    | PromptSubmitted
    | PromptWithdrawn
    | TurnStarted
    | MessageCompleted
    | ToolCallChanged
    | ApprovalRequested
    | ApprovalResolved
    | ProfileSwapped
    | ModelSwitched
    | ModeChanged
    | Compacted
    | CompactionUndone
    | PinsChanged
    | TaskChanged
    | TodoChanged
    | Rewound
    | InstructionsFound
    | HookRan
    | FilesChanged
    | FilesRestored
    | TitleChanged
    | NoticeGiven
    | TurnFinished
    | SessionEnded
    | UnknownEvent
)
PassingEvent = TextDelta | ThinkingDelta | ToolOutputDelta | UsageUpdated | RetryScheduled | CommandAnswered
AnyEvent = LastingEvent | PassingEvent
