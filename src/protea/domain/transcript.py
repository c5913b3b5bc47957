"""The log as the model sees it: a fold of events into messages.

`Transcript` is advanced one event at a time by the running session, and from the start of the log when one is opened;
both give the same messages, so what a model was shown can always be told from the log alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    Compacted,
    CompactionUndone,
    Event,
    FilesRestored,
    HookRan,
    InstructionsFound,
    MessageCompleted,
    PinsChanged,
    PromptSubmitted,
    PromptWithdrawn,
    Rewound,
    TodoChanged,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import OWN, AssistantMessage, Message, Text, ToolCall, ToolMessage, UserMessage, calls_of
from protea.domain.tools import ENDED, TodoItem, ToolResult

PINNED = "pin"
OWN_ORIGINS = frozenset({"loop_guard", "schema", "hook", "task", "mention", PINNED})
"""Of prompts that no person wrote."""

MOST_RESTORED = 30
"""Files the model is told of by name when a person undoes something."""

INTERRUPTED = ToolResult(text="This call was interrupted before it gave a result.", is_error=True)


class Transcript:
    """What the events so far amount to: the messages, and what is still open."""

    def __init__(self) -> None:
        self._settled: list[Message] = []
        """Messages that no later event changes, but compaction and rewinding."""
        self._at: list[int] = []
        """The seq that settled each of them."""
        self._steers: list[PromptSubmitted] = []
        self._calls: tuple[ToolCall, ...] = ()
        self._results: dict[str, ToolResult] = {}
        self.waiting: dict[str, PromptSubmitted] = {}
        """Prompts whose turn has not begun, in order."""
        self.turn: TurnStarted | None = None
        """The turn that has begun and not finished."""
        self.states: dict[str, ToolCallChanged] = {}
        """The last news of each call of the last reply (and of its parts) that has begun and not ended, by id."""
        self.questions: dict[str, ApprovalRequested] = {}
        """Questions that nobody has answered, by id."""
        self._prompts: dict[str, str] = {}
        """Its id → what a person said, however much of it the model is still shown."""
        self._said: dict[str, tuple[PromptSubmitted, UserMessage]] = {}
        """The prompts that have become messages since a model answered last, by id, as they are sent."""
        self.pins: tuple[str, ...] = ()
        self.todo: tuple[TodoItem, ...] = ()
        self.skills: dict[str, str] = {}
        """Skills the model has read → what they say, the latest last."""
        self.compacted: Compacted | None = None
        """The last summary in force."""
        self.instructed: dict[str, int] = {}
        """Instruction files the model was told of in mid-conversation → when; what was compacted away is not here."""
        self.last = 0

    def add(self, event: Event) -> None:
        """Advance by one lasting event. `Rewound` cannot be undone by going forward: see `transcript_of`."""
        seq = event.seq or self.last
        self.last = seq
        match event:
            case PromptSubmitted(delivery="steer") if self.turn is not None or event.waits:
                self._steers.append(event)
            case PromptSubmitted():
                self.waiting[event.id] = event
            case PromptWithdrawn():
                self.waiting.pop(event.id, None)
                if event.why:
                    self._say_instead(event.id, None)
            case HookRan(moment="prompt", text=str(text)) if event.prompt:
                self._say_instead(event.prompt, text)
            case TurnStarted():
                self._settle_calls(seq)
                self.turn = event
                self._take_steers(seq)
                prompt = self.waiting.pop(event.prompt, None)
                if prompt is not None:
                    self._say(seq, prompt)
            case MessageCompleted():
                self._take_steers(event.seen)
                self._said.clear()
                if event.content:
                    message = AssistantMessage(content=event.content, model=event.model, native=event.native)
                    self._settle(seq, message)
                self._calls = calls_of(event.content)
                self._results = {}
                self.states = {}
            case ToolCallChanged():
                self._advance_call(event, seq)
            case InstructionsFound():
                self.instructed[event.path] = seq
                self._settle(seq, UserMessage(content=(Text(text=_told(event)),)))
            case FilesRestored() if event.files:
                self._settle(seq, UserMessage(content=(Text(text=_restored(event)),)))
            case Compacted():
                self._compact(event)
            case PinsChanged():
                self._pin(event)
            case TodoChanged():
                self.todo = event.items
            case ApprovalRequested():
                self.questions[event.id] = event
            case ApprovalResolved():
                self.questions.pop(event.id, None)
            case TurnFinished() | Rewound():
                # A history that ends in the midst of a turn ends there: nothing of it is still going on.
                self._settle_calls(seq)
                self.questions.clear()
                self.turn = None
            case _:
                pass

    @property
    def prompts(self) -> list[str]:
        """What a person said, as it was sent, however much of it the model is still shown."""
        return list(self._prompts.values())

    @property
    def steers(self) -> tuple[PromptSubmitted, ...]:
        """What others have said into the turn, and the model has not read yet."""
        return tuple(prompt for prompt in self._steers if prompt.origin.partition(":")[0] not in OWN_ORIGINS)

    @property
    def unanswered(self) -> tuple[PromptSubmitted, ...]:
        """What others have said that no model has answered, as far as it is part of the conversation already."""
        said = (prompt for prompt, _ in self._said.values())
        return tuple(prompt for prompt in said if prompt.origin.partition(":")[0] not in OWN_ORIGINS)

    @property
    def steered(self) -> bool:
        """Whether a steering prompt waits to be shown to the model. A pin can wait for the next request."""
        return any(prompt.origin != PINNED for prompt in self._steers)

    @property
    def open_calls(self) -> tuple[ToolCall, ...]:
        """Calls of the last reply that have no result yet, in the model's order."""
        return tuple(call for call in self._calls if call.id not in self._results)

    def messages(self) -> tuple[Message, ...]:
        """What the next request shows. Always whole: a call without a result is given one that says so."""
        tail: list[Message] = []
        if self._calls:
            tail += self._paired()
        tail += [_user(prompt) for prompt in self._steers]
        return (*self._settled, *tail)

    def last_message(self) -> Message | None:
        """The last of `messages()`, without making them all; None where nothing was said."""
        if self._steers:
            return _user(self._steers[-1])
        if self._calls:
            return self._paired()[-1]
        return self._settled[-1] if self._settled else None

    def seq_before(self, index: int) -> int:
        """The event that settled the message before `index` of `messages()`; 0 where no settled one is.

        Where that event settled what stands from `index` on as well, it is the one before: an event that is named parts
        neither a call from its result nor what came at once.
        """
        if index >= len(self._at):
            index = len(self._at) - bool(self._calls)
        while 0 < index < len(self._at) and not self._parts_at(index):
            index -= 1
        return self._at[index - 1] if index > 0 else 0

    def _parts_at(self, index: int) -> bool:
        """Whether an event lies between the messages before and from `index`, and no call before waits for a result."""
        return self._at[index - 1] < self._at[index] and not isinstance(self._settled[index], ToolMessage)

    def _say(self, seq: int, prompt: PromptSubmitted) -> None:
        message = _user(prompt)
        self._said[prompt.id] = prompt, message
        self._settle(seq, message)
        if prompt.origin.partition(":")[0] not in OWN_ORIGINS:
            number = prompt.seq or seq
            seen = f"(with {len(prompt.images)} images: Recall gives [{number}] whole)" if prompt.images else ""
            self._prompts[prompt.id] = f"{prompt.text} {seen}".strip()

    def _say_instead(self, id: str, text: str | None) -> None:
        """A hook has rewritten a prompt, before any model was shown it; None: it is not to be shown."""
        changed = [prompt if prompt.id != id else replace(prompt, text=text or "") for prompt in self._steers]
        self._steers = [prompt for prompt in changed if prompt.id != id or text is not None]
        prompt, message = self._said.pop(id, (None, None))
        at = next((i for i in reversed(range(len(self._settled))) if self._settled[i] is message), None)
        if prompt is None or at is None:
            return
        if text is None:
            del self._settled[at], self._at[at]
            self._prompts.pop(id, None)
            return
        sent = replace(prompt, text=text)
        message = _user(sent)
        self._settled[at], self._said[id] = message, (sent, message)
        if id in self._prompts:
            self._prompts[id] = text + self._prompts[id].removeprefix(prompt.text.strip())

    def _pin(self, event: PinsChanged) -> None:
        """What is pinned is told once, and a summary tells it again. A plan is in the call it was agreed on in."""
        from protea.domain.plan import HEAD  # few conversations have pins

        new = [pin for pin in event.pins if pin not in self.pins and not pin.startswith(HEAD)]
        gone = [pin for pin in self.pins if pin not in event.pins and not pin.startswith(HEAD)]
        told = [("Pinned by the person, for as long as this goes on", new), ("No longer pinned", gone)]
        lines = [f"{what}:" + "".join(f"\n- {pin}" for pin in pins) for what, pins in told if pins]
        self.pins = event.pins
        if lines:
            text = OWN + "\n\n".join(lines)
            self._steers.append(PromptSubmitted(id="", text=text, delivery="steer", origin=PINNED, seq=self.last))

    def _compact(self, event: Compacted) -> None:
        from protea.domain.compaction import Shrunk, applied  # most conversations end before they fill their room

        later = next((i for i, at in enumerate(self._at) if at > event.upto), len(self._at))
        while 0 < later < len(self._at) and isinstance(self._settled[later], ToolMessage):
            later -= 1  # logs of 0.1 may name an event between a call and its result
        if event.how == "summarise":
            # Files that were told of in what is gone are told of again when they are touched.
            self.instructed = {path: at for path, at in self.instructed.items() if at > event.upto}
            self.compacted = event
        shrunk = Shrunk(how=event.how, before=later, text=event.summary, longest=event.longest)
        self._settled = list(applied(self._settled, shrunk))
        if event.how == "summarise":
            self._at = [event.upto, *self._at[later:]]

    def _advance_call(self, event: ToolCallChanged, seq: int) -> None:
        call = event.call
        if event.state in ENDED:
            self.states.pop(call.id, None)
            self._results[call.id] = result = event.result or INTERRUPTED
            if call.name == "Skill" and event.state == "success" and isinstance(call.arguments, dict):
                name = str(call.arguments.get("name"))
                self.skills = {**{each: text for each, text in self.skills.items() if each != name}, name: result.text}
            if self._calls and not self.open_calls:
                self._settle_calls(seq)
        else:
            self.states[call.id] = event

    def _settle(self, seq: int, *messages: Message) -> None:
        # What steers was said before the results it stands behind: the order here is that of the messages.
        seq = max(seq, self._at[-1]) if self._at else seq
        self._settled += messages
        self._at += [seq] * len(messages)

    def _settle_calls(self, seq: int) -> None:
        if self._calls:
            self._settle(seq, *self._paired())
        self._calls, self._results, self.states = (), {}, {}

    def _paired(self) -> list[Message]:
        return [_tool_message(call, self._results.get(call.id, INTERRUPTED)) for call in self._calls]

    def _take_steers(self, seen: int) -> None:
        taken = [prompt for prompt in self._steers if (prompt.seq or 0) <= seen]
        for prompt in taken:
            self._say(prompt.seq or 0, prompt)
        self._steers = self._steers[len(taken) :]


