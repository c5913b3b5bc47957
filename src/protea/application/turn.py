"""One turn: from a prompt to the answer, asking the model and running its tools until it is done.

`turn` is a function of what it needs. Everything it learns and does goes through the hub as events; the messages of
each request come from the transcript of those events. It does not know who watches, where files are or which model
it talks to. Called by `hooked_turn`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from protea.application.asking import Heard, ask
from protea.application.budgets import Purse
from protea.application.hub import Hub
from protea.application.lineup import Lineup
from protea.application.tool_runner import ToolRunner
from protea.application.window import Window
from protea.domain.errors import TOO_LONG, Failure, ModelError, ProteaError, StoreError
from protea.domain.events import MessageCompleted, NoticeGiven, Outcome, PromptSubmitted, TurnFinished, TurnStarted
from protea.domain.limits import NOTICE_AFTER, STOP_AFTER, Limits, LoopGuard, Spent, exceeded
from protea.domain.messages import OWN, Text, ToolCall, calls_of, text_of
from protea.domain.prefix import PrefixGuard
from protea.domain.reply import ModelRequest, Reply, own_ids
from protea.domain.spending import next_cost
from protea.domain.tools import ToolResult
from protea.domain.transcript import Transcript
from protea.domain.usage import Usage, cost
from protea.ports.clock import Clock
from protea.ports.ids import Ids
from protea.ports.model import Model

MOST_CORRECTIONS = 2
"""How often an answer that does not fit the schema is sent back."""

MOST_PAUSES = 20
"""How often in a row a reply that pauses is sent back to go on."""

STOPS_ON_LIMIT = ("length", "refusal", "content_filter")

Given = TypeVar("Given")


class Tally:
    """What the turn has used so far."""

    def __init__(self) -> None:
        self.turns = 0
        self.usage = Usage()
        self.last = Usage()
        self.cost_usd: float | None = None

    def add(self, usage: Usage, cost_usd: float | None) -> None:
        self.turns += 1
        self.usage += usage
        self.last = usage
        if cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + cost_usd


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn needs."""

    started: TurnStarted
    hub: Hub
    transcript: Transcript
    lineup: Lineup
    runner: ToolRunner
    system: tuple[str, ...]
    clock: Clock
    ids: Ids
    purse: Purse
    prefix: PrefixGuard = msgspec.field(default_factory=PrefixGuard)
    limits: Limits = Limits()
    schema: dict[str, Any] | None = None
    after_calls: Callable[[Sequence[tuple[ToolCall, ToolResult]]], Awaitable[None]] | None = None
    """What a session does between the calls of a reply and the next request."""
    window: Window | None = None
    """What of the conversation is shown; None: all of it."""
    at_step: Callable[[Turn], Awaitable[Turn]] | None = None
    """Asked before every request: what the turn goes on with, where who speaks has changed meanwhile."""
    screening: Screening | None = None
    """Who sees what is said into the turn before the model does."""


class Screening(Protocol):
    """See `application.hooked_turn.Screening`."""

    @property
    def waits(self) -> bool: ...
    async def look(self) -> None: ...


class _SoFar:
    """What a turn remembers from one request to the next."""

    def __init__(self, begin: float) -> None:
        self.begin = begin
        self.tally = Tally()
        self.heard = Heard()
        self.guard = LoopGuard()
        self.corrections = 0
        self.pauses = 0
        self.denied = False
        """Whether a call was refused."""


async def turn(given: Turn) -> TurnFinished:
    """Run the turn to its end and return the event that says how it ended (not yet recorded).

    Never raises for what can go wrong with a provider or a tool, only `StoreError` where the log cannot be written.
    Cancelled, it leaves a log in which every call has an end and returns `interrupted`; the cancellation goes no
    further.
    """
    so_far = _SoFar(given.clock.monotonic())
    try:
        return await _steps(given, so_far)
    except asyncio.CancelledError:
        _keep_partial(given, so_far.heard)
        return _finished(given, so_far, "interrupted")
    except StoreError:
        raise
    except ModelError as error:
        return _finished(given, so_far, "error", error=error.failure)
    except ProteaError as error:
        return _finished(given, so_far, "error", error=Failure(kind="internal", message=str(error)))
    except Exception as fault:  # an adapter's fault, or ours: whoever waits for the turn must be told that it is over
        message = f"{type(fault).__name__}: {fault}"
        return _finished(given, so_far, "error", error=Failure(kind="internal", message=message))


