"""Has the model itself sum up what was said and done. Where it cannot, a digest stands in."""

from __future__ import annotations

from typing import Annotated

import msgspec

from protea.domain.compaction import Conversation, Shrunk, askable, digest, last_resort, to_sum_up
from protea.domain.errors import TOO_LONG, ModelError
from protea.domain.messages import Message
from protea.ports.compaction import Ask

_QUESTION = """\
[Protea] This conversation is about to be shortened: what you write now is all that will be left of it for you, \
besides what the person said, which is kept word for word. Call no tool. Write for yourself, densely, in Markdown:

- what is to be reached, and what was decided with its reasons, corrections by the person included
- what was done, file by file: paths, names of functions, what changed and why
- what was found out: facts, numbers, commands that work, errors and what they meant, word for word where it matters
- what is unfinished, and the very next step"""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    above: Annotated[float, msgspec.Meta(ge=0.5, le=1)] = 0.8
    """Share of the room that must be full before anything is summed up."""
    keep: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.25
    """Share of the room whose latest messages stay as they are."""
    instructions: str = ""
    """What the summary should hold besides."""


class Summarise:
    def __init__(self, options: Options) -> None:
        self._options = options

    async def shrink(self, conversation: Conversation, ask: Ask | None) -> Shrunk | None:
        options = self._options
        before = to_sum_up(conversation, options.above, options.keep)
        if not before:
            return last_resort(conversation)
        text = await self._told(conversation, before, ask)
        return Shrunk(how="summarise", before=before, text=text)

    async def _told(self, conversation: Conversation, before: int, ask: Ask | None) -> str:
        shown: tuple[Message, ...] = conversation.messages[:before]
        if ask is None:
            return digest(shown)
        wanted = (self._options.instructions, conversation.focus)
        question = "\n\n".join([_QUESTION, *(f"Above all: {text}" for text in wanted if text)])
        # What is too long to be shown would not fit the very request that is to make it fit.
        fits = sum(conversation.sizes[:before]) <= conversation.room
        for asked in (shown, askable(shown)) if fits else (askable(shown),):
            try:
                return (await ask(asked, question)).strip() or digest(shown)
            except ModelError as error:
                failed = error
                if error.failure.kind not in TOO_LONG:
                    break
        if not conversation.forced and failed.failure.kind not in TOO_LONG:
            raise failed
        return f"{digest(shown)}\n\n[The model could not sum it up: {failed}]"


def create(options: Options) -> Summarise:
    return Summarise(options)
