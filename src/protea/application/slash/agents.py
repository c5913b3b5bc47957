"""What works besides the turn: `/agents`, `/race`, `/tasks`."""

from __future__ import annotations

from typing import Any

from protea.application.slash.call import Answer, Call, first_line
from protea.domain.columns import table
from protea.domain.commands import ResumeTask, Steer, StopTask, SubmitPrompt
from protea.domain.errors import UsageError
from protea.domain.spelling import nearest


async def agents(call: Call) -> Answer:
    named: list[dict[str, Any]] = await call.gateway.describe("agents", call.session)
    problems: list[str] = (await call.about())["agent_problems"]
    rows = ([each["name"], first_line(each["about"], 70), each["model"] or each["profile"]] for each in named)
    left_out = "".join(f"left out: {problem}\n" for problem in problems)
    return Answer((table(None, rows) or "No agent has a name.\n") + left_out, {"agents": named, "problems": problems})


async def race(call: Call) -> Answer:
    from protea.domain.racing import arguments_of, runner_of  # raced now and then

    asked = arguments_of(call.rest)
    known = [each["name"] for each in await call.gateway.describe("profiles", call.session)]
    for runner in map(runner_of, asked.get("runners", ())):
        if runner.profile and runner.profile not in known:
            near = nearest(runner.profile, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"there is no profile {runner.profile!r} to race; {hint}; a model is PROVIDER/MODEL")
    text = f"/race {call.rest}"
    await call.gateway.submit(call.session, SubmitPrompt(text=text, origin="race", by=call.by))
    return Answer()


async def tasks(call: Call) -> Answer:
    word, _, rest = call.rest.partition(" ")
    id, _, text = rest.strip().partition(" ")
    if word in ("show", "stop", "steer", "resume") and not id:
        raise UsageError(f"/tasks {word} takes the id of a task; /tasks alone lists them")
    match word:
        case "":
            pass
        case "show":
            return _shown(await _task(call, id))
        case "stop":
            await call.gateway.submit(call.session, StopTask(id=id, by=call.by))
            return Answer()
        case "steer":
            await _steer(call, await _task(call, id), text)
            return Answer()
        case "resume":
            await call.gateway.submit(call.session, ResumeTask(id=id, text=text, by=call.by))
            return Answer()
        case _:
            raise UsageError(f"/tasks takes nothing, or show, stop, steer or resume and an id, not {call.rest!r}")
    tasks = await call.gateway.describe("tasks", call.session)
    rows = ([each["id"], each["state"], each["title"], each.get("detail") or ""] for each in tasks)
    cut = ([id, state, first_line(title, 50), first_line(detail, 70)] for id, state, title, detail in rows)
    return Answer(table(["ID", "STATE", "TITLE", ""], cut) if tasks else "Nothing runs beside the turns.\n", tasks)


async def _task(call: Call, id: str) -> dict[str, Any]:
    """One of the session, by its id or the agent's session."""
    found = [
        each for each in await call.gateway.describe("tasks", call.session) if id in (each["id"], each.get("child"))
    ]
    if not found:
        raise UsageError(f"there is no task {id}; /tasks lists them")
    task: dict[str, Any] = found[-1]
    return task


def _shown(task: dict[str, Any]) -> Answer:
    names = ("id", "title", "state", "kind", "agent", "model", "tool", "tokens", "seconds", "detail", "log")
    rows = [[name, str(task[name])] for name in names if task.get(name)]
    if child := task.get("child"):
        rows.append(["session", f"{child}; protea -r {child} opens it when this one is closed, here it is a tab"])
    return Answer(table(None, rows), task)


async def _steer(call: Call, task: dict[str, Any], text: str) -> None:
    id, child = task["id"], task.get("child")
    if not text.strip():
        raise UsageError(f"/tasks steer {id} TEXT: say what it is to be told")
    if not child or task["state"] != "running":
        more = f"; /tasks resume {id} TEXT lets it go on" if child else ""
        raise UsageError(f"{id} is no agent at work{more}")
    await call.gateway.submit(child, Steer(text=text, by=call.by))
