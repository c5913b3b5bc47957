"""What the offline model sets going besides its calls, and plans that are agreed to first. Pure; see `_steps`."""

from __future__ import annotations

from protea.adapters.models._steps import Call, Doing, Done, MissingError, Past, Tools, block, code, not_there, one
from protea.adapters.models._steps import carry_out as plainly
from protea.adapters.models._wanted import Propose, Run, Send, Step, Watch


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
    wanted = [(said, steps) for said, steps in step.items if said in given.text or "person edited it" not in given.text]
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
