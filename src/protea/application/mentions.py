"""What a person points at in a prompt, told to the model beside it: `@agent-NAME` and `@session:ID`.

Called by `turns` for prompts with an `@` in them. Files named with `@` are read by the model itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from protea.application.hub import Hub
from protea.domain.delegation import AgentDefinition
from protea.domain.errors import ProteaError
from protea.domain.events import LastingEvent, MessageCompleted, NoticeGiven, PromptSubmitted
from protea.domain.looking_back import as_sent
from protea.domain.messages import OWN, text_of
from protea.domain.pattern import regex
from protea.domain.spelling import nearest
from protea.domain.taint import heard_in
from protea.ports.ids import Ids
from protea.ports.session_store import SessionStore

LONGEST = 8_000
"""Characters of what was said in another session that are told."""
LOOKED_AT = 2_000
"""Events of its end in which it is looked for."""
MOST = 5
"""Things one prompt may point at."""

_MENTION = regex(r"(?:^|[\s(\"'])@(?:agent-(?P<agent>[\w][\w.:-]*)|session:(?P<session>[\w][\w-]*))")


class Mention(msgspec.Struct, frozen=True):
    """Something that was pointed at."""

    told: str = ""
    """For the model."""
    origin: str = "mention"
    """Of the event that tells it: behind a colon stands whose words it brings along; see `domain.taint`."""
    problem: str = ""
    """For the person, where it is not there."""


def tell(
    text: str, agents: Callable[[], Sequence[AgentDefinition]] | None, store: SessionStore, hub: Hub, ids: Ids
) -> None:
    """Record what `text` points at, for the model to read with its next request; what is not there, for the person,
    too."""
    for each in mentions(text, agents() if agents is not None else (), store, hub.session):
        if each.problem:
            hub.record(NoticeGiven(level="warning", text=each.problem))
        if each.told:
            told = f"{OWN}{each.told}"
            hub.record(PromptSubmitted(id=ids.short("p"), text=told, delivery="steer", origin=each.origin))


def mentions(text: str, agents: Sequence[AgentDefinition], store: SessionStore, own: str) -> Iterator[Mention]:
    """What `text` points at, each once. `own` is the session it was written in."""
    seen: set[str] = set()
    for found in _MENTION.finditer(text):
        word = found[0].strip(" \t\n(\"'").rstrip(".:-")
        if word in seen or len(seen) >= MOST:
            continue
        seen.add(word)
        if found["agent"]:
            yield _agent(word.removeprefix("@agent-"), agents)
        else:
            yield _session(word.removeprefix("@session:"), store, own)


def _agent(name: str, agents: Sequence[AgentDefinition]) -> Mention:
    names = [each.name for each in agents]
    if name not in names:
        near = nearest(name, names)
        hint = f"; did you mean @agent-{near}?" if near else f"; there are {', '.join(names)}" if names else ""
        return Mention(problem=f"there is no agent {name}{hint}")
    return Mention(
        f"The person wants the agent {name} to do this: send it with the tool Agent under that name, and put all "
        "it has to know into its prompt."
    )


def _session(wanted: str, store: SessionStore, own: str) -> Mention:
    try:
        id = store.find(wanted)
        if id == own:
            return _missing(f"@session:{wanted} is this session itself")
        events = store.tail(id, LOOKED_AT)
    except ProteaError as error:
        return _missing(f"@session:{wanted}: {error}")
    said = _said(events)
    if not said:
        return _missing(f"@session:{wanted}: nothing was said in session {id}")
    kinds = ",".join(heard_in(store.read(id)))
    return Mention(f"What was said last in the session {id}:\n\n{said}", f"mention:{kinds}" if kinds else "mention")


def _missing(problem: str) -> Mention:
    """The model is told, too: what another session said is what it would else make up, or look for."""
    return Mention(f"What the prompt points at is not there: {problem}. Say so, and do the rest.", problem=problem)


def _said(events: Sequence[LastingEvent]) -> str:
    """Its prompts and answers, the last of them, as many as there is room for."""
    parts: list[str] = []
    room = LONGEST
    for event in reversed(as_sent(events)):
        match event:
            case PromptSubmitted(origin="user"):
                part = f"> {event.text.strip()}"
            case MessageCompleted() if text := text_of(event.content).strip():
                part = text
            case _:
                continue
        if len(part) > room:
            parts.append(part[: max(0, room - 1)] + "…")
            break
        parts.append(part)
        room -= len(part)
    return "\n\n".join(reversed(parts))
