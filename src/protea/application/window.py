"""Keeps what a request shows within what its model can see: shrunk where it fills up, then chosen. Held by `session`,
asked by `turn` before every request.

What is shrunk is an event, so the log tells what the model was shown. As long as a conversation takes less than half
of its window, which a provider's own figures tell, nothing of this is loaded or counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from protea.application.asking import Heard, ask
from protea.application.hub import Hub
from protea.domain.errors import ModelError, StoreError
from protea.domain.events import Compacted, NoticeGiven, Passing, RetryScheduled
from protea.domain.messages import OWN, Message, Text, ToolMessage, UserMessage, length_of, text_of
from protea.domain.reply import ModelRequest
from protea.domain.tools import ToolSpec
from protea.domain.transcript import Transcript
from protea.domain.usage import ModelInfo, Usage, cost
from protea.ports.clock import Clock
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
CRAMPED = 0.2
"""Of a model's window: where less is left for the conversation, no model is asked to sum it up."""
CHARACTERS = 3
"""Of a message that are taken for a token where no provider has counted yet: rather too few."""
_WHOLE = ("end_turn", "stop_sequence", "length", "pause", "tool_calls", "other")
"""How a reply stops whose text is one."""
ATTEMPTS = 3
"""To have it summed up: more is not waited for, there is always a digest."""
MOST_STEPS = 4
"""Compactions before one request."""
SUMMED_UP = "what was said before is summed up"
BY_A_HOOK = "rewritten by a hook"
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
        clock: Clock,
        before_compaction: Callable[[str, str], Awaitable[tuple[str, str]]],
        after_compaction: Callable[[str, str], Awaitable[str | None]],
        pay: Callable[[str, float | None], None],
    ) -> None:
        """`before_compaction` is told what is about to happen and what a model is to be asked for; it answers with why
        it must not, or nothing, and with what is asked then. `after_compaction` is told what was done, and the summary
        where there is one; it answers with the summary that is to stand instead, or None. `pay`: what one cost."""
        self._context = context
        self._compaction = compaction
        self._tokens = tokens
        self._transcript = transcript
        self._hub = hub
        self._clock = clock
        self._before_compaction = before_compaction
        self._after_compaction = after_compaction
        self._pay = pay
        self.wanted: str | None = None
        """A compaction a person asked for: what is to be kept above all."""
        self._counted: tuple[int, int] | None = None
        """(messages the last request was made of, tokens it and its answer took as the provider counted)."""
        self._shown = 0
        """Messages of the conversation when the last request was made of it, whether or not it shows all."""
        self._learned = False
        self._said = ""
        """The last notice: what is so for many requests in a row is told once."""

    async def of(
        self, model: Model, system: tuple[str, ...], tools: tuple[ToolSpec, ...], effort: str | None = None
    ) -> tuple[Message, ...]:
        """The messages to send. Never raises for a compaction that fails: that is told, and all is sent."""
        request = ModelRequest((), system=system, tools=tools, effort=effort, cache_key=self._hub.session)
        messages = self._transcript().messages()
        info = model.info
        if self.wanted is not None:
            # What was told before is told again: now a person waits for it.
            focus, self.wanted, self._said = self.wanted, None, ""
            if await self._compact(model, request, forced=True, focus=focus):
                messages = self._transcript().messages()
        elif (
            info.context is not None
            and not self._light(messages, info.context)
            and await self._compact(model, request, forced=False)
        ):
            messages = self._transcript().messages()
        self._shown = len(messages)
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

    async def make_room(
        self, model: Model, system: tuple[str, ...], tools: tuple[ToolSpec, ...], effort: str | None = None
    ) -> bool:
        """The provider says that it does not fit: whether the next request will be smaller."""
        request = ModelRequest((), system=system, tools=tools, effort=effort, cache_key=self._hub.session)
        return await self._compact(model, request, forced=True)

    def learn(self, request: ModelRequest, model: ModelInfo, usage: Usage) -> None:
        """What the provider counted."""
        if usage.input > 0:
            self._counted = (self._shown, usage.input + usage.output)
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

    async def _compact(self, model: Model, request: ModelRequest, *, forced: bool, focus: str = "") -> bool:
        """As many steps as it takes. Whether anything was done. `request` is one of its kind without the messages."""
        from protea.domain.compaction import Conversation

        compaction, messages = self._compaction, self._transcript().messages()
        count, done = self._count(model.info), False
        known = model.info.context is not None
        for step in range(MOST_STEPS):
            if compaction is None:
                break
            sizes = tuple(map(count, messages))
            room = self._room(model.info, request.system, request.tools) if known else max(1, sum(sizes))
            must = forced and (step == 0 or (known and sum(sizes) > room))
            conversation = Conversation(messages=messages, sizes=sizes, room=room, forced=must, focus=focus)
            summary = _Asked(model, request, self._hub, self._clock, self._before_compaction)
            can_talk = not model.info.id.startswith("offline/")
            if known and not forced and room < (model.info.context or 0) * CRAMPED:
                can_talk = False  # a summary would be due, and paid for, with every reply
                left = f"{room:,} of its {model.info.context:,} tokens"
                mend = "a profile with fewer tools, or a larger window, helps"
                self._tell("warning", f"prompt, tools and answer leave the conversation {left}; {mend}")
            try:
                shrunk = await compaction.shrink(conversation, summary if can_talk else None)
            except ModelError as error:
                self._tell("warning", f"the conversation could not be made smaller: {error}")
                break
            except _RefusedError as refusal:
                self._tell("warning", f"the conversation was not made smaller: {refusal}")
                break
            except StoreError:
                raise
            except Exception as fault:  # the strategy's own fault must not end the turn
                told = f"{type(fault).__name__}: {fault}"
                self._tell("warning", f"the conversation could not be made smaller: {told}")
                break
            if shrunk is None:
                break
            if not await self._record(conversation, shrunk, summary, model):
                break
            messages, done = self._transcript().messages(), True
            self._counted = None
            if not known:
                break
        return done

    async def _record(self, conversation: Conversation, shrunk: Shrunk, summary: _Asked, model: Model) -> bool:
        """Write down what is done. False where it would do nothing, or a hook said no."""
        price = model.info.price
        cost_usd = cost(summary.usage, price) if price is not None and summary.asked else None
        self._pay(model.info.id, cost_usd)
        refused = "" if summary.asked else (await self._before_compaction(_described(shrunk), ""))[0]
        transcript = self._transcript()
        upto = transcript.seq_before(shrunk.before)
        if refused:
            self._tell("warning", f"the conversation was not made smaller: {refused}")
            return False
        if transcript.messages()[: shrunk.before] != conversation.messages[: shrunk.before]:
            self._tell("warning", "the conversation was not made smaller: it was rewound meanwhile")
            return False
        if upto == 0:
            return False
        text = _summary(transcript, shrunk, conversation) if shrunk.how == "summarise" else ""
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
        instead = await self._after_compaction(_described(shrunk), text)
        if text and instead is not None:
            await self._hub.commit(Compacted(upto=upto, summary=instead, strategy=BY_A_HOOK))
        return True

    def _tell(self, level: Literal["info", "warning"], text: str) -> None:
        if text != self._said:
            self._said = text
            self._hub.record(NoticeGiven(level=level, text=text))


