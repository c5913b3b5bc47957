"""The model a session speaks to, and those that stand in for it. Held by `session`, asked by `turn`."""

from __future__ import annotations

from collections.abc import Sequence

from protea.application.hub import Hub
from protea.domain.errors import Failure, ModelError, UsageError
from protea.domain.events import ModelSwitched, NoticeGiven
from protea.domain.providers import is_own
from protea.domain.standing_in import helps, lost
from protea.ports.model import Model
from protea.ports.model_source import ModelSource


class Lineup:
    """One model at a time; a switch is always in the log, with its reason and with what is lost by it."""

    def __init__(
        self,
        model: Model,
        fallback: Sequence[str],
        source: ModelSource,
        hub: Hub,
        *,
        effort: str | None = None,
        priced: bool = False,
    ) -> None:
        self.current = model
        self.effort = effort
        self._priced = priced
        """Whether only models with a known price will do: a budget must be kept."""
        self._fallback = list(fallback)
        self._source = source
        self._hub = hub
        self._failed: set[str] = set()
        """Models that failed in this session: none of them is asked again unless a person chooses it."""

    async def choose(self, name: str, effort: str | None) -> None:
        """A person's choice. Raises `UsageError` or `ConfigError`."""
        self.current = await self._open(name)
        self.effort = effort
        self._failed.discard(self.current.info.id)
        await self._hub.commit(ModelSwitched(model=self.current.info.id, effort=effort))

    async def fall_back(self, failed: Model, failure: Failure) -> bool:
        """Go on with the next model of the chain, if this failure is one that another model may not have."""
        if not helps(failure):
            return False
        self._failed.add(failed.info.id)
        if self.current is not failed:  # a person has chosen another one meanwhile
            return True
        for name in self._fallback:
            if name in self._failed:
                continue
            try:
                model = await self._open(name)
            except (UsageError, ModelError) as error:
                self._failed.add(name)
                self._hub.record(NoticeGiven(level="warning", text=f"{name} cannot stand in: {error}"))
                continue
            self.current = model
            what = lost(failed.info, model.info)
            missing = f"; it lacks {', '.join(what)}" if what else ""
            reason = f"fallback: {failed.info.id} failed ({failure.kind})"
            await self._hub.commit(
                ModelSwitched(model=model.info.id, effort=self.effort, reason=reason),
                NoticeGiven(
                    level="warning",
                    text=f"{failed.info.id} failed ({failure.message}); {model.info.id} goes on{missing}",
                ),
            )
            return True
        return False

    async def _open(self, name: str) -> Model:
        model = await self._source.open(name)
        if self._priced:
            needs_price(model)
        return model


def needs_price(model: Model) -> None:
    """Raises `UsageError` where the price of a model is not known, so that nobody could keep a budget."""
    if model.info.price is None and not is_own(model.info.id):
        provider, _, name = model.info.id.partition("/")
        raise UsageError(
            f"a budget needs the price of {model.info.id}, which is not known: give it in config.toml as "
            f'[providers.{provider}.models."{name}"] price = {{ input = …, output = … }}'
        )
