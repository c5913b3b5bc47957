"""Where a conversation can be gone back to: before each of a person's prompts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from protea.domain.events import Event, PromptSubmitted, TurnFinished, TurnStarted


def places(events: Iterable[Event]) -> list[tuple[PromptSubmitted, int]]:
    """The prompts, each with the number of the last event before anything came of it.

    One that waited in line while another turn ran was written in the midst of that: what came of it begins with its own
    turn.
    """
    found: dict[str, tuple[PromptSubmitted, int]] = {}
    queued: set[str] = set()
    running = False
    for event in events:
        match event:
            case PromptSubmitted(origin="user"):
                found[event.id] = (event, max(1, (event.seq or 1) - 1))
                if running and event.delivery != "steer":
                    queued.add(event.id)
            case TurnStarted():
                running = True
                if event.prompt in queued:
                    found[event.prompt] = (found[event.prompt][0], max(1, (event.seq or 1) - 1))
            case TurnFinished():
                running = False
            case _:
                pass
    return list(found.values())