class _RefusedError(Exception):
    """A hook does not want the conversation to be made smaller."""


class _Asked:
    """Asks the session's own model, with the beginning it has cached; remembers what that took."""

    def __init__(
        self,
        model: Model,
        request: ModelRequest,
        hub: Hub,
        clock: Clock,
        before: Callable[[str, str], Awaitable[tuple[str, str]]],
    ) -> None:
        self._model, self._request, self._hub, self._clock, self._before = model, request, hub, clock, before
        self.usage = Usage()
        self.asked = False
        self._first = self._instead = ""
        """What a strategy asks for, and what a hook has made of it."""

    async def __call__(self, shown: Sequence[Message], question: str) -> str:
        """Raises `_RefusedError` before it asks: what a hook does not want is not paid for."""
        if not self.asked:
            self._first = question
            refusal, self._instead = await self._before(SUMMED_UP, question)
            if refusal:
                raise _RefusedError(refusal)
        question = self._instead if question == self._first else question
        messages = (*shown, UserMessage(content=(Text(text=question),)))
        if self._model.info.images is False:
            from protea.domain.standing_in import without_images  # few models are without eyes

            messages = without_images(messages)
        self.asked = True
        reply = await ask(
            self._model, replace(self._request, messages=messages), self._told, self._clock, Heard(), ATTEMPTS
        )
        self.usage += reply.usage
        if reply.stop not in _WHOLE:
            return ""  # a refusal, or what a filter left of it, tells nothing of what was done
        cut = "\n\n[It was cut off here.]" if reply.stop == "length" else ""
        return text_of(reply.content).strip() and text_of(reply.content) + cut

    def _told(self, event: Passing) -> None:
        """A wait is shown; what is written is no answer to anybody."""
        if isinstance(event, RetryScheduled):
            self._hub.tell(event)


def _summary(transcript: Transcript, shrunk: Shrunk, conversation: Conversation) -> str:
    from protea.domain.compaction import summed_up, survivors, todo_lines

    todo = todo_lines(transcript.todo)
    longest = max(2_000, int(conversation.room * PROMPTS) * 4)
    left = {each.text for each in conversation.messages[shrunk.before :] if isinstance(each, ToolMessage)}
    skills = {name: text for name, text in transcript.skills.items() if text not in left}
    survived = survivors(transcript.prompts, transcript.pins, todo, longest=longest, skills=skills)
    return summed_up(survived, shrunk.text)


def _described(shrunk: Shrunk) -> str:
    match shrunk.how:
        case "clear":
            return "results of old calls cleared"
        case "shorten":
            return "results of old calls cut"
        case "summarise":
            return SUMMED_UP


def _rough(messages: Sequence[Message]) -> int:
    """Tokens, rather too many."""
    return sum(map(length_of, messages)) // CHARACTERS
