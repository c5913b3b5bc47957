"""Events as lines of a chat: what the REPL writes, and how a past session is told again."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.columns import usage_text
from protea.domain.diff import body
from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    CommandAnswered,
    Compacted,
    CompactionUndone,
    FilesChanged,
    FilesRestored,
    HookRan,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    NoticeGiven,
    ProfileSwapped,
    PromptWithdrawn,
    RetryScheduled,
    Rewound,
    TaskChanged,
    TextDelta,
    ThinkingDelta,
    TitleChanged,
    TodoChanged,
    ToolCallChanged,
    TurnFinished,
)
from protea.domain.messages import PERSON, text_of
from protea.domain.question import plan_of, would_write
from protea.domain.tools import TodoItem
from protea.domain.view import (
    call_object,
    change_text,
    hook_details,
    hook_text,
    problem_lines,
    result_summary,
    retry_text,
)
from protea.interfaces.flow import Flow
from protea.interfaces.markdown import Markdown
from protea.interfaces.terminal import Paint, one_line, revealed, visible

DIFF_LINES = 24
"""Lines of a change that was made."""
PROBLEMS = 12
ASKED_LINES = 40
"""Lines of a change that is asked about."""
_ALL = 10**9
_MARKS = {"success": "✓", "error": "✗", "cancelled": "-"}
_BOXES = {"pending": "☐", "in_progress": "◐", "done": "☑"}


class Drawing:
    """Writes events as they come. One line per tool call; its outcome is added to it when it ends."""

    def __init__(
        self, write: Callable[[str], None], paint: Paint, width: Callable[[], int], *, wraps: bool = False
    ) -> None:
        """`wraps`: rows end between words, as a terminal would not end them."""
        self._write = write
        self._flow = Flow(width) if wraps else None
        self._paint = paint
        self._width = width
        self._markdown = Markdown(paint, width if wraps else None)
        self._streamed = False
        """Whether the message that is coming in has been drawn from its deltas."""
        self._thinking = False
        self._typed = False
        """Whether the calls that come were typed by a person, with `!`."""
        self._open_call = ""
        """The call whose line has no end yet: nothing was written since."""
        self._asked: dict[str, str] = {}
        """Question → the call it is about."""
        self._refused: dict[str, str] = {}
        """Call → what the person said when they refused it."""

    def ended(self, event: TaskChanged) -> None:
        """How a task ended, in a line."""
        detail = f": {event.detail}" if event.detail else ""
        paint = self._paint.dim if event.state == "done" else self._paint.warn
        self.line(paint(one_line(f"◆ {event.title} {event.state}{detail}", 240)))

    def draw(self, event: AnyEvent) -> None:
        match event:
            case TextDelta(text=text):
                self._text(text)
            case ThinkingDelta():
                if not self._thinking:
                    self._thinking = True
                    self.line(self._paint.dim("thinking …"))
            case MessageCompleted():
                self._typed = event.model == PERSON
                if not self._streamed:
                    self._text(text_of(event.content))
                self._end_text()
            case ToolCallChanged():
                self._call(event)
            case RetryScheduled():
                self._end_text()
                self.line(self._paint.warn(one_line(retry_text(event), 240)))
            case TodoChanged():
                self._todo(event.items)
            case NoticeGiven():
                paint = self._paint.bad if event.level == "error" else self._paint.warn
                self.line(paint(one_line(event.text)))
            case ModelSwitched() | ProfileSwapped() | ModeChanged() | Compacted() | CompactionUndone() | Rewound():
                self.line(self._paint.dim(one_line(change_text(event), 240)))
            case HookRan():
                told = self._paint.warn if event.failed else self._paint.dim
                self.line(told(one_line(hook_text(event), 400)))
                for what, text in hook_details(event):
                    self.line(self._paint.dim(f"    {what}: {one_line(text, 400)}"))
            case PromptWithdrawn(why=why) if why:
                self.line(self._paint.warn(one_line(why, 400)))
            case FilesChanged():
                self._changed(event)
            case FilesRestored():
                self._break()
                self._write(visible(change_text(event)) + "\n")
            case ApprovalRequested():
                self._asked[event.id] = event.call.id
            case ApprovalResolved(decision="deny"):
                if (call := self._asked.get(event.id)) is not None and event.by != "policy":
                    self._refused[call] = event.comment or ""
            case ApprovalResolved(decision="session" | "always", rules=rules) if rules:
                kept = "from now on" if event.decision == "always" else "for this session"
                self.line(self._paint.dim(f"  allowed {kept}: {one_line(', '.join(rules))}"))
            case CommandAnswered(text=text) if text:
                self.line(visible(text.rstrip("\n")))
            case TitleChanged():
                self.line(self._paint.dim(one_line(change_text(event))))
            case TurnFinished():
                self._finished(event)
            case _:
                pass

    def _changed(self, event: FilesChanged) -> None:
        """One line: what changed is seen in the calls; that it can be undone, and what cannot, is not."""
        count = len(event.files) + event.more
        if count:
            self.line(self._paint.dim(f"  {count} file{'s' if count > 1 else ''} changed; /undo takes it back"))
        for each in event.uncovered[:5]:
            self.line(self._paint.warn(f"  {one_line(each.path)} cannot be undone: {one_line(each.why)}"))
        if len(event.uncovered) > 5:
            self.line(self._paint.warn(f"  … nor can {len(event.uncovered) - 5} more"))

    def prompt(self, text: str) -> None:
        """A prompt of before, as it was typed."""
        self.line(self._paint.bold("> ") + visible(text).replace("\n", "\n  "))

    def line(self, text: str) -> None:
        """One line of its own."""
        self._break()
        self._write(self._flowed(text + "\n"))

    def _flowed(self, text: str) -> str:
        return text if self._flow is None else self._flow.feed(text)

    def _exact(self, text: str) -> None:
        """A line of its own that stays as it is: code, a command, a change."""
        self._break()
        self._write(text + "\n")

    def question(self, event: ApprovalRequested) -> None:
        """What is asked, whole: nothing of what would run is cut off."""
        paint = self._paint
        if event.kind == "plan":
            self.line(paint.bold("? The plan:"))
            for line in visible(plan_of(event)).splitlines():
                self.line(f"  │ {line}")
            self.line(paint.bold("? ") + visible(event.why))
            return
        if event.kind == "question":
            self.line(paint.bold("? ") + visible(event.why))
            for number, option in enumerate(event.proposals, 1):
                self.line(f"  {number}  {one_line(option)}")
            return
        subject = revealed(call_object(event.call))
        name = paint.bold(one_line(revealed(event.call.name)))
        self._exact(paint.warn("? ") + name + " " + subject.replace("\n", "\n  │ "))
        self.line(paint.dim("  " + one_line(revealed(event.why))))
        detail = event.detail or {}
        self._diff(would_write(event), ASKED_LINES)
        if isinstance(cwd := detail.get("cwd"), str):
            self.line(paint.dim(f"  in {one_line(revealed(cwd))}"))
        if event.proposals:
            self.line(f"  a allows from now on: {paint.bold(one_line(revealed(', '.join(event.proposals))))}")

    def leaves_out(self, event: ApprovalRequested) -> bool:
        """Whether `question` has no room for all of the change."""
        return len(body(would_write(event))) > ASKED_LINES

    def whole(self, event: ApprovalRequested) -> None:
        """The change that is asked about, all of it."""
        self._diff(would_write(event), _ALL)

    def _text(self, text: str) -> None:
        if text:
            self._close_call()
            self._streamed = True
            self._thinking = False
            self._write(self._markdown.feed(text))

    def _end_text(self) -> None:
        self._write(self._markdown.end())
        self._streamed = self._thinking = False

    def _break(self) -> None:
        """Go to the beginning of a line."""
        self._close_call()
        if not self._markdown.at_line_start:
            self._write(self._markdown.end())

    def _close_call(self) -> None:
        if self._open_call:
            self._open_call = ""
            self._write(self._flowed("\n"))

    def _call(self, event: ToolCallChanged) -> None:
        call, paint = event.call, self._paint
        width = max(20, self._width() - 40)
        title = f"{paint.bold(one_line(call.name, 60))} {one_line(call_object(call), width)}"
        if event.state == "executing":
            self._break()
            self._write(self._flowed(f"● {title} "))
            self._open_call = call.id
            return
        if event.state not in _MARKS:
            return
        mark = _MARKS[event.state]
        colour = paint.good if event.state == "success" else paint.bad if event.state == "error" else paint.dim
        summary = result_summary(event.result)
        if event.result is not None and event.result.denied is not None and call.id in self._refused:
            # The result's own words are for the model.
            comment = self._refused.pop(call.id)
            summary = f"refused: {comment}" if comment else "refused"
        outcome = colour(f"{mark} {one_line(summary, 120)}")
        if self._open_call == call.id:
            self._open_call = ""
            self._write(self._flowed(f"{outcome}\n"))
        else:
            self.line(f"● {title} {outcome}")
        if self._typed and event.result is not None:
            self._output(event.result.text)
        if event.result is not None and event.result.diff and event.state == "success":
            self._diff(event.result.diff, DIFF_LINES)
            for severity, line in problem_lines(event.result, PROBLEMS):
                self.line((paint.bad if severity == "error" else paint.warn)(f"    {revealed(line)}"))

    def _output(self, text: str) -> None:
        """What came out of a command that a person typed."""
        lines = visible(text).rstrip("\n").split("\n")
        for line in lines[:ASKED_LINES]:
            self._exact(f"  {line}")
        if len(lines) > ASKED_LINES:
            self.line(self._paint.dim(f"  … {len(lines) - ASKED_LINES} more lines"))

    def _diff(self, diff: str, most: int) -> None:
        lines = body(diff)
        for line in lines[:most]:
            shown = "    " + revealed(line.removesuffix("\r"))
            paint = self._paint
            colour = {"+": paint.good, "-": paint.bad, "@": paint.code}.get(line[:1], paint.dim)
            self._exact(colour(shown))
        if len(lines) > most:
            self.line(self._paint.dim(f"    … {len(lines) - most} more lines"))

    def _todo(self, items: tuple[TodoItem, ...]) -> None:
        for item in items:
            text = f"  {_BOXES[item.status]} {one_line(item.text)}"
            self.line(self._paint.dim(text) if item.status == "done" else text)

    def _finished(self, event: TurnFinished) -> None:
        self._break()
        self._end_text()
        typed, self._typed = self._typed, False
        if event.outcome == "error" and not typed:  # what a call of the person's own brought stands there already
            message = event.error.message if event.error else "The turn failed."
            self.line(self._paint.bad(one_line(message)))
        elif event.outcome == "limit":
            self.line(self._paint.warn(f"stopped on a limit: {event.limit or 'length'}"))
        elif event.outcome == "interrupted":
            self.line(self._paint.warn("interrupted"))
        if event.usage.input or event.usage.output:
            self.line(self._paint.dim(usage_text(event.usage, event.cost_usd)))
