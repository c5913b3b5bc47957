"""What the strategies that only touch results of old calls do alike."""

from __future__ import annotations

from protea.domain.compaction import Conversation, How, Shrunk, applied, behind_results, scaled


def old_results(
    conversation: Conversation, how: How, *, above: float, keep: int, longest: int = 0, least: float = 0.05
) -> Shrunk | None:
    """Empty or cut all results but the last `keep`, where more than `above` of the room is taken and it frees at least
    `least` of the room: each time the cached beginning is lost, so it must be worth it."""
    if not conversation.forced and conversation.used <= conversation.room * above:
        return None
    messages = conversation.messages
    for kept in (keep, 1) if conversation.forced else (keep,):
        shrunk = Shrunk(how=how, before=behind_results(messages, kept), longest=longest)
        after = applied(messages, shrunk)
        freed = conversation.used - scaled(messages, after, conversation.sizes)
        if freed > 0 and (conversation.forced or freed >= conversation.room * least):
            return shrunk
    return None
