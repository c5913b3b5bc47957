"""The model a session speaks to, and those that stand in for it. Held by `session`, asked by `turn`."""

from __future__ import annotations

from collections.abc import Sequence

from protea.application.hub import Hub
from protea.domain.breaker import Breaker
from protea.domain.errors import Failure, ModelError, UsageError
from protea.domain.events import ModelSwitched, NoticeGiven
from protea.domain.providers import is_own
from protea.domain.retry import MOST_ATTEMPTS
from protea.ports.clock import Clock
from protea.ports.model import Model
from protea.ports.model_source import ModelSource


class Lineup:
    """One model at a time; a switch is always in the log, with its reason and with what is lost by it.

    A model that failed rests (see `domain.breaker`): the chain passes it over, and later turns do not wait for it.
    Once it has rested, the first turn that begins goes back to it, for one attempt.
    """

    def __init__(
        self,
        model: Model,
        fallback: Sequence[str],
        source: ModelSource,
        hub: Hub,
        clock: Clock,
        *,
        effort: str | None = None,
        priced: bool = False,
    ) -> None:
        self.current = model
        self.effort = effort
        self._priced = priced
        """Whether only models with a known price will do: a budget must be kept."""
        self._wanted = model.info.id
        """What a person chose: the others stand in for it."""
        self._fallback = list(fallback)
        self._source = source
        self._hub = hub
        self._clock = clock
        self._breakers: dict[str, Breaker] = {}
        """Of those that failed in this session, until they answer or a person chooses them."""

    def use(self, source: ModelSource, fallback: Sequence[str], clock: Clock, *, priced: bool) -> None:
        """Go on with others; the model in force is exchanged by `take`."""
        self._source, self._fallback, self._clock, self._priced = source, list(fallback), clock, priced

    def take(self, model: Model, effort: str | None) -> None:
        """Speak to a model that was opened elsewhere, as the one that is wanted."""
        self.current, self.effort, self._wanted = model, effort, model.info.id
        self._breakers.pop(self._wanted, None)

    async def choose(self, name: str, effort: str | None) -> None:
        """A person's choice. Raises `UsageError` or `ConfigError`."""
        self.current = await self._open(name)
        self.effort = effort
        self._wanted = self.current.info.id
        self._breakers.pop(self._wanted, None)
        await self._hub.commit(ModelSwitched(model=self.current.info.id, effort=effort))

    async def begin(self) -> None:
        """A turn begins: go back towards the model a person chose, if it has rested. In mid-turn nobody goes back."""
        for name in (self._wanted, *self._fallback):
            if name == self.current.info.id:
                return
            breaker = self._breakers.get(name)
            if breaker is None or breaker.rests(self._clock.monotonic()):
                continue
            try:
                model = await self._open(name)
            except (UsageError, ModelError):
                continue
            await self._switch(model, f"recovered: {name} has rested", f"{name} is tried again")
            return

    @property
    def attempts(self) -> int:
        """How often the current model may be asked before another goes on."""
        breaker, now = self._breakers.get(self.current.info.id), self._clock.monotonic()
        on_trial = breaker is not None and breaker.on_trial
        ready = any(not self._breakers.get(name, Breaker()).rests(now) for name in self._others())
        return 1 if on_trial and ready else MOST_ATTEMPTS

    def answered(self, model: Model) -> None:
        """It gave a whole reply."""
        self._breakers.pop(model.info.id, None)

    async def fall_back(self, failed: Model, failure: Failure, used: int = 0) -> bool:
        """Go on with the next model of the chain, if this failure is one that another model may not have.

        `used` is how many tokens the conversation has been seen to take: a model that cannot hold it does not stand in.
        """
        from protea.domain.standing_in import helps, lost  # most models answer

        if not helps(failure):
            return False
        now = self._clock.monotonic()
        self._breakers[failed.info.id] = self._breakers.get(failed.info.id, Breaker()).failed(failure, now)
        if self.current is not failed:  # a person has chosen another one meanwhile
            return True
        for name in self._others():
            if self._breakers.get(name, Breaker()).rests(now):
                continue
            try:
                model = await self._open(name)
                _holds(model, used)
            except (UsageError, ModelError) as error:
                rest = Failure(kind="not_found", message=str(error))
                self._breakers[name] = self._breakers.get(name, Breaker()).failed(rest, now)
                self._hub.record(NoticeGiven(level="warning", text=f"{name} cannot stand in: {error}"))
                continue
            what = lost(failed.info, model.info)
            missing = f"; it lacks {', '.join(what)}" if what else ""
            await self._switch(
                model,
                f"fallback: {failed.info.id} failed ({failure.kind})",
                f"{failed.info.id} failed ({failure.message}); {model.info.id} goes on{missing}",
            )
            return True
        return False

    def _others(self) -> list[str]:
        """Who may stand in for the current one, in order."""
        return [name for name in dict.fromkeys((*self._fallback, self._wanted)) if name != self.current.info.id]

    async def _switch(self, model: Model, reason: str, told: str) -> None:
        self.current = model
        await self._hub.commit(
            ModelSwitched(model=model.info.id, effort=self.effort, reason=reason),
            NoticeGiven(level="warning", text=told),
        )

    async def _open(self, name: str) -> Model:
        model = await self._source.open(name)
        if self._priced:
            needs_price(model)
        return model


def _holds(model: Model, used: int) -> None:
    window = model.info.context
    if window is not None and used > window:
        raise UsageError(f"the conversation takes {used:,} tokens and its window is {window:,}")


def needs_price(model: Model) -> None:
    """Raises `UsageError` where the price of a model is not known, so that nobody could keep a budget."""
    if model.info.price is None and not is_own(model.info.id):
        provider, _, name = model.info.id.partition("/")
        raise UsageError(
            f"a budget needs the price of {model.info.id}, which is not known: give it in config.toml as "
            f'[providers.{provider}.models."{name}"] price = {{ input = …, output = … }}'
        )
