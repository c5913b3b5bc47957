"""Runs the tool calls of one reply: validate, decide, ask, execute; each step an event, results in the model's order.

Called by `turn`. Calls that only read run side by side; all others one after another, in the model's order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from protea.application.approvals import Approvals
from protea.application.auditing import AuditError, Books
from protea.application.hooks import HookRunner
from protea.application.hub import Hub
from protea.application.undoing import Undoing
from protea.domain.errors import StoreError
from protea.domain.events import TodoChanged, ToolCallChanged
from protea.domain.hooks import decided
from protea.domain.messages import ToolCall
from protea.domain.permission import Decision, PermissionRequest
from protea.domain.spelling import nearest
from protea.domain.tools import ENDED, CallState, Taint, ToolResult, ToolSpec
from protea.ports.ids import Ids
from protea.ports.permission import Permission
from protea.ports.toolset import Beside, Tool, Toolset

if TYPE_CHECKING:  # loaded with the first call; most sessions keep no audit
    from protea.application.running_call import RunningCall, Writes
    from protea.ports.audit import Audit

CANCELLED = ToolResult(text="Cancelled before it finished.", is_error=True)
STOPPED = ToolResult(text="The person stopped this call.", is_error=True)


class Planned(msgspec.Struct, frozen=True):
    """A call that was looked at and can be run."""

    call: ToolCall
    tool: Tool
    arguments: dict[str, Any]


class ToolRunner:
    """What calls need to run. One per session; one `run` at a time."""

    def __init__(
        self,
        *,
        toolsets: Sequence[Toolset],
        permission: Permission,
        approvals: Approvals,
        hub: Hub,
        ids: Ids,
        request: Callable[[str, dict[str, Any], str | None], PermissionRequest],
        output_folder: Callable[[], str],
        hooks: HookRunner,
        undoing: Undoing | None = None,
        audit: Callable[[], Audit | None] | None = None,
        now: Callable[[], str] = str,
        beside: Callable[[str], Beside] | None = None,
    ) -> None:
        self.toolsets = tuple(toolsets)
        self.permission = permission
        self._approvals = approvals
        self._hub = hub
        self._ids = ids
        self._request = request
        """(tool, arguments, cwd of its toolset) → what the engine is asked."""
        self._output_folder = output_folder
        self._hooks = hooks
        self._undoing = undoing
        self._audit = audit
        self._now = now
        self._beside = beside
        self._kept: dict[str, tuple[str, tuple[Taint, ...]]] = {}
        """What there is of calls that were cancelled."""
        self._states: dict[str, tuple[ToolCall, CallState]] = {}
        self._tasks: dict[str, asyncio.Task[ToolResult]] = {}
        self._leaving: dict[str, list[asyncio.Event]] = {}
        """Calls that could go on behind the turn → what is set for each of its parts once they are to."""
        self._stopped: set[str] = set()
        """Calls a person has ended, whether or not they have begun."""
        self._declared: dict[str, tuple[str, ...]] = {}
        """Skills that were read in this turn, or the command it comes from, that say which tools they need."""
        self._parents: dict[str, str] = {}
        """Calls that are parts of another → that one."""

    def use(
        self, toolsets: Sequence[Toolset], permission: Permission, ids: Ids, undoing: Undoing | None = None
    ) -> None:
        """Go on with others. Only while no calls run."""
        self.toolsets, self.permission, self._ids, self._undoing = tuple(toolsets), permission, ids, undoing

    @property
    def running(self) -> tuple[str, ...]:
        """The tools whose calls have begun and not ended."""
        return tuple(call.name for call, state in self._states.values() if state not in ENDED)

    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools a request tells the model of."""
        return tuple(spec for spec in self.all_specs() if not spec.deferred)

    def all_specs(self) -> tuple[ToolSpec, ...]:
        """Those and the ones it has to look for."""
        return tuple(spec for toolset in self.toolsets for spec in toolset.specs())

    def begin_turn(self, command: str = "", only: Sequence[str] = ()) -> None:
        """What held for the turn before holds no longer. `only` are the tools that the slash command it comes from says
        it needs."""
        self._declared.clear()
        if only:
            self._declared[command] = tuple(only)

    def beside(self, call_id: str) -> Beside | None:
        """What a call can set going besides itself."""
        return self._beside(call_id) if self._beside is not None else None

    def keep(self, call_id: str, text: str, taint: Sequence[Taint] = ()) -> None:
        """What there is of a call that is being cancelled, and whose words that brings: its result will say it."""
        self._kept[call_id] = text, tuple(taint)

    def call(self, call_id: str) -> ToolCall | None:
        """A call of this reply, or a part of one."""
        state = self._states.get(call_id)
        return state[0] if state is not None else None

    async def once_more(self, call: ToolCall, beside: Beside, *, agreed: bool) -> ToolResult:
        """Run a call that was permitted and run before, outside of any turn and unrecorded: to bring back what it had
        set going behind it. What is denied, by rules or by a hook, or would change what plan mode leaves alone, is not
        run; what would be asked is not asked again, and runs only where a person has `agreed` to it before. Never
        raises for what goes wrong in it."""
        planned = self._look_at(call)
        if not isinstance(planned, Planned):
            return ToolResult(planned, is_error=True)
        spec = planned.tool.spec
        said = await self._hooks.ask("before_tool", spec.name, call.id, arguments=planned.arguments)
        request = self._asked(planned)
        decision = decided(self.permission.decide(request), said)
        writes = _writes(spec, request, decision)
        if decision.verdict == "deny":
            return ToolResult(f"It is not allowed now: {decision.why}", is_error=True)
        if said.arguments is not None:
            return ToolResult("It is not allowed now: a hook wants other arguments", is_error=True)
        if writes is None:
            return ToolResult("It is not allowed now: plan mode", is_error=True)
        if decision.verdict == "ask" and not agreed:
            return ToolResult(
                f"It would be asked about now, and nobody was asked before: {decision.why}", is_error=True
            )
        audit = self._audit() if self._audit is not None else None
        books = Books(audit, self._now, self._hub.session, call.id, request)
        try:
            books.decided(decision)
            books.runs()
            from protea.application.running_call import Again, contained  # after a crash, or where a person asks

            context = Again(self, self._hub, call.id, None, self._output_folder, self._may_read, writes)
            context.set_going = beside
            return await contained(planned.tool.run(planned.arguments, context))
        except AuditError as error:
            return ToolResult(f"Nothing was run: {error}.", is_error=True)
        except Exception as fault:  # the tool's own; see `_run_one`
            return ToolResult(f"{call.name} failed: {type(fault).__name__}: {fault}", is_error=True)

    def cwd(self) -> str | None:
        """Where relative paths of the next calls begin, if a toolset keeps a directory of its own."""
        return next((toolset.cwd for toolset in self.toolsets if toolset.cwd is not None), None)

    async def run(self, calls: Sequence[ToolCall]) -> list[tuple[ToolCall, ToolResult]]:
        """Run all calls and return their results in the order given.

        Cancelled, it first ends every call (and what it started) and records each as cancelled. Raises `StoreError`
        where what happens cannot be recorded; everything has been ended by then as well.
        """
        self._states.clear()
        self._stopped.clear()
        self._parents.clear()
        self._kept.clear()
        results: dict[str, ToolResult] = {}
        plans = self._plan(calls, results)
        try:
            for batch in _batches(plans):
                await self._run_batch(batch, results)
        except StoreError:
            raise  # the next process that opens the log ends what is open in it
        except BaseException:
            unfinished = [call for call, state in self._states.values() if state not in ENDED]
            if unfinished:
                self._record(*(self._cancelled(call) for call in unfinished))
            raise
        return [(call, results[call.id]) for call in calls]

    def _cancelled(self, call: ToolCall) -> ToolCallChanged:
        return ToolCallChanged(call=call, state="cancelled", result=self._with_kept(call, CANCELLED))

    def _with_kept(self, call: ToolCall, result: ToolResult) -> ToolResult:
        kept, taint = self._kept.pop(call.id, ("", ()))
        return replace(result, text=f"{result.text}\n{kept}", taint=(*result.taint, *taint)) if kept else result

    def stop(self, call_id: str) -> bool:
        """End one call, running or waiting for its turn; the others go on. False where there is none to end."""
        state = self._states[call_id][1] if call_id in self._states else "error"
        if state in ENDED:
            return False
        task = self._tasks.get(call_id)
        # Once only: a second cancellation would break off its clean-up. One that has not begun sees it when it does.
        if task is not None and state != "scheduled" and call_id not in self._stopped:
            task.cancel()
        self._stopped.add(call_id)
        return True

    def let_go_on(self, call_id: str | None) -> str:
        """Let a call go on behind the turn, None: the last that can. Why none can, empty where one does."""
        wanted = [id for id in self._leaving if call_id in (None, id) and not self._has_parts(id)]
        for asked in self._leaving[wanted[-1]] if wanted else ():
            asked.set()
        return "" if wanted else "; ".join(self._why_they_stay(call_id)) or "no call runs"

    def _has_parts(self, call_id: str) -> bool:
        return call_id in self._parents.values()

    def _why_they_stay(self, call_id: str | None) -> Iterator[str]:
        from protea.application.leaving import stays  # when somebody asks

        for id, (call, state) in self._states.items():
            if state in ENDED or call_id not in (None, id):
                continue
            found = self._find(call.name)
            if state == "awaiting_approval":
                why = "it waits for your answer"
            elif self._has_parts(id):
                why = "the calls it makes are part of this turn"
            elif state != "executing":
                why = "it has not begun"
            else:
                why = (stays(found[0]) if found is not None else "") or "it is nearly done"
            yield f"{call.name}: {why}"

    async def let_go(self, call_id: str) -> None:
        """See `Beside.let_go`."""
        asked = asyncio.Event()
        self._leaving.setdefault(call_id, []).append(asked)
        try:
            await asked.wait()
        finally:
            self._leaving[call_id].remove(asked)
            if not self._leaving[call_id]:
                del self._leaving[call_id]

    def _plan(self, calls: Sequence[ToolCall], results: dict[str, ToolResult]) -> list[Planned]:
        changes: list[ToolCallChanged] = [ToolCallChanged(call=call, state="validating") for call in calls]
        plans = []
        for call in calls:
            planned = self._look_at(call)
            if isinstance(planned, Planned):
                plans.append(planned)
                changes.append(ToolCallChanged(call=call, state="scheduled"))
            else:
                results[call.id] = ToolResult(text=planned, is_error=True)
                changes.append(ToolCallChanged(call=call, state="error", result=results[call.id]))
        self._record(*changes)
        return plans

    def _look_at(self, call: ToolCall) -> Planned | str:
        """What to run, or why not."""
        found = self._find(call.name)
        if found is None:
            from protea.domain.delegation import FOREIGN_TOOLS  # few calls are of a tool there is not

            names = [spec.name for spec in self.specs()]
            every = [spec.name for spec in self.all_specs()]
            other = FOREIGN_TOOLS.get(call.name, "")
            near = other if other in every else nearest(call.name, every)
            hint = f" Did you mean {near}?" if near else ""
            return f"There is no tool named {call.name}.{hint} There are: {', '.join(names)}."
        spec, toolset = found
        if not isinstance(call.arguments, dict):
            return (
                f"The arguments of {call.name} are not a JSON object, so it was not run. Send the call again "
                f"with complete, valid JSON. What arrived: {(call.arguments_text or '')[:500]}"
            )
        arguments = {spec.aliases.get(name, name): value for name, value in call.arguments.items()}
        if len(arguments) < len(call.arguments):
            return f"Two of the arguments of {spec.name} mean the same, so it was not run. Send one of them."
        known = spec.parameters.get("properties")
        if known and "additionalProperties" not in spec.parameters:
            # What the tool does not know it does not use: nobody is to decide by it, or to be shown it.
            arguments = {name: value for name, value in arguments.items() if name in known}
        if mistakes := _mistakes(arguments, spec):
            from protea.domain.schema import fitted

            arguments = fitted(arguments, spec.parameters)
            mistakes = _mistakes(arguments, spec)
        if mistakes:
            return f"The arguments of {spec.name} are wrong, so it was not run:{mistakes}"
        try:
            tool = toolset.tool(spec.name)
        except Exception as fault:  # opening it may import what is broken: that is this tool's fault, not the turn's
            return f"{spec.name} cannot be opened: {type(fault).__name__}: {fault}"
        return f"{spec.name} is not available now." if tool is None else Planned(call, tool, arguments)

    def _find(self, name: str) -> tuple[ToolSpec, Toolset] | None:
        """By its name, else by its name in another case, where only one tool has it."""
        for toolset in self.toolsets:
            for spec in toolset.specs():
                if spec.name == name:
                    return spec, toolset
        loose = [
            (spec, toolset)
            for toolset in self.toolsets
            for spec in toolset.specs()
            if spec.name.lower() == name.lower()
        ]
        return loose[0] if len(loose) == 1 else None

    async def run_part(self, parent: str, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Run a call that is a part of the running call `parent`; see `ToolContext.call`."""
        if parent in self._parents and self._parents[parent] in self._parents:
            return ToolResult(text="A part of a part of a call cannot have parts itself.", is_error=True)
        number = sum(known == parent for known in self._parents.values()) + 1
        call = ToolCall(id=f"{parent}.{number}", name=name, arguments=dict(arguments))
        self._parents[call.id] = parent
        results: dict[str, ToolResult] = {}
        plans = self._plan([call], results)
        if not plans:
            return results[call.id]
        try:
            result = await self._run_one(plans[0])
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # it had done its work by then; what follows is not begun
                raise asyncio.CancelledError
            return result
        except asyncio.CancelledError:
            if self._states[call.id][1] not in ENDED:
                self._end(call, "cancelled", self._with_kept(call, CANCELLED))
            raise

    async def _run_batch(self, batch: Sequence[Planned], results: dict[str, ToolResult]) -> None:
        tasks = {
            planned.call.id: asyncio.create_task(self._run_one(planned), name=f"tool {planned.call.name}")
            for planned in batch
        }
        self._tasks = tasks
        try:
            await asyncio.wait(tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await self._end_all(tasks)
            self._tasks = {}
            for task in tasks.values():
                if not task.cancelled() and (failure := task.exception()) is not None:
                    raise failure
        for call_id, task in tasks.items():
            results[call_id] = task.result()

    async def _end_all(self, tasks: dict[str, asyncio.Task[ToolResult]]) -> None:
        """Tell those that still run to end, once, and wait until they have."""
        for call_id, task in tasks.items():
            if call_id not in self._stopped:
                task.cancel()
        while any(not task.done() for task in tasks.values()):
            # A second interrupt must not leave a child process behind: wait for the clean-up all the same.
            with suppress(asyncio.CancelledError):
                await asyncio.wait(tasks.values())

    async def _run_one(self, planned: Planned) -> ToolResult:
        call = planned.call
        if call.id in self._stopped:
            return self._end(call, "cancelled", STOPPED)
        try:
            result = await self._permit_and_run(planned)
        except asyncio.CancelledError:
            if call.id in self._stopped:
                return self._end(call, "cancelled", self._with_kept(call, STOPPED))
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody has cancelled this task: something inside the tool was, which is the tool's own fault.
            result = ToolResult(text=f"{call.name} failed: something it waited for was cancelled", is_error=True)
        except StoreError:
            raise
        except Exception as fault:  # the tool's own fault must not end the turn: the model is told, and goes on
            result = ToolResult(text=f"{call.name} failed: {type(fault).__name__}: {fault}", is_error=True)
        return self._end(call, "error" if result.is_error else "success", result)

    async def _permit_and_run(self, planned: Planned) -> ToolResult:
        call, tool = planned.call, planned.tool
        said = await self._hooks.ask("before_tool", tool.spec.name, call.id, arguments=planned.arguments)
        if said.arguments is not None:
            if mistakes := _mistakes(said.arguments, tool.spec):
                return ToolResult(f"A hook rewrote the arguments of {tool.spec.name} wrongly:{mistakes}", is_error=True)
            planned = replace(planned, arguments=said.arguments)
        request = self._asked(planned)
        decision = decided(self.permission.decide(request), said)
        if self._declared:
            from protea.domain.skill import narrowed  # few skills declare anything

            decision = narrowed(decision, tool.spec, self._declared, interactive=request.interactive)
        audit = self._audit() if self._audit is not None else None
        books = Books(audit, self._now, self._hub.session, call.id, request)
        try:
            books.decided(decision)
            answer = await self._permit(planned, decision, books)
            if isinstance(answer, ToolResult):
                return answer
            if decision.scripts and self._changed(planned, decision):
                names = ", ".join(decision.scripts)
                text = f"Nothing was run: {names} changed while the question was open. Send the call again."
                return ToolResult(text=text, is_error=True)
            books.runs()
        except AuditError as error:
            # What nobody could look up later does not happen.
            return ToolResult(text=f"Nothing was run: {error}.", is_error=True, denied=str(error))
        writes = _writes(tool.spec, request, decision)
        if writes is None:
            text = "Plan mode: nothing may be changed, whatever was allowed. Put it into the plan instead."
            return ToolResult(text=text, is_error=True, denied="plan mode")
        self._record(ToolCallChanged(call=call, state="executing"))
        from protea.application.running_call import RunningCall  # with the first call

        context = RunningCall(self, self._hub, call.id, answer, self._output_folder, self._may_read, writes)
        harmless = decision.harmless or writes != "kept"
        if self._undoing is None:
            result = await self._followed(planned, context)
        else:
            async with self._undoing.around(tool.spec, planned.arguments, self.cwd() or "/", harmless=harmless):
                result = await self._followed(planned, context)
        if result.only and not result.is_error:
            self._declared[str(planned.arguments.get("name", tool.spec.name))] = result.only
        if answer and "ask" not in tool.spec.effects:
            result = replace(result, text=f"{result.text.rstrip()}\n[The person allowed this and said: {answer}]")
        return await self._looked_over(planned, result, said.context)

    async def _followed(self, planned: Planned, context: RunningCall) -> ToolResult:
        """Run a call to its end, or until a person lets it go on behind the turn."""
        from protea.application import leaving  # with the first call
        from protea.application.running_call import contained

        call, spec, run = planned.call, planned.tool.spec, contained(planned.tool.run(planned.arguments, context))
        if self._beside is None or spec.name in leaving.THEMSELVES or leaving.stays(spec):
            return await run

        async def leave(running: asyncio.Future[ToolResult]) -> ToolResult:
            beside = self.beside(call.id)
            assert beside is not None
            context.left = True
            return await leaving.become_task(
                running,
                call,
                spec,
                beside,
                lambda result: self._looked_over(planned, result, ""),
            )

        return await leaving.followed(asyncio.ensure_future(run), lambda: self.let_go(call.id), leave)

    async def _looked_over(self, planned: Planned, result: ToolResult, told: str) -> ToolResult:
        """The result, with what hooks have to say of it."""
        name, arguments = planned.tool.spec.name, planned.arguments
        after = await self._hooks.ask(
            "after_tool",
            name,
            planned.call.id,
            arguments=arguments,
            result=result.text,
            failed=result.is_error,
        )
        words = [text for text in (told, after.context) if text]
        if after.verdict == "deny":
            words.append(f"The hook {after.hook} objects: {after.why or 'this must not stay as it is'}")
        if after.text is not None:
            result = replace(result, text=after.text)
        if not words:
            return result
        text = "\n".join([result.text.rstrip("\n"), *(f"[hook] {each}" for each in words)])
        return replace(result, text=text, is_error=result.is_error or after.verdict == "deny")

    def _changed(self, planned: Planned, decision: Decision) -> bool:
        """Whether a script is no longer the one that was asked about."""
        now = self.permission.decide(self._asked(planned))
        return now.verdict != "allow" and now.scripts != decision.scripts

    def _asked(self, planned: Planned) -> PermissionRequest:
        found = self._find(planned.call.name)
        return self._request(planned.tool.spec.name, planned.arguments, found[1].cwd if found else None)

    async def _permit(self, planned: Planned, decision: Decision, books: Books) -> str | ToolResult | None:
        """What a person answered (often nothing), or the refusal the model gets."""
        call, spec = planned.call, planned.tool.spec
        asks = "ask" in spec.effects
        if decision.verdict == "deny":
            return ToolResult(text=f"Not allowed: {decision.why}", is_error=True, denied=decision.rule or decision.why)
        if decision.verdict == "allow" and not asks:
            return None
        from protea.domain import question  # most calls are not asked about

        found = None if asks else self._find(call.name)
        diff = None if found is None else await self._preview(found[1], spec.name, planned.arguments)
        # What is asked about is what would run: the tool by its own name, the arguments as it takes them.
        exact = replace(call, name=spec.name, arguments=planned.arguments)
        if asks and (why := question.unaskable(exact)):
            return ToolResult(why, is_error=True)
        asked = question.question_about(self._ids.short("a"), exact, decision, diff, asks=asks)
        self._record(ToolCallChanged(call=call, state="awaiting_approval"))
        answer = await self._approvals.ask(asked)
        books.answered(answer)
        if answer.decision != "deny":
            return answer.comment
        if asked.kind == "plan":
            return question.other_plan(answer)
        return None if asks else question.refusal(answer)

    async def _preview(self, toolset: Toolset, tool: str, arguments: dict[str, Any]) -> str | None:
        try:
            return await toolset.preview(tool, arguments, self._may_read)
        except Exception:  # the question is asked all the same, with the arguments alone
            return None

    def _may_read(self, path: str) -> bool:
        return self.permission.decide(self._request("Read", {"path": path}, None)).verdict == "allow"

    def _end(self, call: ToolCall, state: CallState, result: ToolResult) -> ToolResult:
        told = () if result.todo is None else (TodoChanged(items=result.todo),)
        result = replace(result, todo=None)
        self._record(*told, ToolCallChanged(call=call, state=state, result=result))
        return result

    def _record(self, *changes: TodoChanged | ToolCallChanged) -> None:
        parents = self._parents
        events = [
            replace(event, parent=parents[event.call.id])
            if isinstance(event, ToolCallChanged) and event.call.id in parents
            else event
            for event in changes
        ]
        self._hub.record(*events)
        for event in events:
            if isinstance(event, ToolCallChanged):
                self._states[event.call.id] = (event.call, event.state)


def _writes(spec: ToolSpec, request: PermissionRequest, decision: Decision) -> Writes | None:
    """What becomes of what the call writes; None where it must not run at all."""
    if request.mode != "plan":
        return "kept"
    from protea.domain.permission.effects import left_in_plan_mode  # few calls are made in plan mode

    return left_in_plan_mode(spec, request, decision)


def _mistakes(arguments: dict[str, Any], spec: ToolSpec) -> str:
    """What is wrong with the arguments of a call, a line each."""
    from protea.domain.schema import problems  # with the first call

    return "".join(f"\n- {each}" for each in problems(arguments, spec.parameters))


def _batches(plans: Sequence[Planned]) -> Iterator[list[Planned]]:
    """Neighbouring parallel calls together, every other call alone."""
    batch: list[Planned] = []
    for planned in plans:
        parallel = planned.tool.spec.parallel
        if batch and not parallel:
            yield batch
            batch = []
        batch.append(planned)
        if not parallel:
            yield batch
            batch = []
    if batch:
        yield batch
