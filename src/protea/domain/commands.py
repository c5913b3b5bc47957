"""What a face may ask of a session. Imperative, answered by events."""

from __future__ import annotations

import msgspec

from protea.domain.events import Answer, Delivery, snake
from protea.domain.messages import Image


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag=snake):
    """What every command has."""

    by: str = "user"
    """Which client sent it."""


class SubmitPrompt(Command, frozen=True, kw_only=True):
    """A prompt. While a turn runs, `now` and `queue` both wait in line; `steer` joins the running turn."""

    text: str
    images: tuple[Image, ...] = ()
    delivery: Delivery = "now"
    origin: str = "user"
    """Who it is from; `shell`: the text, behind a `!`, is a command the person wants to be run; `race`: it is a `/race`
    they typed."""
    command: str = ""
    """The slash command of one's own that it was made of: `/review`."""
    only: tuple[str, ...] = ()
    """The tools that this command says it needs: what its turn brings about with others is asked about."""
    runs: tuple[str, ...] = ()
    """Shell commands that are run, each decided like any other, before a model is asked: what they give stands behind
    the prompt."""


class Steer(Command, frozen=True, kw_only=True):
    """The same as `SubmitPrompt` with `delivery="steer"`."""

    text: str


class WithdrawPrompt(Command, frozen=True, kw_only=True):
    """Take a queued prompt back."""

    id: str


class Interrupt(Command, frozen=True, kw_only=True):
    """End the running turn, or only one of its calls. Prompts in line then wait for the next prompt."""

    call_id: str | None = None


class Background(Command, frozen=True, kw_only=True):
    """Let a running call go on behind the turn, which goes on at once: a shell command, an agent, any that may take
    long and writes no files of its own accord. It is a task from then on, and the model is told of its end."""

    call_id: str | None = None
    """None: the one that began last."""


class ResolveApproval(Command, frozen=True, kw_only=True):
    """The answer to an open question."""

    id: str
    decision: Answer
    comment: str | None = None
    """Why not, or what to change; the answer itself where the model asked for something."""


class SetModel(Command, frozen=True, kw_only=True):
    model: str
    effort: str | None = None


class SetMode(Command, frozen=True, kw_only=True):
    mode: str


class Swap(Command, frozen=True, kw_only=True):
    """Change profile, or single ports (`{"persona": "minimal"}`); both together are one change.

    What cannot be made is refused at once and changes nothing. Else it takes hold at the next point where it is safe
    (see docs/swapping.md), marked by `profile_swapped`; one that comes before another has taken hold takes its place.
    A new profile begins without the single ports that were exchanged before.
    """

    profile: str | None = None
    ports: dict[str, str] = {}


class SetTitle(Command, frozen=True, kw_only=True):
    """What the session is called in lists."""

    title: str


class Copy(Command, frozen=True, kw_only=True):
    """Put something into the clipboard of the person who sits where Protea runs."""

    text: str


class Compact(Command, frozen=True, kw_only=True):
    """Make the conversation smaller now, or, while a turn runs, before its next request."""

    focus: str = ""
    """What is to be kept above all."""


class EditSummary(Command, frozen=True, kw_only=True):
    """Put other words in the place of the last summary."""

    text: str


class UndoCompaction(Command, frozen=True, kw_only=True):
    """Show the model again what the last compaction made smaller."""


class SetPins(Command, frozen=True, kw_only=True):
    """What compaction keeps word for word: the whole list."""

    pins: tuple[str, ...]


class Rewind(Command, frozen=True, kw_only=True):
    """Let the model's history end at event `to`. Prompts that wait are taken back; none that was run runs again."""

    to: int


class Invoke(Command, frozen=True, kw_only=True):
    """A slash command as it was typed: `/model ollama/llama3.2`. What it brings about is told by the events of that;
    behind them comes one `command_answered` with the same `id`. `describe("commands")` lists what there is."""

    text: str
    id: str = ""
    """Chosen by who sends it, to know the answer by."""


class Undo(Command, frozen=True, kw_only=True):
    """Take back what the latest turns did to files, whatever changed them. The conversation stays as it is."""

    turns: int = 1


class Redo(Command, frozen=True, kw_only=True):
    """Do again what was taken back last."""

    turns: int = 1


class StopTask(Command, frozen=True, kw_only=True):
    """End a task, or an agent, by its id or by that of its session. What it had brought is kept."""

    id: str


class ResumeTask(Command, frozen=True, kw_only=True):
    """Let an agent that has ended, was stopped or lost go on in the background, by its task or its session. What it
    brings is told to this session."""

    id: str
    text: str = ""
    """What it is told; else to go on."""


class EndSession(Command, frozen=True, kw_only=True):
    reason: str = "closed"


AnyCommand = (
    SubmitPrompt
    | Steer
    | WithdrawPrompt
    | Interrupt
    | Background
    | ResolveApproval
    | SetModel
    | SetMode
    | Swap
    | SetTitle
    | Copy
    | Compact
    | EditSummary
    | UndoCompaction
    | SetPins
    | Rewind
    | Undo
    | Redo
    | Invoke
    | StopTask
    | ResumeTask
    | EndSession
)
