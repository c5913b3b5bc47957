"""What must hold of any session, told as sentences about what does not. For the tests beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from protea.domain.events import (
    AnyEvent,
    ApprovalRequested,
    ApprovalResolved,
    LastingEvent,
    MessageCompleted,
    PromptSubmitted,
    PromptWithdrawn,
    Rewound,
    SessionEnded,
    SessionStarted,
    ToolCallChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import AssistantMessage, Message, ToolCall, ToolMessage, calls_of
from protea.domain.reply import ModelRequest
from protea.domain.tools import ENDED, CallState, may_follow
from protea.domain.transcript import transcript_of


def faults(log: Sequence[LastingEvent], *, resting: bool = True) -> list[str]:
    """What is wrong with a log; `resting` is one in which no turn runs."""
    checker = _Checker()
    for number, event in enumerate(log, 1):
        if event.seq != number:
            checker.found.append(f"event {number} has the number {event.seq}")
        checker.take(event)
    if resting:
        checker.rest("the end of the log")
    return checker.found


def unpaired(messages: Sequence[Message]) -> list[str]:
    """Calls without their result right after them, in their order, and results without a call."""
    found, expected = [], list[ToolCall]()
    for message in messages:
        if isinstance(message, ToolMessage):
            if not expected or expected.pop(0).id != message.call_id:
                found.append(f"the result of {message.call_id} is not where it belongs")
            continue
        if expected:
            found.append(f"{type(message).__name__} comes before the results of {[call.id for call in expected]}")
        expected = list(calls_of(message.content)) if isinstance(message, AssistantMessage) else []
    return found + [f"{call.id} has no result" for call in expected]


def unlike_the_log(log: Sequence[LastingEvent], requests: Sequence[ModelRequest]) -> list[str]:
    """Replies to a request that was not what the log up to `seen` says. A reply's `usage.input` names its request."""
    found = []
    for said in log:
        if isinstance(said, MessageCompleted) and not said.partial:
            request = requests[said.usage.input]
            told = transcript_of(event for event in log if (event.seq or 0) <= said.seen).messages()
            if told != request.messages:
                found.append(f"message {said.seq} answers something else than the log up to {said.seen}")
    return found


def lasting(events: Sequence[AnyEvent]) -> Iterator[int]:
    return (event.seq for event in events if event.seq is not None)


class _Checker:
    def __init__(self) -> None:
        self.found: list[str] = []
        self._prompts: set[str] = set()
        self._begun: set[str] = set()
        self._gone: set[str] = set()
        self._turn: str | None = None
        self._calls: dict[str, ToolCall] = {}
        self._states: dict[str, CallState] = {}
        self._questions: dict[str, ToolCall] = {}
        self._asked: set[str] = set()
        self._ended = False

    def take(self, event: LastingEvent) -> None:
        if self._ended and not isinstance(event, SessionStarted):
            # A session that has ended may be taken up again, which leaves a mark of its own only where it must.
            self._ended = False
        match event:
            case PromptSubmitted():
                self._prompts.add(event.id)
            case PromptWithdrawn() if event.why:  # a hook refused it: its turn has begun, or it was said into one
                # Again, where it was gone back to before that.
                self._say(event.id not in self._prompts, f"{event.id} was not there")
                self._say(self._turn is None, f"{event.id} is refused in no turn")
                self._gone.add(event.id)
            case PromptWithdrawn():
                self._say(event.id not in self._prompts - self._begun - self._gone, f"{event.id} was not waiting")
                self._gone.add(event.id)
            case TurnStarted():
                self._say(self._turn is not None, f"{event.id} begins in {self._turn}")
                self._say(event.prompt not in self._prompts, f"{event.id} answers no prompt")
                self._say(event.prompt in self._begun | self._gone, f"{event.prompt} is run again, or after all")
                self._begun.add(event.prompt)
                self._turn = event.id
            case TurnFinished():
                self._say(event.id != self._turn, f"{event.id} ends, and {self._turn} was running")
                self.rest(f"the end of {event.id}", turn=False)
                self._turn = None
            case MessageCompleted():
                self._say(self._turn is None, f"message {event.seq} is in no turn")
                self.rest(f"message {event.seq}", turn=False)
                calls = calls_of(event.content)
                self._calls, self._states = {call.id: call for call in calls}, {}
                self._say(len(self._calls) != len(calls), f"message {event.seq} has two calls of one id")
                self._say(event.partial and bool(calls), f"message {event.seq} was cut off and has calls")
            case ToolCallChanged():
                self._call(event)
            case ApprovalRequested():
                self._say(event.id in self._asked, f"question {event.id} is asked twice")
                state = self._states.get(event.call.id)
                of_a_hook = event.kind == "question" and event.call.name == "Hook"  # it is about no call
                self._say(
                    state != "awaiting_approval" and not of_a_hook, f"{event.id} is asked while its call is {state}"
                )
                self._asked.add(event.id)
                self._questions[event.id] = event.call
            case ApprovalResolved():
                self._say(event.id not in self._questions, f"question {event.id} is answered and was not open")
                self._questions.pop(event.id, None)
            case Rewound():
                self._say(self._turn is not None, f"rewound at {event.seq} in {self._turn}")
            case SessionEnded():
                self._ended = True
            case _:
                pass

    def rest(self, where: str, *, turn: bool = True) -> None:
        self._say(turn and self._turn is not None, f"{self._turn} has no end at {where}")
        left = {id: state for id, state in self._states.items() if state not in ENDED}
        self._say(bool(left), f"{left} have no end at {where}")
        self._say(bool(self._questions), f"questions {list(self._questions)} are open at {where}")
        begun = set(self._states)
        self._say(bool(begun) and begun != set(self._calls), f"only {begun} of {set(self._calls)} begun at {where}")

    def _call(self, event: ToolCallChanged) -> None:
        id, before = event.call.id, self._states.get(event.call.id)
        self._say(self._calls.get(id) != event.call, f"event {event.seq} is of a call the last message has not")
        self._say(not may_follow(before, event.state), f"event {event.seq}: {id} goes from {before} to {event.state}")
        self._say((event.result is not None) != (event.state in ENDED), f"event {event.seq}: a result, or none")
        asked = any(call.id == id for call in self._questions.values())
        self._say(asked and event.state in ENDED, f"event {event.seq}: {id} ends and its question is open")
        self._states[id] = event.state

    def _say(self, wrong: bool, what: str) -> None:
        if wrong:
            self.found.append(what)