async def _steps(given: Turn, so_far: _SoFar) -> TurnFinished:
    await given.lineup.begin()
    while True:
        if given.at_step is not None:
            given = await given.at_step(given)
        await _screen(given)
        came = await _asked(given, so_far)
        end = await _obeyed(given, came, so_far) if isinstance(came, Reply) else came
        if end is not None:
            return end


async def _screen(given: Turn) -> None:
    if given.screening is not None:
        await given.screening.look()


async def _asked(given: Turn, so_far: _SoFar) -> Reply | TurnFinished | None:
    """Ask once. What came is in the log; the end of the turn where a limit stands before it; None: ask again."""
    model = given.lineup.current
    request = await _request(given, model)
    so_far.heard.begin(model, seen=given.hub.last)  # what was recorded while the conversation was shrunk is in it
    if given.screening is not None and given.screening.waits:
        return None
    if limit := await _limit(given, model, request, so_far):
        return _finished(given, so_far, "limit", limit=limit)
    if lost := given.prefix.look(model.info.id, request):
        given.hub.record(NoticeGiven(level="warning", text=lost))
    asking = ask(model, request, given.hub.tell, given.clock, so_far.heard, given.lineup.attempts)
    try:
        reply = await _within_time(given, asking, so_far.begin)
    except ModelError as error:
        so_far.heard.forget()
        if error.failure.kind in TOO_LONG and await _made_room(given, model):
            return None
        if await given.lineup.fall_back(model, error.failure, so_far.tally.last.input):
            return None
        raise
    if reply is None:
        _keep_partial(given, so_far.heard)
        return _finished(given, so_far, "limit", limit="time")
    given.lineup.answered(model)
    reply = own_ids(reply)
    so_far.heard.forget()
    await _keep(given, model, reply, so_far)
    if given.window is not None:
        given.window.learn(request, model.info, reply.usage)
    return reply


async def _obeyed(given: Turn, reply: Reply, so_far: _SoFar) -> TurnFinished | None:
    """Do what a reply asks for: how the turn ends, or None where the model is asked again."""
    if reply.stop in STOPS_ON_LIMIT:
        # Calls of a reply that was cut off may be cut off themselves: they never run.
        return _finished(given, so_far, "limit", limit=reply.stop)
    if calls := calls_of(reply.content):
        return await _called(given, calls, so_far)
    await _screen(given)
    if given.transcript.steered:
        return None
    if reply.stop == "pause":
        so_far.pauses += 1
        return _finished(given, so_far, "limit", limit="loop") if so_far.pauses > MOST_PAUSES else None
    if reply.stop in ("error", "malformed_tool_call"):
        return _finished(given, so_far, "error", error=_bad_stop(so_far.heard.model, reply))
    return await _answered(given, reply, so_far)


async def _called(given: Turn, calls: Sequence[ToolCall], so_far: _SoFar) -> TurnFinished | None:
    ran = await _within_time(given, given.runner.run(calls), so_far.begin)
    if ran is None:
        return _finished(given, so_far, "limit", limit="time")
    if given.after_calls is not None:
        await given.after_calls(ran)
    so_far.denied = so_far.denied or any(result.denied is not None for _, result in ran)
    so_far.pauses = 0
    return _finished(given, so_far, "limit", limit="loop") if _circling(given, so_far.guard, ran) else None


async def _answered(given: Turn, reply: Reply, so_far: _SoFar) -> TurnFinished | None:
    """The answer ends the turn, unless it does not fit a schema that was asked for."""
    structured, wrong = _structured(text_of(reply.content), given.schema)
    if not wrong:
        return _finished(given, so_far, "denied" if so_far.denied else "finished", structured=structured)
    if so_far.corrections == MOST_CORRECTIONS:
        message = f"The answer does not fit the schema: {'; '.join(wrong)}"
        return _finished(given, so_far, "error", error=Failure(kind="schema", message=message))
    so_far.corrections += 1
    await _correct(given, wrong)
    return None


async def _limit(given: Turn, model: Model, request: ModelRequest, so_far: _SoFar) -> str | None:
    """Which limit stands before this request, if one does."""
    tally = so_far.tally
    counted = given.purse.kept or given.limits.budget_usd is not None  # else nobody asks what it will cost
    expected = next_cost(request, model.info.price, tally.last) if counted else 0.0
    spent = Spent(
        tally.turns, (tally.cost_usd or 0.0) + given.purse.committed_usd, given.clock.monotonic() - so_far.begin
    )
    limit = exceeded(given.limits, spent, expected)
    if limit is None and (refusal := given.purse.refusal(expected)):
        await given.hub.commit(NoticeGiven(level="warning", text=refusal))
        return "budget"
    return limit


