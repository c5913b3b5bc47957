"""Keeps what a request shows within what its model can see: shrunk where it fills up, then chosen. Held by `session`,
asked by `turn` before every request.

What is shrunk is an event, so the log tells what the model was shown. As long as a conversation takes less than half
of its window, which a provider's own figures tell, nothing of this is loaded or counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Literal

from protea.application.hub import Hub
from protea.domain.errors import ModelError
from protea.domain.events import Compacted, NoticeGiven
from protea.domain.messages import OWN, Message, Text, UserMessage, length_of
from protea.domain.reply import ModelRequest, Reply
from protea.domain.tools import ToolSpec
from protea.domain.transcript import Transcript
from protea.domain.usage import ModelInfo, Usage, cost
from protea.ports.model import Model

if TYPE_CHECKING:  # loaded once they are needed
    from protea.domain.compaction import Conversation, Shrunk
    from protea.ports.compaction import Compaction
    from protea.ports.context import Context
    from protea.ports.tokens import Tokens

ANSWER = 0.25
"""Of a model's window: what an answer is given at most, where nobody knows how long it may be."""
LIGHT = 0.5
"""Of a model's window: below this nothing is done."""
CHARACTERS = 3
"""Of a message that are taken for a token where no provider has counted yet: rather too few."""
MOST_STEPS = 4
"""Compactions before one request."""
PROMPTS = 0.1
"""Of the room: what the prompts that survive word for word may take, in characters for four of a token."""