def transcript_of(events: Iterable[Event]) -> Transcript:
    """The transcript of a whole log, rewinds taken into account."""
    kept: list[Event] = []
    gone: list[str] = []
    for event in events:
        match event:
            case Rewound():
                kept = [earlier for earlier in kept if (earlier.seq or 0) <= event.to]
            case TurnStarted():
                gone.append(event.prompt)
            case PromptWithdrawn():
                gone.append(event.id)
            case CompactionUndone():
                kept = [earlier for earlier in kept if earlier.seq != event.compacted]
            case _:
                pass
        kept.append(event)
    transcript = Transcript()
    for event in kept:
        transcript.add(event)
    for prompt in gone:  # what was run or taken back once does not wait again because that is forgotten
        transcript.waiting.pop(prompt, None)
    return transcript


def _user(prompt: PromptSubmitted) -> UserMessage:
    return UserMessage(content=(*((Text(text=prompt.text),) if prompt.text else ()), *prompt.images))


def _told(found: InstructionsFound) -> str:
    return f"{OWN}Instructions from {found.path}, for what you have just touched:\n\n{found.text}"


def _restored(event: FilesRestored) -> str:
    """For the model, which would go on as if its changes stood."""
    what = "took back" if event.direction == "undo" else "did again"
    turns = f"the last {len(event.turns)} turns" if len(event.turns) > 1 else "the last turn"
    names = "".join(f"\n- {each.path}: {each.what}" for each in event.files[:MOST_RESTORED])
    rest = len(event.files) - MOST_RESTORED + event.more
    more = f"\n- and {rest} more" if rest > 0 else ""
    return f"{OWN}The person {what} what {turns} had changed. By that:{names}{more}"


def _tool_message(call: ToolCall, result: ToolResult) -> ToolMessage:
    return ToolMessage(
        call_id=call.id, name=call.name, text=result.text, is_error=result.is_error, images=result.images
    )
