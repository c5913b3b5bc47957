"""What the offline model sets going besides its calls, and plans that are agreed to first. Pure; see `_carrying`."""

from __future__ import annotations

from protea.adapters.models._carrying import (
    Call,
    Doing,
    Done,
    MissingError,
    Past,
    Tools,
    block,
    code,
    not_there,
    one,
)
from protea.adapters.models._grammar import read
from protea.adapters.models._steps import carry_out as plainly
from protea.adapters.models._steps import unclear
from protea.adapters.models._wanted import Propose, Run, Send, Step, Watch
from protea.domain.plan import edited_in, items_of


def carry_out(step: Step, tools: Tools, past: Past, following: Step | None) -> Doing:
    """As in `_steps`, with those that need this module."""
    try:
        match step:
            case Run(command, True):
                return (yield from _run_behind(command, tools))
            case Watch():
                return (yield from _watch(step, tools))
            case Send():
                return (yield from _send(step, tools))
            case Propose():
                return (yield from _propose(step, tools, past))
            case _:
                return (yield from plainly(step, tools, past, following))
    except MissingError as missing:
        return not_there(missing)


def _watch(step: Watch, tools: Tools) -> Doing:
    wanted = {"command": step.command, "pattern": step.pattern}
    if not tools.knows("Monitor") and tools.knows("ToolSearch", "query"):
        found = one((yield (tools.call("ToolSearch", {"query": "Monitor"}),)))
        if "Monitor" not in found.text:
            raise MissingError("Monitor")
        call = Call("Monitor", wanted)
    else:
        call = tools.call("Monitor", wanted)
    given = one((yield (call,)))
    return Done(given.text.strip() or "It is watched.", given.is_error)


def _run_behind(command: str, tools: Tools) -> Doing:
    given = one((yield (tools.call("Bash", {"command": command, "background": True}),)))
    return Done(f"{code(command)} in the background:\n{block(given.text)}", given.is_error)


def _send(step: Send, tools: Tools) -> Doing:
    given = one((yield (tools.call("Agent", {"prompt": step.prompt}, name=step.name, background=step.behind or None),)))
    said = given.text.strip() or "(nothing)"
    return Done(said if step.behind else f"The agent brought:\n\n{said}", given.is_error)


def _propose(step: Propose, tools: Tools, past: Past) -> Doing:
    """The plan, and once it is agreed to, one step after the other, with the list kept as it goes."""
    plan = "\n".join(f"{place}. {said}" for place, (said, _) in enumerate(step.items, 1))
    given = one((yield (tools.call("ProposePlan", {"plan": plan}),)))
    if given.is_error:
        return Done(f"{given.text.strip()}\n\n{plan}".strip(), failed=True)
    wanted, lost = _edited(step, given.text)
    if lost:
        return Done(f"{unclear(lost)}\n\nThe plan as you edited it stays pinned.", failed=True)
    texts: list[str] = []
    for place, (said, steps) in enumerate(wanted):
        for each in steps:
            done = yield from carry_out(each, tools, past, None)
            texts.append(done.text)
            if done.failed:
                return Done("\n\n".join([*texts, f"I stopped at “{said}”."]), failed=True)
        items = [{"text": text, "status": "done" if at <= place else "pending"} for at, (text, _) in enumerate(wanted)]
        yield (tools.call("TodoWrite", {"items": items}),)
    return Done("\n\n".join([*texts, "The plan is carried out."]))


_Items = tuple[tuple[str, tuple[Step, ...]], ...]


def _edited(step: Propose, told: str) -> tuple[_Items, list[str]]:
    """What there is to be done of a plan that was agreed to, as the person edited it; and which of it makes no sense
    here. Items that were left as they were need not be read again: long ones are not written out in the plan."""
    plan = edited_in(told)
    if plan is None:
        return step.items, []
    proposed = dict(step.items)
    items, lost = [], []
    for said in items_of(plan) or [plan]:
        steps = proposed.get(said) or tuple(each for each, _ in read(said).steps)
        if not steps or any(isinstance(each, Propose) for each in steps):
            lost.append(said)
        items.append((said, steps))
    return tuple(items), lost
