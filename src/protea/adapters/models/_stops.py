"""Stop sequences where a wire has none: the reply is read to its end, and given up to where it should have stopped."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from protea.domain.messages import Content, Text, ToolCall
from protea.domain.reply import Reply, ReplyPiece, TextPiece


class StopSequences:
    """Put between a reply's pieces and whoever asked. What may be the beginning of a sequence is held back."""

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = [text for text in sequences if text]
        self._held = ""
        self._over = False

    def pass_on(self, piece: ReplyPiece) -> list[ReplyPiece]:
        """The pieces to give instead."""
        if not self._sequences:
            return [piece]
        if isinstance(piece, Reply):
            held, self._held = self._held, ""
            rest: list[ReplyPiece] = [TextPiece(held)] if held and not self._over else []
            return [*rest, self._cut(piece)]
        if not isinstance(piece, TextPiece):
            return [piece]
        if self._over:
            return []
        text = self._held + piece.text
        at = first(text, self._sequences)
        if at is not None:
            self._over, self._held = True, ""
            return [TextPiece(text[:at])] if at else []
        keep = max(_begun(text, each) for each in self._sequences)
        self._held = text[len(text) - keep :]
        given = text[: len(text) - keep]
        return [TextPiece(given)] if given else []

    def _cut(self, reply: Reply) -> Reply:
        content: list[Content] = []
        for part in reply.content:
            at = first(part.text, self._sequences) if isinstance(part, Text) else None
            if isinstance(part, Text) and at is not None:
                if at:
                    content.append(replace(part, text=part.text[:at]))
                called = any(isinstance(each, ToolCall) for each in content)
                # What its wire wanted back says more than what is now said, so it goes.
                stop = reply.stop if called else "stop_sequence"
                return replace(reply, content=tuple(content), stop=stop, native=None)
            content.append(part)
        return reply


def first(text: str, sequences: Sequence[str]) -> int | None:
    """Where the first of `sequences` stands in `text`."""
    return min((at for each in sequences if (at := text.find(each)) >= 0), default=None)


def _begun(text: str, sequence: str) -> int:
    """How many characters at the end of `text` may be the beginning of `sequence`."""
    for size in range(min(len(text), len(sequence) - 1), 0, -1):
        if sequence.startswith(text[-size:]):
            return size
    return 0