class Window:
    """What decides it: three ports, of which any may be missing. The turn's own request tells the rest."""

    def __init__(
        self,
        *,
        context: Context | None,
        compaction: Compaction | None,
        tokens: Tokens | None,
        transcript: Callable[[], Transcript],
        hub: Hub,
        before_compaction: Callable[[str], Awaitable[str]],
        pay: Callable[[str, float | None], None],
    ) -> None:
        """`before_compaction` is told what is about to happen and answers with why it must not, or nothing; `pay` is
        told what a summary cost."""
        self._context = context
        self._compaction = compaction
        self._tokens = tokens
        self._transcript = transcript
        self._hub = hub
        self._before_compaction = before_compaction
        self._pay = pay
        self.wanted: str | None = None
        """A compaction a person asked for: what is to be kept above all."""
        self._counted: tuple[int, int] | None = None
        """(messages of the last request, tokens it and its answer took as the provider counted)."""
        self._learned = False
        self._said = ""
        """The last notice: what is so for many requests in a row is told once."""

    async def of(self, model: Model, system: tuple[str, ...], tools: tuple[ToolSpec, ...]) -> tuple[Message, ...]:
        """The messages to send. Never raises for a compaction that fails: that is told, and all is sent."""
        messages = self._transcript().messages()
        info = model.info
        if self.wanted is not None:
            focus, self.wanted = self.wanted, None
            if await self._compact(model, system, tools, forced=True, focus=focus):
                messages = self._transcript().messages()
        elif (
            info.context is not None
            and not self._light(messages, info.context)
            and await self._compact(model, system, tools, forced=False)
        ):
            messages = self._transcript().messages()
        return self.chosen(messages, info, system, tools)

    def chosen(
        self, messages: tuple[Message, ...], info: ModelInfo, system: tuple[str, ...], tools: tuple[ToolSpec, ...]
    ) -> tuple[Message, ...]:
        """Those of them that a request shows. Where some are left out, the summary and the pins are none of these."""
        if self._context is None:
            return messages
        count = self._count(info)
        room = None if info.context is None else self._room(info, system, tools)
        stays = self._staying(messages)
        if room is not None:
            room = max(1, room - sum(map(count, stays)))
        shown = self._context.choose(messages, room=room, count=count)
        if len(shown) == len(messages):
            return messages
        return (*(each for each in stays if not any(each is other for other in shown[:1])), *shown)

    def _staying(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """What is shown however little of the conversation is."""
        transcript = self._transcript()
        summary = messages[:1] if transcript.compacted is not None else ()
        told = transcript.compacted.summary if transcript.compacted is not None else ""
        pins = "".join(f"\n- {pin}" for pin in transcript.pins if pin.partition("\n")[0] not in told)
        return (*summary, UserMessage((Text(f"{OWN}Pinned by the person:{pins}"),))) if pins else summary

    async def make_room(self, model: Model, system: tuple[str, ...], tools: tuple[ToolSpec, ...]) -> bool:
        """The provider says that it does not fit: whether the next request will be smaller."""
        return await self._compact(model, system, tools, forced=True)

    def learn(self, request: ModelRequest, model: ModelInfo, usage: Usage) -> None:
        """What the provider counted."""
        if usage.input > 0:
            self._counted = (len(request.messages), usage.input + usage.output)
        if self._tokens is not None and (self._learned or self._context is not None):
            self._tokens.learn(request, model.id, usage)

    def _light(self, messages: Sequence[Message], window: int) -> bool:
        if self._counted is not None and self._counted[0] <= len(messages):
            count, tokens = self._counted
            used = tokens + _rough(messages[count:])
        else:
            used = _rough(messages)
        return used < window * LIGHT

    def _count(self, info: ModelInfo) -> Callable[[Message], int]:
        tokens, self._learned = self._tokens, True
        if tokens is None:
            return lambda message: max(1, length_of(message) // CHARACTERS)
        return lambda message: tokens.message(message, info.id)

    def _room(self, info: ModelInfo, system: tuple[str, ...], tools: tuple[ToolSpec, ...]) -> int:
        window = info.context or 0
        alone = ModelRequest((), system=system, tools=tools)
        around = self._tokens.request(alone, info.id) if self._tokens is not None else 0
        answer = min(info.max_output or window, int(window * ANSWER))
        return max(1, window - around - answer)

    async def _compact(
        self, model: Model, system: tuple[str, ...], tools: tuple[ToolSpec, ...], *, forced: bool, focus: str = ""
    ) -> bool:
        """As many steps as it takes. Whether anything was done."""
        from protea.domain.compaction import Conversation

        compaction, messages = self._compaction, self._transcript().messages()
        count, done = self._count(model.info), False
        known = model.info.context is not None
        for step in range(MOST_STEPS):
            if compaction is None:
                break
            sizes = tuple(map(count, messages))
            room = self._room(model.info, system, tools) if known else max(1, sum(sizes))
            must = forced and (step == 0 or (known and sum(sizes) > room))
            conversation = Conversation(messages=messages, sizes=sizes, room=room, forced=must, focus=focus)
            summary = _Asked(model, system, tools, self._hub.session)
            can_talk = not model.info.id.startswith("offline/")
            try:
                shrunk = await compaction.shrink(conversation, summary if can_talk else None)
            except ModelError as error:
                self._tell("warning", f"the conversation could not be made smaller: {error}")
                break
            if shrunk is None or not await self._record(conversation, shrunk, summary, model):
                break
            messages, done = self._transcript().messages(), True
            self._counted = None
            if not known:
                break
        return done

    async def _record(self, conversation: Conversation, shrunk: Shrunk, summary: _Asked, model: Model) -> bool:
        """Write down what is done. False where it would do nothing, or a hook said no."""
        transcript = self._transcript()
        upto = transcript.seq_before(shrunk.before)
        if upto == 0:
            return False
        refused = await self._before_compaction(_described(shrunk))
        if refused:
            self._tell("warning", f"the conversation was not made smaller: {refused}")
            return False
        text = _summary(transcript, shrunk, conversation.room) if shrunk.how == "summarise" else ""
        price = model.info.price
        cost_usd = cost(summary.usage, price) if price is not None and summary.asked else None
        self._pay(model.info.id, cost_usd)
        await self._hub.commit(
            Compacted(
                upto=upto,
                summary=text,
                strategy=_described(shrunk),
                how=shrunk.how,
                longest=shrunk.longest,
                model=model.info.id if summary.asked else "",
                usage=summary.usage,
                cost_usd=cost_usd,
            )
        )
        return True

    def _tell(self, level: Literal["info", "warning"], text: str) -> None:
        if text != self._said:
            self._said = text
            self._hub.record(NoticeGiven(level=level, text=text))


class _Asked:
    """Asks the session's own model, with the beginning it has cached; remembers what that took."""

    def __init__(self, model: Model, system: tuple[str, ...], tools: tuple[ToolSpec, ...], session: str) -> None:
        self._model, self._system, self._tools, self._session = model, system, tools, session
        self.usage = Usage()
        self.asked = False

    async def __call__(self, shown: Sequence[Message], question: str) -> str:
        request = ModelRequest(
            messages=(*shown, UserMessage(content=(Text(text=question),))),
            system=self._system,
            tools=self._tools,
            cache_key=self._session,
        )
        self.asked = True
        stream = self._model.stream(request)
        try:
            async for piece in stream:
                if isinstance(piece, Reply):
                    self.usage += piece.usage
                    return "".join(part.text for part in piece.content if isinstance(part, Text))
        finally:
            await stream.aclose()
        return ""


def _summary(transcript: Transcript, shrunk: Shrunk, room: int) -> str:
    from protea.domain.compaction import summed_up, survivors

    marks = {"done": "x", "in_progress": "~", "pending": " "}
    todo = [f"- [{marks[item.status]}] {item.text}" for item in transcript.todo]
    longest = max(2_000, int(room * PROMPTS) * 4)
    return summed_up(survivors(transcript.prompts, transcript.pins, todo, longest=longest), shrunk.text)


def _described(shrunk: Shrunk) -> str:
    match shrunk.how:
        case "clear":
            return "results of old calls cleared"
        case "shorten":
            return "results of old calls cut"
        case "summarise":
            return "what was said before is summed up"


def _rough(messages: Sequence[Message]) -> int:
    """Tokens, rather too many."""
    return sum(map(length_of, messages)) // CHARACTERS
