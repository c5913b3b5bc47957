"""Hooks of one session: asked at their moments, what they say recorded and made into one answer.

Held by the session and the tool runner. Where no hook is about a moment, nothing happens and nothing is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from protea.application.hub import Hub
from protea.domain.events import HookRan, PromptSubmitted
from protea.domain.hooks import HookAnswer, HookMoment, HookSaid, Moment, together

if TYPE_CHECKING:  # most runs have none
    from protea.ports.hooks import Hooks
    from protea.ports.ids import Ids

NOTHING = HookAnswer()


class HookRunner:
    """Asks the hooks in force at the moment."""

    def __init__(self, hub: Hub, hooks: Callable[[], Hooks | None], mode: Callable[[], str], cwd: str) -> None:
        self._hub = hub
        self._hooks = hooks
        self._mode = mode
        self._cwd = cwd

    async def ask(self, moment: Moment, tool: str | None = None, call_id: str | None = None, **more: Any) -> HookAnswer:
        """What the hooks of a moment amount to, once they are in the log. `more` are fields of `HookMoment`."""
        hooks = self._hooks()
        if hooks is None or not hooks.wants(moment, tool):
            return NOTHING
        told = HookMoment(moment=moment, session=self._hub.session, cwd=self._cwd, mode=self._mode(), tool=tool, **more)
        said = await hooks.run(told)
        ran = [_ran(moment, call_id, each) for each in said if replace(each, hook="") != _SILENT]
        if ran:
            self._hub.record(*ran)
        return together(said)

    def tell(self, ids: Ids, text: str) -> None:
        """Let the model read what a hook wants it to know, with its next request."""
        if text:
            told = PromptSubmitted(id=ids.short("p"), text=f"[hook] {text}", delivery="steer", origin="hook")
            self._hub.record(told)


_SILENT = HookSaid(hook="")


def _ran(moment: Moment, call_id: str | None, said: HookSaid) -> HookRan:
    return HookRan(
        hook=said.hook,
        moment=moment,
        call_id=call_id,
        verdict=said.verdict,
        why=said.why,
        arguments=said.arguments,
        context=said.context,
        failed=said.failed,
    )