async def _request(given: Turn, model: Model) -> ModelRequest:
    tools = given.runner.specs()
    if given.window is None:
        messages = given.transcript.messages()
    else:
        messages = await given.window.of(model, given.system, tools, given.lineup.effort)
    if model.info.images is False:
        from protea.domain.standing_in import without_images  # few models are without eyes

        messages = without_images(messages)
    return ModelRequest(
        messages=messages,
        system=given.system,
        tools=tools,
        effort=given.lineup.effort,
        schema=given.schema,
        cache_key=given.hub.session,
    )


async def _made_room(given: Turn, model: Model) -> bool:
    """The provider says that the conversation does not fit: whether the next request shows less."""
    if given.window is None:
        return False
    return await given.window.make_room(model, given.system, given.runner.specs(), given.lineup.effort)


async def _within_time(given: Turn, work: Awaitable[Given], begin: float) -> Given | None:
    """The result of `work`, or None where the turn's time ran out; what it had begun is then ended."""
    if given.limits.seconds is None:
        return await work
    left = given.limits.seconds - (given.clock.monotonic() - begin)
    try:
        async with asyncio.timeout(max(0.0, left)) as scope:
            return await work
    except TimeoutError:
        if not scope.expired():  # not ours, but of what was waited for
            raise
        return None


async def _keep(given: Turn, model: Model, reply: Reply, so_far: _SoFar) -> None:
    price = model.info.price
    cost_usd = cost(reply.usage, price) if price else None
    so_far.tally.add(reply.usage, cost_usd)
    given.purse.pay(reply.model, cost_usd)
    await given.hub.commit(
        MessageCompleted(
            model=reply.model,
            content=reply.content,
            stop=reply.stop,
            usage=reply.usage,
            cost_usd=cost_usd,
            native=reply.native,
            seen=so_far.heard.seen,
            detail=reply.detail,
        )
    )


def _keep_partial(given: Turn, heard: Heard) -> None:
    """Keep what was heard of a reply that was cut off, if anything was."""
    if heard.text:
        given.hub.record(
            MessageCompleted(
                model=heard.model,
                content=(Text(text=heard.text),),
                stop="other",
                usage=Usage(),
                seen=heard.seen,
                partial=True,
            )
        )


def _circling(given: Turn, guard: LoopGuard, ran: list[tuple[ToolCall, ToolResult]]) -> bool:
    """Whether the model has gone round in circles for too long; it is told once before that."""
    rounds = guard.rounds([(call, result.text) for call, result in ran])
    if rounds >= NOTICE_AFTER and not guard.noticed:
        guard.noticed = True
        names = ", ".join(dict.fromkeys(call.name for call, _ in ran))
        text = f"The same calls ({names}) came back with the same results {rounds} times in a row."
        given.hub.record(
            NoticeGiven(level="warning", text=text),
            PromptSubmitted(
                id=given.ids.short("p"),
                text=f"{OWN}{text} Repeating them will not change that: try something else, or say what stops you.",
                delivery="steer",
                origin="loop_guard",
            ),
        )
    return rounds >= STOP_AFTER


def _structured(text: str, schema: dict[str, Any] | None) -> tuple[Any, list[str]]:
    """(the value of an answer, what is wrong with it)."""
    if schema is None:
        return None, []
    from protea.domain.answer import structured_answer  # few runs ask for a schema

    return structured_answer(text, schema)


async def _correct(given: Turn, wrong: list[str]) -> None:
    mistakes = "".join(f"\n- {each}" for each in wrong)
    await given.hub.commit(
        PromptSubmitted(
            id=given.ids.short("p"),
            text=f"{OWN}The answer must be one JSON value that fits the schema, and nothing else:{mistakes}",
            delivery="steer",
            origin="schema",
        )
    )


def _bad_stop(speaker: str, reply: Reply) -> Failure:
    message = reply.detail or f"The provider ended its reply with {reply.wire_stop or reply.stop}."
    kind = "malformed" if reply.stop == "malformed_tool_call" else "server"
    return Failure(kind=kind, message=message, provider=speaker.partition("/")[0])


def _finished(
    given: Turn,
    so_far: _SoFar,
    outcome: Outcome,
    *,
    error: Failure | None = None,
    limit: str | None = None,
    structured: Any = None,
) -> TurnFinished:
    tally, beside = so_far.tally, given.purse.beside_usd
    return TurnFinished(
        id=given.started.id,
        outcome=outcome,
        error=error,
        turns=tally.turns,
        usage=tally.usage,
        cost_usd=(tally.cost_usd or 0.0) + beside if beside else tally.cost_usd,
        limit=limit,
        structured=structured,
    )
