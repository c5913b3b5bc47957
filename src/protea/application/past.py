"""What a log amounts to: read from the first event to the last when a session opens, and taken on as it goes on.

Made by `sessions`, held by `session`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from protea.domain.events import (
    ApprovalRequested,
    ApprovalResolved,
    Compacted,
    CompactionUndone,
    FilesChanged,
    FilesRestored,
    LastingEvent,
    MessageCompleted,
    ModeChanged,
    ModelSwitched,
    ProfileSwapped,
    PromptSubmitted,
    Rewound,
    SessionStarted,
    TaskChanged,
    TitleChanged,
    TurnFinished,
    TurnStarted,
)
from protea.domain.messages import PERSON
from protea.domain.permission import Pin
from protea.domain.summary import title_of
from protea.domain.taint import Heard, heard
from protea.domain.transcript import Transcript, transcript_of
from protea.domain.turn_changes import TurnChanges
from protea.domain.turn_changes import advance as advance_changes
from protea.domain.usage import Usage

PIECE = 128
"""Events of a log that are read in one go: about a millisecond of work."""
MOST_ENDED = 50
"""Tasks that have ended of which the last news is kept."""


class Past:
    """Nothing is kept of the events but what comes of them: sessions may be long."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.model = ""
        """In force at the end."""
        self.profile = ""
        """In force at the end, and the single ports that are not as it says."""
        self.ports: dict[str, str] = {}
        self.cost_usd = 0.0
        self.usage = Usage()
        """Of all its turns."""
        self.context = Usage()
        """Of its last reply: what the model saw then. Nothing where that is not what it would see now."""
        self.title = ""
        self.changes = TurnChanges()
        """What its turns did to files."""
        self.allowed: tuple[str, ...] = ()
        """Rules a person has allowed in it."""
        self.pins: tuple[Pin, ...] = ()
        """The scripts those rules are bound to."""
        self._asked: dict[str, ApprovalRequested] = {}
        """Questions that nobody has answered yet."""
        self.tasks: dict[str, TaskChanged] = {}
        """Those that run."""
        self.ended: dict[str, TaskChanged] = {}
        """The last that have ended."""
        self.mode = "normal"
        self.mode_chosen = ""
        """The last that somebody chose while it was open; an agent's is else its sender's."""
        self.mode_before = "normal"
        """In force before plan mode."""
        self.heard: Heard = {}
        """Whose words are in it besides the person's and the project's."""

    @property
    def recent_tasks(self) -> tuple[TaskChanged, ...]:
        return (*self.ended.values(), *self.tasks.values())

    def take(self, event: LastingEvent) -> None:
        self.transcript.add(event)
        self.heard = heard(self.heard, event)
        match event:
            case MessageCompleted() if not event.partial and event.model != PERSON:
                self.context = event.usage
            case PromptSubmitted() if not self.title:
                self.title = title_of(event.text)
            case TaskChanged():
                self.ended.pop(event.id, None)
                self.tasks.pop(event.id, None)
                where = self.tasks if event.state == "running" else self.ended
                where[event.id] = event
                if len(self.ended) > MOST_ENDED:
                    del self.ended[next(iter(self.ended))]
            case ModeChanged() | TurnStarted():
                if event.mode == "plan" != self.mode:
                    self.mode_before = self.mode
                self.mode = event.mode
                if isinstance(event, ModeChanged):
                    self.mode_chosen = event.mode
            case TitleChanged():
                self.title = event.title
            case SessionStarted():
                self.model, self.profile = event.model, event.profile
            case ModelSwitched():
                if event.model not in ("", self.model):
                    self.context = Usage()  # another counts otherwise, and has cached nothing
                self.model = event.model or self.model
            case Rewound() | CompactionUndone():
                self.context = Usage()
            case ProfileSwapped():
                self.profile, self.ports = event.profile, event.ports
            case TurnFinished():
                self.usage += event.usage
                self.cost_usd += event.cost_usd or 0.0
            case Compacted():
                self.usage += event.usage
                self.cost_usd += event.cost_usd or 0.0
                self.context = Usage()
            case ApprovalRequested():
                self._asked[event.id] = event
            case ApprovalResolved():
                question = self._asked.pop(event.id, None)
                if event.decision not in ("session", "always"):
                    return
                if question is not None:
                    from protea.domain.pins import pinned  # most answers are for one call

                    self.pins = pinned(self.pins, question, event)
                self.allowed += tuple(rule for rule in event.rules if rule not in self.allowed)
            case FilesChanged() | FilesRestored():
                self.changes = advance_changes(self.changes, event)
            case _:
                pass


async def read_past(read: Callable[[], Iterable[LastingEvent]]) -> Past:
    """The past of the log that `read` reads from its start; one of which something was taken back is read twice. It is
    read piece by piece: a long one holds nobody up."""
    past, rewound = Past(), False
    for number, event in enumerate(read(), 1):
        past.take(event)
        rewound = rewound or isinstance(event, Rewound | CompactionUndone)
        if number % PIECE == 0:
            await asyncio.sleep(0)
    if rewound:
        past.transcript = await asyncio.to_thread(lambda: transcript_of(read()))
    return past
