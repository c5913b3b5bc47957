"""A turn with what hooks have to say before its first request, of what is said into it, and after its answer. Called by
`turns`."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from protea.application.hooks import NOTHING, HookRunner
from protea.application.hub import Hub
from protea.application.turn import Turn, turn
from protea.domain.errors import Failure
from protea.domain.events import PromptSubmitted, PromptWithdrawn, TurnFinished
from protea.domain.hooks import HookAnswer
from protea.domain.messages import AssistantMessage, text_of
from protea.domain.transcript import Transcript

MOST_AGAIN = 3
"""How often in a row hooks may send an answer back."""


class Screening:
    """Prompts on their way to the model: hooks see each of them first, once.

    `sent` is told what of a prompt is sent, once that is known.
    """

    def __init__(
        self,
        hooks: HookRunner,
        transcript: Callable[[], Transcript],
        hub: Hub,
        sent: Callable[[PromptSubmitted], None],
    ) -> None:
        self._hooks = hooks
        self._transcript = transcript
        self._hub = hub
        self._sent = sent
        self._left: list[PromptSubmitted] = []
        """Of turns that ended before a model read it, with the process perhaps: the next one reads it."""
        self._seen: set[str] = set()
        self._opened = False

    def turn_begins(self) -> None:
        """Before a turn takes over what was said into the one before."""
        self._left = [*(each for each in self._transcript().unanswered if each.id not in self._seen), *self._new()]

    def went_back(self) -> None:
        """What hooks said after the point that was gone back to is said no more: they are asked again."""
        self._seen.clear()

    @property
    def waits(self) -> bool:
        """Whether something was said into the turn that no hook has seen."""
        return self._hooks.want("prompt") and bool(self._new())

    async def look(self) -> None:
        """Show hooks what was said into the turn, and what of it is refused to nobody else."""
        while self._hooks.want("prompt") and (steers := (self._left or self._new())):
            self._left = steers[1:] if self._left else []
            await self.one(steers[0])

    async def open(self) -> HookAnswer:
        """What hooks say of the session, until they let it begin."""
        if self._opened:
            return NOTHING
        said = await self._hooks.ask("session_start")
        self._opened = said.verdict != "deny"
        if self._opened:
            self._hooks.tell(said.context)
        return said

    async def one(self, prompt: PromptSubmitted) -> HookAnswer:
        """What hooks say of a prompt. One that is refused is out of the conversation by then."""
        said = await self._hooks.ask("prompt", prompt=prompt.id, text=prompt.text, images=len(prompt.images))
        self._seen.add(prompt.id)
        if said.verdict == "deny":
            self._hub.record(PromptWithdrawn(id=prompt.id, why=_refusal(said)))
            return said
        self._hooks.tell(said.context)
        self._sent(replace(prompt, text=prompt.text if said.text is None else said.text))
        return said

    def _new(self) -> list[PromptSubmitted]:
        return [each for each in self._transcript().steers if each.id not in self._seen]


async def hooked_turn(given: Turn, hooks: HookRunner, screening: Screening, prompt: PromptSubmitted) -> TurnFinished:
    """As `turn`. A hook may refuse the session or the prompt, rewrite it, add to it, and say at the end that the work
    is not done yet."""
    opened = await screening.open()
    if opened.verdict == "deny":
        given.hub.record(PromptWithdrawn(id=prompt.id, why=_refusal(opened, "the session")))
        return _refused(given, _refusal(opened, "the session"))
    said = await screening.one(prompt)
    if said.verdict == "deny":
        return _refused(given, _refusal(said))
    denied = False
    if prompt.runs:
        from protea.application.run_ahead import run_ahead  # few prompts bring commands

        denied = await run_ahead(given, prompt)
    finished = await turn(given)
    if denied and finished.outcome == "finished":
        finished = replace(finished, outcome="denied")
    sent_back = 0
    while finished.outcome == "finished" and sent_back < MOST_AGAIN:
        said = await hooks.ask("turn_end", text=_answer(given), repeated=sent_back > 0)
        await screening.look()
        if said.verdict == "deny":
            sent_back += 1
            hooks.tell(said.context)
            hooks.tell(said.why or "The work is not done yet.")
        else:
            more = given.transcript.steered  # a person may have spoken while the hooks took their time
            hooks.tell(said.context)
            if not more:
                break  # what a hook adds is no reason to go on: it comes with the next prompt
        finished = _both(finished, await turn(given))
    return finished


def _refusal(said: HookAnswer, what: str = "the prompt") -> str:
    return f"The hook {said.hook} refused {what}" + (f": {said.why}" if said.why else ".")


def _refused(given: Turn, why: str) -> TurnFinished:
    return TurnFinished(id=given.started.id, outcome="denied", error=Failure(kind="hook", message=why))


def _answer(given: Turn) -> str:
    last = given.transcript.last_message()
    return text_of(last.content) if isinstance(last, AssistantMessage) else ""


def _both(before: TurnFinished, after: TurnFinished) -> TurnFinished:
    """The later end with what both rounds used."""
    costs = [cost for cost in (before.cost_usd, after.cost_usd) if cost is not None]
    return replace(
        after,
        turns=before.turns + after.turns,
        usage=before.usage + after.usage,
        cost_usd=sum(costs) if costs else None,
    )
