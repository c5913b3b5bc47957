"""Hooks of one session: asked at their moments, what they say recorded and made into one answer.

Held by the session and the tool runner. Where no hook is about a moment, nothing happens and nothing is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from protea.application.approvals import Approvals
from protea.application.hub import Hub
from protea.application.undoing import Undoing
from protea.domain.events import ApprovalRequested, HookRan, PromptSubmitted
from protea.domain.hooks import HookAnswer, HookMoment, HookSaid, Moment, rewritable, rewritten, together
from protea.domain.messages import ToolCall

if TYPE_CHECKING:  # most runs have none
    from protea.ports.hooks import Hooks
    from protea.ports.ids import Ids

NOTHING = HookAnswer()
_YES, _NO = "yes", "no"
_QUESTIONS: dict[Moment, str] = {
    "after_tool": "May the model go on with this result?",
    "prompt": "Shall the prompt be sent?",
    "turn_end": "Is the work done?",
    "session_start": "May the session begin?",
    "before_compaction": "May the conversation be made smaller?",
}
"""What a person is asked where a hook wants it, by moment. Before a tool it is the question about the call."""


class HookRunner:
    """Asks the hooks in force at the moment."""

    def __init__(
        self,
        hub: Hub,
        hooks: Callable[[], Hooks | None],
        mode: Callable[[], str],
        cwd: str,
        *,
        approvals: Approvals,
        ids: Callable[[], Ids],
        undoing: Callable[[], Undoing | None] = lambda: None,
    ) -> None:
        self._hub = hub
        self._hooks = hooks
        self._mode = mode
        self._cwd = cwd
        self._approvals = approvals
        self._ids = ids
        self._undoing = undoing

    def want(self, moment: Moment) -> bool:
        """Whether any hook is about a moment that no tool has to do with."""
        hooks = self._hooks()
        return hooks is not None and hooks.wants(moment)

    async def ask(
        self, moment: Moment, tool: str | None = None, call_id: str | None = None, prompt: str = "", **more: Any
    ) -> HookAnswer:
        """What the hooks of a moment amount to, once they are in the log. `more` are fields of `HookMoment`.

        Where they want a person asked, it is the person's answer, `allow` or `deny`; before a tool it stays `ask`, for
        what the rules say is not known yet.
        """
        hooks = self._hooks()
        if hooks is None or not hooks.wants(moment, tool):
            return NOTHING
        told = HookMoment(moment=moment, session=self._hub.session, cwd=self._cwd, mode=self._mode(), tool=tool, **more)
        said = await self._run(hooks, told)
        ran: list[HookRan] = []
        for each in said:
            if replace(each, hook="") != _SILENT:
                ran.append(_ran(told, call_id, prompt, each))
            told = rewritten(told, each)
        if ran:
            self._hub.record(*ran)
        answer = together(said)
        asks = answer.verdict == "ask" and moment in _QUESTIONS
        return await self._put_to_a_person(answer, moment) if asks else answer

    async def _run(self, hooks: Hooks, told: HookMoment) -> Sequence[HookSaid]:
        """What formats a file behind the call that wrote it is taken back together with what the call wrote."""
        undoing = self._undoing()
        if told.moment not in _CHANGE_FILES or undoing is None or not undoing.changed:
            return await hooks.run(told)
        async with undoing.around_program(told.arguments or {}, self._cwd):
            return await hooks.run(told)

    def tell(self, text: str) -> None:
        """Let the model read what a hook wants it to know, with its next request."""
        if text:
            told = PromptSubmitted(id=self._ids().short("p"), text=f"[hook] {text}", delivery="steer", origin="hook")
            self._hub.record(told)

    async def _put_to_a_person(self, said: HookAnswer, moment: Moment) -> HookAnswer:
        id, question = self._ids().short("a"), _QUESTIONS[moment]
        why = f"The hook {said.hook} asks" + (f": {said.why.rstrip()}" if said.why else ".")
        call = ToolCall(id=id, name="Hook", arguments={"question": question})
        asked = ApprovalRequested(id=id, call=call, why=f"{why}\n{question}", kind="question", proposals=(_YES, _NO))
        answer = await self._approvals.ask(asked)
        if answer.by == "policy" and moment == "turn_end":
            return replace(said, verdict="allow")  # going on without an end helps nobody
        comment = (answer.comment or "").strip()
        if answer.decision != "deny" and comment.casefold() in ("", _YES, "y"):
            return replace(said, verdict="allow")
        who = "nobody was there to answer" if answer.by == "policy" else "the person said no"
        own = f"{who}: {comment}" if comment and comment.casefold() not in (_NO, "n") else who
        return replace(said, verdict="deny", why=f"{said.why.rstrip('. ')}; {own}" if said.why else own)


_CHANGE_FILES: tuple[Moment, ...] = ("after_tool", "turn_end")
"""Where hooks do what belongs to the work of the turn."""
_SILENT = HookSaid(hook="")
_NOWHERE_ELSE: tuple[Moment, ...] = ("after_tool", "before_compaction")
"""What is rewritten at these moments stands in no other event."""


def _ran(told: HookMoment, call_id: str | None, prompt: str, said: HookSaid) -> HookRan:
    return HookRan(
        hook=said.hook,
        moment=told.moment,
        call_id=call_id,
        verdict=said.verdict,
        why=said.why,
        arguments=said.arguments,
        prompt=prompt,
        text=said.text,
        was=rewritable(told) if said.text is not None and told.moment in _NOWHERE_ELSE else "",
        context=said.context,
        failed=said.failed,
    )
